/* SPDX-License-Identifier: MIT */
#include "gateway/control.h"

#include "base/fs.h"
#include "base/log.h"
#include "gateway/adopt.h"
#include "gateway/call.h"
#include "gateway/mirror.h"
#include "gateway/submit_command.h"
#include "gateway/upload.h"
#include "vidu/document.h"
#include "vidu/id.h"

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define ACCEPTS_PER_TURN 16
#define MAX_UNREAD       (64U << 20) /* of one client's answers */

struct peer {
    LIST_ENTRY(peer) link;
    struct control *control;
    uint64_t number;
    uint32_t uid;
    struct channel *channel;
    int open; /* commands without a last answer */
    bool watching;
    uint64_t watch_id;
    char watch[TASK_ID_SIZE]; /* begin of the tasks' names; "": all */
    uint64_t run;             /* whose output it wants too; 0: none */
};

struct control {
    struct gateway *g;
    int fd;
    struct event *accepting;
    uint64_t last_number;
    size_t n_peers;
    uint32_t told_watchers; /* what the keeper was told last */
    bool draining;
    LIST_HEAD(, peer) peers;
};

/* -- clients come and go -- */

size_t control_watchers(const struct control *c)
{
    const struct peer *p;
    size_t n = 0;

    for (p = LIST_FIRST(&c->peers); p != NULL; p = LIST_NEXT(p, link))
        n += p->watching;
    return n;
}

/* A room that drains is silent: its successor has told the keeper about its own watchers. */
static void tell_keeper(struct control *c)
{
    struct msg_subscribe msg = {
        .watchers = (uint32_t)(control_watchers(c) + mirror_watchers(c->g->mirror))};

    if (msg.watchers == c->told_watchers || c->draining)
        return;
    if (channel_send(c->g->keeper, MSG_SUBSCRIBE, 0, &msg) == 0)
        c->told_watchers = msg.watchers;
}

void control_watchers_changed(struct control *c)
{
    tell_keeper(c);
}

static void tell_followed(struct control *c, uint64_t run)
{
    struct msg_follow msg = {.run = run};
    const struct peer *p;

    for (p = LIST_FIRST(&c->peers); p != NULL; p = LIST_NEXT(p, link))
        msg.followers += p->run == run;
    if (run != 0 && !c->draining)
        (void)channel_send(c->g->keeper, MSG_FOLLOW, 0, &msg);
}

static void drop(struct peer *p)
{
    struct control *c = p->control;
    uint64_t run = p->run;

    LIST_REMOVE(p, link);
    c->n_peers--;
    questions_drop(c->g->questions, p->number);
    channel_free(p->channel);
    free(p);
    tell_keeper(c);
    tell_followed(c, run);
    gateway_check_idle(c->g);
}

static struct peer *find(struct control *c, uint64_t number)
{
    struct peer *p;

    for (p = LIST_FIRST(&c->peers); p != NULL; p = LIST_NEXT(p, link))
        if (p->number == number)
            return p;
    return NULL;
}

/* -- answers -- */

/* One who does not read what was asked for has to come again. r is what sending said; false: the
 * client has been dropped. */
static bool is_still_here(struct peer *p, int r)
{
    if (r != -ENOBUFS)
        return true;
    log_warn("client.slow", LOG_I("uid", p->uid), LOG_I("queued", channel_queued(p->channel)));
    drop(p);
    return false;
}

static void close_one_question(struct peer *p)
{
    p->open--;
    if (p->control->draining && p->open == 0)
        channel_finish(p->channel);
}

void control_answer(struct control *c, struct asker to, enum exit_status exit, json_t *json)
{
    static const struct msg_result too_long = {
        .exit = EXIT_FAILED, .json = SLICE_LIT("{\"error\":\"the answer is too long to send\"}")};
    struct peer *p = find(c, to.client);
    autofree char *text = json_dumps(json, JSON_COMPACT);
    struct msg_result msg = {.exit = exit, .json = slice_str(text)};
    int r;

    json_decref(json);
    if (p == NULL)
        return;
    r = channel_send(p->channel, MSG_RESULT, to.id, &msg);
    if (r == -EMSGSIZE)
        r = channel_send(p->channel, MSG_RESULT, to.id, &too_long);
    if (is_still_here(p, r))
        close_one_question(p);
}

void control_refuse(struct control *c, struct asker to, enum exit_status exit, const char *fmt, ...)
{
    struct buf text = BUF_INIT(8192);
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    control_answer(c, to, exit, json_pack("{s:s}", "error", buf_text(&text)));
    buf_free(&text);
}

/* -- live events -- */

static bool wants(const struct peer *p, const struct msg_event *event)
{
    return p->watching && str_starts(event->task.p, p->watch);
}

void control_tell(struct control *c, const struct msg_event *event)
{
    struct peer *p, *next;

    for (p = LIST_FIRST(&c->peers); p != NULL; p = next) {
        next = LIST_NEXT(p, link);
        if (wants(p, event))
            (void)is_still_here(p, channel_send(p->channel, MSG_EVENT, p->watch_id, event));
    }
}

static void add_output(const struct msg_output *output, struct buf *out)
{
    buf_addf(out, "{\"event\":\"output\",\"run\":%llu,\"attempt\":%u,\"at\":%llu,\"text\":",
             (unsigned long long)output->run, output->attempt, (unsigned long long)output->at);
    buf_add_json(out, output->text.p, output->text.n);
    buf_addc(out, '}');
}

void control_tell_output(struct control *c, const struct msg_output *output)
{
    autobuf struct buf json = BUF_INIT(CONTROL_MAX_OUTPUT);
    struct peer *p, *next;

    add_output(output, &json);
    for (p = LIST_FIRST(&c->peers); p != NULL && buf_ok(&json); p = next) {
        struct msg_event event = {.task = slice_str(p->watch), .json = {buf_text(&json), json.len}};
        bool late = channel_queued(p->channel) > CONTROL_MAX_OUTPUT;

        next = LIST_NEXT(p, link);
        if (p->run == output->run && (!late || output->text.n == 0))
            (void)is_still_here(p, channel_send(p->channel, MSG_EVENT, p->watch_id, &event));
    }
}

static void watch(struct gateway *g, const struct command *cmd)
{
    static const struct msg_result begun = {.more = 1, .json = SLICE_LIT("{}")};
    const char *task = json_string_value(json_object_get(cmd->args, "task"));
    struct peer *p = find(g->control, cmd->asker.client);

    if (task != NULL && !id_is_task_prefix(task)) {
        control_refuse(g->control, cmd->asker, EXIT_USAGE, "%s is not the name of a task", task);
        return;
    }
    if (p->watching) {
        control_refuse(g->control, cmd->asker, EXIT_USAGE,
                       "this connection watches already: open another one");
        return;
    }
    mem_copy_text(p->watch, sizeof(p->watch), str_or(task, ""));
    p->watching = true;
    p->run = (uint64_t)json_integer_value(json_object_get(cmd->args, "run"));
    p->watch_id = cmd->asker.id;
    p->open--; /* it never ends by itself */
    channel_limit(p->channel, CONTROL_MAX_BEHIND);
    tell_keeper(g->control);
    tell_followed(g->control, p->run);
    (void)is_still_here(p, channel_send(p->channel, MSG_RESULT, p->watch_id, &begun));
}

/* -- commands -- */

static const struct {
    const char *name;
    void (*fn)(struct gateway *g, const struct command *cmd);
} own_commands[] = {
    {"submit", submit_start},    {"adopt", adopt_start}, {"credits", call_credits},
    {"cancel", call_cancel},     {"watch", watch},       {"upload", upload_begin},
    {"uploaded", upload_finish},
};

static bool on_forwarded(const struct frame *f, struct asker asker, void *ctx)
{
    struct control *c = ctx;
    struct peer *p = find(c, asker.client);
    struct msg_result msg;
    int r;

    if (f == NULL) {
        control_refuse(c, asker, EXIT_TIMED_OUT, "no answer from the keeper in %d seconds",
                       QUESTION_DEADLINE_MS / 1000);
        return false;
    }
    if (p == NULL || message_read(f, &msg) != 0)
        return false;
    r = channel_forward(p->channel, f, asker.id);
    if (r == -EMSGSIZE) {
        control_refuse(c, asker, EXIT_FAILED, "the answer is too long to send; ask for less");
        return false;
    }
    if (!is_still_here(p, r))
        return false;
    if (msg.more == 0)
        close_one_question(p);
    return msg.more != 0;
}

static void forward(struct gateway *g, const struct command *cmd, const struct msg_command *msg)
{
    int r = question_ask(g->questions, MSG_COMMAND, msg, MSG_RESULT, cmd->asker, on_forwarded,
                         g->control);

    if (r != 0)
        control_refuse(g->control, cmd->asker, EXIT_FAILED, "the keeper cannot be asked: %s",
                       strerror(-r));
}

static void obey(struct gateway *g, const struct command *cmd, const struct msg_command *msg)
{
    const char *name = json_string_value(json_object_get(cmd->args, "command"));

    for (size_t i = 0; i < ARRAY_LEN(own_commands); i++)
        if (str_eq(name, own_commands[i].name)) {
            own_commands[i].fn(g, cmd);
            return;
        }
    forward(g, cmd, msg);
}

/* p may be gone when this returns. */
static void on_command(struct peer *p, const struct frame *f, struct msg_command *msg)
{
    struct control *c = p->control;
    autoclose int file = channel_passed(p->channel);
    struct command cmd = {
        .asker = {p->number, f->id}, .uid = p->uid, .blob = msg->blob, .file = file};
    struct err err = {""};
    autojson json_t *args = NULL;

    msg->uid = p->uid;
    c->g->counters.commands++;
    if (++p->open > CONTROL_MAX_QUESTIONS) {
        control_refuse(c, cmd.asker, EXIT_FAILED, "more than %d commands at once",
                       CONTROL_MAX_QUESTIONS);
    } else if (c->draining) {
        control_refuse(c, cmd.asker, EXIT_FAILED, "viduhookd is stopping or reloading; ask again");
    } else if (document_parse(msg->json.p, msg->json.n, &args, &err) < 0) {
        control_refuse(c, cmd.asker, EXIT_USAGE, "the command cannot be read: %s", err.text);
    } else {
        cmd.args = args;
        obey(c->g, &cmd, msg);
    }
}

static void on_frame(struct channel *ch, const struct frame *f, void *ctx)
{
    struct peer *p = ctx;
    struct msg_command msg;

    (void)ch;
    if (f->type == MSG_COMMAND && message_read(f, &msg) == 0) {
        on_command(p, f, &msg);
        return;
    }
    log_warn("client.nonsense", LOG_I("uid", p->uid), LOG_I("type", f->type));
    drop(p);
}

static void on_close(struct channel *ch, const char *why, void *ctx)
{
    struct peer *p = ctx;

    (void)ch;
    log_debug("client.gone", LOG_I("uid", p->uid), LOG_S("why", why));
    drop(p);
}

static const struct channel_ops channel_ops = {.on_frame = on_frame, .on_close = on_close};

/* -- accepting -- */

static void greet(struct control *c, struct peer *p)
{
    const struct hello_gateway *h = &c->g->hello;
    json_t *names = json_array();
    autofree char *text = NULL;
    struct msg_hello msg = {.version = WIRE_VERSION};
    json_t *json;

    for (size_t i = 0; i < h->n_providers; i++)
        json_array_append_new(names, json_string(h->providers[i].name));
    json = json_pack("{s:s, s:i, s:o}", "version", PACKAGE_VERSION, "pid", (int)getppid(),
                     "providers", names);
    text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    msg.json = slice_str(text);
    (void)channel_send(p->channel, MSG_HELLO, 0, &msg);
}

static void admit(struct control *c, int fd)
{
    struct ucred who;
    socklen_t n = sizeof(who);
    struct peer *p;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0) {
        close(fd);
        return;
    }
    p = mem_calloc(1, sizeof(*p));
    *p = (struct peer){.control = c, .number = ++c->last_number, .uid = who.uid};
    p->channel = channel_new(c->g->base, fd, FRAME_MAX_CONTROL, &channel_ops, p);
    channel_limit(p->channel, MAX_UNREAD);
    channel_allow_passing(p->channel);
    LIST_INSERT_HEAD(&c->peers, p, link);
    c->n_peers++;
    log_debug("client.connected", LOG_I("uid", p->uid), LOG_I("pid", who.pid));
    greet(c, p);
}

static bool is_passing(int error)
{
    return error == EAGAIN || error == EINTR || error == ECONNABORTED;
}

/* With too many clients, or without descriptors, the next ones wait in the backlog. */
static void on_acceptable(evutil_socket_t listening, short what, void *ctx)
{
    struct control *c = ctx;

    (void)what;
    for (int i = 0; i < ACCEPTS_PER_TURN && c->n_peers < CONTROL_MAX_CLIENTS; i++) {
        int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd < 0 && is_passing(errno))
            return;
        if (fd < 0) {
            log_warn("control.accept_failed", LOG_S("error", strerror(errno)));
            event_del(c->accepting);
            return;
        }
        admit(c, fd);
    }
    if (c->n_peers >= CONTROL_MAX_CLIENTS)
        event_del(c->accepting);
}

void control_tick(struct control *c)
{
    if (!c->draining && c->n_peers < CONTROL_MAX_CLIENTS)
        event_add(c->accepting, NULL);
}

struct control *control_new(struct gateway *g, int listen_fd)
{
    struct control *c = mem_calloc(1, sizeof(*c));

    c->g = g;
    c->fd = listen_fd;
    LIST_INIT(&c->peers);
    c->accepting = event_new(g->base, listen_fd, EV_READ | EV_PERSIST, on_acceptable, c);
    if (c->accepting == NULL || event_add(c->accepting, NULL) != 0)
        abort();
    return c;
}

void control_drain(struct control *c)
{
    struct peer *p;

    c->draining = true;
    event_del(c->accepting);
    for (p = LIST_FIRST(&c->peers); p != NULL; p = LIST_NEXT(p, link))
        if (p->open == 0)
            channel_finish(p->channel);
}

size_t control_clients(const struct control *c)
{
    return c->n_peers;
}

void control_free(struct control *c)
{
    struct peer *p;

    if (c == NULL)
        return;
    event_free(c->accepting);
    close(c->fd);
    while ((p = LIST_FIRST(&c->peers)) != NULL) {
        LIST_REMOVE(p, link);
        channel_free(p->channel);
        free(p);
    }
    free(c);
}
