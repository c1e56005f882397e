/* SPDX-License-Identifier: MIT */
#include "runner/runner.h"

#include "base/fs.h"
#include "base/log.h"
#include "http/client.h"
#include "runner/action.h"
#include "runner/breaker.h"
#include "runner/deliver_batch.h"
#include "runner/reap.h"
#include "runner/spawn_child.h"
#include "runner/sweep.h"
#include "wire/channel.h"
#include "wire/hello.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOWNLOAD_REDIRECTS   3
#define DOWNLOAD_CONNECTIONS 64
#define DELIVERY_CONNECTIONS 64
#define OOM_SCORE            "500"
#define NICENESS             5 /* whatever commands do, who calls back comes first */
#define OUTPUT_MAX           (16 << 20)
#define FILES_A_RUN          4
#define FILES_AT_LEAST       1024

struct run {
    LIST_ENTRY(run) link;
    struct runner *runner;
    uint64_t id, frame;
    uint32_t attempt;
    json_t *words, *context; /* the action as it was told, and what it is told */
    const struct action_ops *ops;
    void *action;
};

struct runner {
    struct event_base *base;
    struct channel *channel;
    struct client *client, *deliver;
    struct breaker *breaker;
    struct batches *batches;
    struct reap *reap;
    struct sweep sweep;
    struct action_env env;
    struct event *grace;
    char *told; /* the action that was told last: runs of one hook come one behind the other */
    json_t *told_words;
    LIST_HEAD(, run) runs;
    int n_runs, most_runs;
    uint64_t started, succeeded, failed;
    bool ready, draining;
    int status; /* what the process exits with */
};

/* Inherited by every command, so it is done once, here, and not in each of them. */
static void confine(void)
{
    static const struct rlimit no_core = {0, 0};
    autoclose int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    /* Before PR_SET_DUMPABLE, which takes our own /proc files away from us. */
    if (fd < 0 || fs_write_all(fd, OOM_SCORE, sizeof(OOM_SCORE) - 1) < 0)
        log_debug("runner.no_oom_score");
    if (setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + NICENESS) < 0)
        log_debug("runner.no_niceness");
    setrlimit(RLIMIT_CORE, &no_core);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0);
    umask(022);
    if (chdir("/") < 0)
        log_debug("runner.no_chdir");
    spawn_set_signals();
}

/* Enough for us, and not more than that for commands that close whatever they might hold. */
static void limit_files(int runs)
{
    rlim_t wanted = (rlim_t)(runs > 0 ? runs : 0) * FILES_A_RUN + FILES_AT_LEAST;
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) < 0)
        return;
    files.rlim_cur = wanted < files.rlim_max ? wanted : files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
}

/* ---- runs ---- */

static void leave_when_idle(struct runner *r)
{
    if (r->draining && r->n_runs == 0)
        channel_finish(r->channel);
}

static void run_free(struct run *run)
{
    if (run->action != NULL)
        run->ops->free(run->action);
    LIST_REMOVE(run, link);
    run->runner->n_runs--;
    json_decref(run->words);
    json_decref(run->context);
    free(run);
}

static void on_done(const struct msg_done *done, void *ctx)
{
    struct run *run = ctx;
    struct runner *r = run->runner;
    struct msg_done answer = *done;

    answer.run = run->id;
    answer.attempt = run->attempt;
    *(done->outcome == RUN_OK ? &r->succeeded : &r->failed) += 1;
    if (channel_send(r->channel, MSG_DONE, run->frame, &answer) < 0)
        log_warn("runner.unsent", LOG_I("run", run->id));
    run_free(run);
    leave_when_idle(r);
}

static void on_progress(const char *name, uint64_t done, uint64_t total, void *ctx)
{
    struct run *run = ctx;
    struct msg_progress msg = {
        .run = run->id, .done = done, .total = total, .name = slice_str(name)};

    (void)channel_send(run->runner->channel, MSG_PROGRESS, run->frame, &msg);
}

static void on_output(uint64_t at, struct slice text, void *ctx)
{
    struct run *run = ctx;
    struct msg_output msg = {.run = run->id, .attempt = run->attempt, .at = at, .text = text};

    (void)channel_send(run->runner->channel, MSG_OUTPUT, run->frame, &msg);
}

static void on_expired(void *ctx)
{
    struct run *run = ctx;
    const json_t *task = json_object_get(run->context, "task");
    struct msg_refresh msg = {.run = run->id,
                              .task = slice_str(json_string_value(json_object_get(task, "id")))};

    (void)channel_send(run->runner->channel, MSG_REFRESH, run->frame, &msg);
}

static const struct action_events events = {.on_done = on_done,
                                            .on_progress = on_progress,
                                            .on_output = on_output,
                                            .on_expired = on_expired};

static const struct action_ops *const kinds[] = {&exec_ops, &download_ops, &deliver_ops,
                                                 &batch_ops};

static const struct action_ops *find_kind(const json_t *action)
{
    const char *kind = json_string_value(json_object_get(action, "kind"));

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_eq(kinds[i]->kind, kind))
            return kinds[i];
    return NULL;
}

static void refuse(struct runner *r, const struct frame *f, const struct msg_run *msg,
                   enum run_outcome outcome, const char *why)
{
    struct msg_done done = {.run = msg->run,
                            .attempt = msg->attempt,
                            .outcome = outcome,
                            .retry_after_ms = -1,
                            .detail = slice_str(why)};

    (void)channel_send(r->channel, MSG_DONE, f->id, &done);
}

static struct run *find_run(const struct runner *r, uint64_t id)
{
    struct run *run;

    LIST_FOREACH(run, &r->runs, link)
    if (run->id == id)
        return run;
    return NULL;
}

/* ---- what the keeper says ---- */

/* NULL: it may not begin now. */
static const char *why_not_now(const struct runner *r, const struct msg_run *msg)
{
    if (r->draining)
        return "the daemon stops";
    if (r->most_runs > 0 && r->n_runs >= r->most_runs)
        return "too many runs at once";
    if (find_run(r, msg->run) != NULL) /* its lease is over, but what it does is not */
        return "the attempt before has not ended yet";
    return NULL;
}

static struct run *add_run(struct runner *r, const struct frame *f, const struct msg_run *msg)
{
    struct run *run = mem_calloc(1, sizeof(*run));

    run->runner = r;
    run->id = msg->run;
    run->frame = f->id;
    run->attempt = msg->attempt;
    LIST_INSERT_HEAD(&r->runs, run, link);
    r->n_runs++;
    return run;
}

/* The two lines of wire/run.h. */
static void split(struct slice text, struct slice *action, struct slice *context)
{
    const char *end = memchr(text.p, '\n', text.n);
    size_t n = end != NULL ? (size_t)(end - text.p) : text.n;

    *action = (struct slice){text.p, n};
    *context = end != NULL ? (struct slice){end + 1, text.n - n - 1} : SLICE_LIT("");
}

/* A reference; NULL: it is no action. */
static json_t *words_of(struct runner *r, struct slice action)
{
    if (r->told_words == NULL || !slice_is(action, r->told)) {
        json_decref(r->told_words);
        r->told_words = json_loadb(action.p, action.n, JSON_ALLOW_NUL, NULL);
        free(r->told);
        r->told = mem_strndup(action.p, action.n);
    }
    return json_incref(r->told_words);
}

static void on_run(struct runner *r, const struct frame *f, const void *message)
{
    const struct msg_run *msg = message;
    const char *why = why_not_now(r, msg);
    struct slice action, context;
    struct run *run;

    if (why != NULL) {
        refuse(r, f, msg, RUN_AGAIN, why);
        return;
    }
    split(msg->text, &action, &context);
    run = add_run(r, f, msg);
    run->words = words_of(r, action);
    run->context = json_loadb(context.p, context.n, JSON_ALLOW_NUL, NULL);
    run->ops = find_kind(run->words);
    if (run->ops == NULL || run->context == NULL) {
        run_free(run);
        refuse(r, f, msg, RUN_FATAL, "not a run that can be started");
        return;
    }
    r->started++;
    run->action = run->ops->start(&r->env, run->words, run->context, context, &events, run);
}

static void on_cancel(struct runner *r, const struct frame *f, const void *message)
{
    const struct msg_cancel *msg = message;
    struct run *run = find_run(r, msg->run);

    (void)f;
    if (run != NULL)
        run->ops->stop(run->action, RUN_FATAL, "cancelled");
}

static void on_follow(struct runner *r, const struct frame *f, const void *message)
{
    const struct msg_follow *msg = message;
    struct run *run = find_run(r, msg->run);

    (void)f;
    if (run != NULL && run->ops->follow != NULL)
        run->ops->follow(run->action, msg->followers > 0);
}

static void on_fresh(struct runner *r, const struct frame *f, const void *message)
{
    const struct msg_fresh *msg = message;
    struct run *run = find_run(r, msg->run);
    autofree char *error = mem_strndup(msg->error.p, msg->error.n);
    json_t *result = NULL;

    (void)f;
    if (run == NULL)
        return;
    if (msg->error.n == 0) {
        result = json_loadb(msg->result.p, msg->result.n, JSON_ALLOW_NUL, NULL);
        if (!json_is_array(result))
            mem_replace(&error, "the answer is not understood");
    }
    run->ops->fresh(run->action, json_is_array(result) ? result : NULL, error);
    json_decref(result);
}

static void on_grace_over(evutil_socket_t fd, short what, void *arg)
{
    struct runner *r = arg;
    struct run *run, *next;

    (void)fd;
    (void)what;
    for (run = LIST_FIRST(&r->runs); run != NULL; run = next) {
        next = LIST_NEXT(run, link); /* a download reports, and is gone, inside stop */
        run->ops->stop(run->action, RUN_AGAIN, "stopped with the daemon");
    }
}

static void on_drain(struct runner *r, const struct frame *f, const void *message)
{
    const struct msg_drain *msg = message;
    int64_t grace_ms = msg->grace_ms > 0 ? msg->grace_ms : 0;
    struct timeval tv = {.tv_sec = grace_ms / 1000, .tv_usec = grace_ms % 1000 * 1000};

    (void)f;
    r->draining = true;
    batches_hurry(r->batches);
    evtimer_add(r->grace, &tv);
    leave_when_idle(r);
}

static void on_ping(struct runner *r, const struct frame *f, const void *message)
{
    const struct msg_ping *msg = message;
    autofree char *json = mem_printf(
        "{\"runs\":%d,\"runs_started\":%llu,\"runs_succeeded\":%llu,\"runs_failed\":%llu}",
        r->n_runs, (unsigned long long)r->started, (unsigned long long)r->succeeded,
        (unsigned long long)r->failed);
    struct msg_pong pong = {.stamp = msg->stamp, .json = slice_str(json)};

    (void)channel_send(r->channel, MSG_PONG, f->id, &pong);
}

/* ---- the beginning ---- */

static int read_policy(const struct hello_runner *h, struct client_policy *p, struct err *err)
{
    *p = (struct client_policy){.public_only = true,
                                .allow_http = true,
                                .ca_file = h->ca_file,
                                .max_transfers = DOWNLOAD_CONNECTIONS,
                                .redirects = DOWNLOAD_REDIRECTS};
    p->ports[p->n_ports++] = 443;
    for (size_t i = 0; i < h->n_ports && p->n_ports < ARRAY_LEN(p->ports); i++)
        p->ports[p->n_ports++] = (uint16_t)h->ports[i];
    for (size_t i = 0; i < h->n_allow && p->n_rules < ARRAY_LEN(p->rules); i++) {
        int rc = address_rule_parse(h->allow[i], &p->rules[p->n_rules++], err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static int set_up(struct runner *r, const struct hello_runner *h, struct err *err)
{
    struct client_policy policy;
    struct client_policy deliveries = {
        .allow_http = true, .ca_file = h->ca_file, .max_transfers = DELIVERY_CONNECTIONS};
    int rc = read_policy(h, &policy, err);

    if (rc < 0)
        return rc;
    log_open("runner", h->log.json, (enum log_level)h->log.level);
    r->client = client_new(r->base, &policy, err);
    if (r->client == NULL)
        return -1;
    r->deliver = client_new(r->base, &deliveries, err);
    if (r->deliver == NULL)
        return -1;
    limit_files(h->runs);
    r->most_runs = h->runs;
    r->env = (struct action_env){
        .base = r->base,
        .client = r->client,
        .deliver = r->deliver,
        .breaker = r->breaker,
        .batches = r->batches,
        .reap = r->reap,
        .sweep = &r->sweep,
        .output = h->output > 0 && h->output < OUTPUT_MAX ? (size_t)h->output : 0,
        .keep_free = h->keep_free,
    };
    r->ready = true;
    return 0;
}

static void on_hello(struct runner *r, const struct frame *f, const void *message)
{
    const struct msg_hello *msg = message;
    struct hello_runner hello;
    struct msg_ready ready = {.error = {"", 0}};
    struct err err;
    int rc = hello_runner_read(msg->json, &hello, &err);

    if (rc == 0) {
        rc = set_up(r, &hello, &err);
        hello_runner_clear(&hello);
    }
    if (rc < 0)
        ready.error = slice_str(err.text);
    (void)channel_send(r->channel, MSG_READY, f->id, &ready);
    if (rc < 0)
        channel_finish(r->channel);
}

static const struct handler {
    enum message_type type;
    bool before_hello;
    void (*handle)(struct runner *r, const struct frame *f, const void *message);
} handlers[] = {
    {MSG_HELLO, true, on_hello},  {MSG_RUN, false, on_run},       {MSG_CANCEL, false, on_cancel},
    {MSG_FRESH, false, on_fresh}, {MSG_FOLLOW, false, on_follow}, {MSG_DRAIN, false, on_drain},
    {MSG_PING, false, on_ping},
};

union any_message {
    struct msg_hello hello;
    struct msg_run run;
    struct msg_cancel cancel;
    struct msg_fresh fresh;
    struct msg_follow follow;
    struct msg_drain drain;
    struct msg_ping ping;
};

static void on_close(struct channel *ch, const char *why, void *ctx)
{
    struct runner *r = ctx;

    (void)ch;
    r->status = r->draining && r->n_runs == 0 ? 0 : 1;
    if (r->status != 0)
        log_warn("runner.closed", LOG_S("why", why));
    event_base_loopbreak(r->base);
}

static void on_frame(struct channel *ch, const struct frame *f, void *ctx)
{
    struct runner *r = ctx;
    union any_message message;

    for (size_t i = 0; i < ARRAY_LEN(handlers); i++) {
        const struct handler *h = &handlers[i];

        if (h->type != f->type || h->before_hello == r->ready)
            continue;
        if (message_read(f, &message) < 0)
            break;
        h->handle(r, f, &message);
        return;
    }
    on_close(ch, "a message that makes no sense here", r);
}

static const struct channel_ops channel_ops = {.on_frame = on_frame, .on_close = on_close};

static void tear_down(struct runner *r)
{
    while (!LIST_EMPTY(&r->runs))
        run_free(LIST_FIRST(&r->runs));
    json_decref(r->told_words);
    free(r->told);
    reap_kill_all(r->reap);
    reap_free(r->reap);
    client_free(r->client);
    client_free(r->deliver);
    breaker_free(r->breaker);
    batches_free(r->batches);
    channel_free(r->channel);
    event_free(r->grace);
    event_base_free(r->base);
}

int runner_main(void)
{
    struct runner r = {.status = 1};

    log_open("runner", false, LOG_LEVEL_INFO);
    confine();
    fs_set_cloexec(ROOM_CHANNEL_FD, 1);
    r.base = event_base_new();
    if (r.base == NULL)
        return 1;
    LIST_INIT(&r.runs);
    r.reap = reap_new(r.base);
    r.breaker = breaker_new();
    r.batches = batches_new();
    r.grace = evtimer_new(r.base, on_grace_over, &r);
    r.channel = channel_new(r.base, ROOM_CHANNEL_FD, FRAME_MAX, &channel_ops, &r);
    event_base_dispatch(r.base);
    tear_down(&r);
    return r.status;
}
