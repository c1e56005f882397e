/* SPDX-License-Identifier: MIT */
#include "gateway/call.h"

#include "base/log.h"
#include "gateway/account.h"
#include "vidu/answer.h"
#include "vidu/document.h"
#include "vidu/id.h"
#include "vidu/percent.h"

#include <string.h>
#include <sys/queue.h>

#define MAX_ANSWER (1U << 20)
#define MAX_ROWS   100

struct call {
    TAILQ_ENTRY(call) link;
    struct gateway *g;
    struct asker asker;
    const char *what; /* for the log */
    char *provider;
    char *task, *remote_id; /* cancel */
    char *body;
    void (*on_answer)(struct call *c, const json_t *body);
    call_read *read; /* of call_provider */
};

TAILQ_HEAD(call_list, call);

struct calls {
    struct call_list list;
    size_t n;
};

/* The questions to the keeper are the call's own: they do not go with the client. */
static const struct asker nobody;

static void call_free(struct call *c)
{
    free(c->provider);
    free(c->task);
    free(c->remote_id);
    free(c->body);
    free(c);
}

static void end(struct call *c)
{
    struct gateway *g = c->g;

    TAILQ_REMOVE(&g->calls->list, c, link);
    g->calls->n--;
    call_free(c);
    gateway_check_idle(g);
}

static struct call *begin(struct gateway *g, const struct command *cmd, const char *what)
{
    struct call *c;

    if (g->calls->n >= CALLS_AT_ONCE) {
        control_refuse(g->control, cmd->asker, EXIT_FAILED,
                       "%d calls are on their way already; try again", CALLS_AT_ONCE);
        return NULL;
    }
    c = mem_calloc(1, sizeof(*c));
    *c = (struct call){.g = g, .asker = cmd->asker, .what = what};
    TAILQ_INSERT_TAIL(&g->calls->list, c, link);
    g->calls->n++;
    return c;
}

/* -- the request -- */

/* What the provider objected to; or that it did not answer. */
static void refuse(struct call *c, const struct client_answer *a)
{
    struct answer said;
    autofree char *text = NULL;

    if (a->status == 0) {
        control_refuse(c->g->control, c->asker, EXIT_FAILED, "no answer from %s: %s", c->provider,
                       str_or(a->error, "no connection"));
        return;
    }
    answer_parse(a->status, a->body.p, a->body.n, NULL, &said);
    text = mem_printf("%s refused: HTTP %d%s%s%s%s", c->provider, a->status,
                      said.reason[0] != '\0' ? " " : "", said.reason,
                      said.message[0] != '\0' ? ": " : "", said.message);
    control_answer(c->g->control, c->asker, a->status < 500 ? EXIT_REFUSED : EXIT_FAILED,
                   json_pack("{s:s, s:i, s:s, s:s}", "error", text, "http_status", a->status,
                             "code", said.reason, "message", said.message));
}

static void on_done(struct transfer *t, const struct client_answer *a, void *ctx)
{
    struct call *c = ctx;
    struct err err = {""};
    autojson json_t *body = NULL;

    (void)t;
    log_info("call.done", LOG_S("call", c->what), LOG_S("provider", c->provider),
             LOG_S("task", c->task), LOG_I("status", a->status));
    if (a->error != NULL || a->status < 200 || a->status > 299) {
        refuse(c, a);
        end(c);
    } else if (document_parse(a->body.p, a->body.n, &body, &err) < 0) {
        control_refuse(c->g->control, c->asker, EXIT_FAILED,
                       "the answer of %s is not understood: %s", c->provider, err.text);
        end(c);
    } else {
        c->on_answer(c, body);
    }
}

static const struct transfer_ops transfer_ops = {.on_done = on_done};

/* path stands below the base URL. Ends the call when it cannot begin. */
static void send_request(struct call *c, const char *method, const char *path)
{
    struct err err = {""};
    const struct hello_provider *account = account_find(&c->g->hello, c->provider, &err);
    autofree char *url = NULL;
    char *authorization;
    struct transfer *t = NULL;

    if (account != NULL) {
        url = mem_printf("%s%s", account->base_url, path);
        authorization = account_authorization(account);
        t = client_start(
            c->g->client,
            &(struct client_request){
                .method = method,
                .url = url,
                .headers =
                    (const char *const[]){authorization, "Content-Type: application/json", NULL},
                .body = c->body,
                .body_len = c->body != NULL ? strlen(c->body) : 0,
                .max_body = MAX_ANSWER,
                .timeout_ms = CALL_TIMEOUT_MS,
            },
            &transfer_ops, c, &err);
        mem_wipe_free(authorization, strlen(authorization));
    }
    if (t == NULL) {
        control_refuse(c->g->control, c->asker, EXIT_FAILED, "%s", err.text);
        end(c);
    }
}

/* -- an answer that needs nothing but reading -- */

static void on_plain(struct call *c, const json_t *body)
{
    struct err err = {""};
    json_t *json = c->read(body, &err);

    if (json != NULL)
        control_answer(c->g->control, c->asker, EXIT_OK, json);
    else
        control_refuse(c->g->control, c->asker, EXIT_FAILED,
                       "the answer of %s is not understood: %s", c->provider, err.text);
    end(c);
}

void call_provider(struct gateway *g, const struct command *cmd,
                   const struct hello_provider *account, struct call_plain plain)
{
    struct call *c = begin(g, cmd, plain.what);

    if (c != NULL) {
        c->provider = mem_strdup(account->name);
        c->body = mem_strdup(plain.body);
        c->read = plain.read;
        c->on_answer = on_plain;
        send_request(c, plain.method, plain.path);
    }
    free(plain.path);
    free(plain.body);
}

/* -- credits -- */

static void copy_number(json_t *to, const json_t *from, const char *name)
{
    int64_t n = document_count(json_object_get(from, name));

    if (n >= 0)
        json_object_set_new(to, name, json_integer(n));
}

static json_t *account_row(const json_t *from)
{
    static const char *const names[] = {"credit_remain", "concurrency_limit", "current_concurrency",
                                        "queue_count"};
    char type[64];
    json_t *row;

    document_word(json_object_get(from, "type"), type, sizeof(type));
    row = json_pack("{s:o}", "type", json_string(str_is_utf8(type, strlen(type)) ? type : ""));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        copy_number(row, from, names[i]);
    return row;
}

/* The documentation's table and its example disagree about the array's name. */
static void on_credits(struct call *c, const json_t *body)
{
    static const char *const names[] = {"remains", "remaining_credits"};
    json_t *rows = json_array();
    bool found = false;

    for (size_t n = 0; n < ARRAY_LEN(names) && !found; n++) {
        json_t *list = json_object_get(body, names[n]);
        json_t *from;
        size_t i;

        found = json_is_array(list);
        json_array_foreach (list, i, from)
            if (i < MAX_ROWS)
                json_array_append_new(rows, account_row(from));
    }
    if (found)
        control_answer(c->g->control, c->asker, EXIT_OK,
                       json_pack("{s:s, s:O}", "provider", c->provider, "remains", rows));
    else
        control_refuse(c->g->control, c->asker, EXIT_FAILED,
                       "the answer of %s does not name any credits", c->provider);
    json_decref(rows);
    end(c);
}

void call_credits(struct gateway *g, const struct command *cmd)
{
    const char *name = json_string_value(json_object_get(cmd->args, "provider"));
    struct err err = {""};
    const struct hello_provider *account = account_find(&g->hello, name, &err);
    autofree char *path = NULL;
    struct call *c;

    if (account == NULL) {
        control_refuse(g->control, cmd->asker, EXIT_USAGE, "%s", err.text);
        return;
    }
    c = begin(g, cmd, "credits");
    if (c == NULL)
        return;
    c->provider = mem_strdup(account->name);
    c->on_answer = on_credits;
    path = mem_printf("%s/credits?show_detail=true", account_profile(account)->prefix);
    send_request(c, NULL, path);
}

/* -- cancel -- */

static bool on_looking(const struct frame *f, struct asker asker, void *ctx)
{
    struct call *c = ctx;

    (void)f; /* whatever it says: the provider has agreed */
    (void)asker;
    control_answer(c->g->control, c->asker, EXIT_OK,
                   json_pack("{s:s, s:s, s:s}", "task", c->task, "remote_id", c->remote_id,
                             "provider", c->provider));
    end(c);
    return false;
}

static int ask_keeper(struct call *c, const char *command, const char *task, question_on_answer *fn)
{
    json_t *json = json_pack("{s:s, s:s}", "command", command, "task", task);
    autofree char *text = json_dumps(json, JSON_COMPACT);
    struct msg_command msg = {.json = slice_str(text)};

    json_decref(json);
    return question_ask(c->g->questions, MSG_COMMAND, &msg, MSG_RESULT, nobody, fn, c);
}

static void on_cancelled(struct call *c, const json_t *body)
{
    (void)body; /* {} */
    if (ask_keeper(c, "cancelled", c->task, on_looking) != 0)
        (void)on_looking(NULL, nobody, c);
}

static char *copy_text(const json_t *task, const char *name)
{
    return mem_strdup(str_or(json_string_value(json_object_get(task, name)), ""));
}

static void cancel_at_provider(struct call *c)
{
    const struct hello_provider *account = account_find(&c->g->hello, c->provider, NULL);
    struct buf path = BUF_INIT(4096);
    json_t *body = json_pack("{s:s}", "id", c->remote_id);

    c->body = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    buf_addf(&path, "%s/tasks/", account != NULL ? account_profile(account)->prefix : "");
    percent_encode(c->remote_id, strlen(c->remote_id), &path);
    buf_adds(&path, "/cancel");
    c->on_answer = on_cancelled;
    send_request(c, "POST", buf_text(&path));
    buf_free(&path);
}

/* What there is to cancel, as the keeper knows it. */
static void on_known(struct call *c, const json_t *task)
{
    enum task_state state = STATE_REGISTERED;

    c->task = copy_text(task, "id");
    c->provider = copy_text(task, "provider");
    c->remote_id = copy_text(task, "remote_id");
    (void)state_from_name(str_or(json_string_value(json_object_get(task, "state")), ""), &state);
    if (!state_is_final(state) && id_is_remote(c->remote_id, strlen(c->remote_id))) {
        cancel_at_provider(c);
        return;
    }
    control_refuse(c->g->control, c->asker, EXIT_FAILED,
                   state_is_final(state) ? "task %s is over already: %s"
                                         : "task %s has no id at its provider; it is %s",
                   c->task, state_name(state));
    end(c);
}

static bool on_shown(const struct frame *f, struct asker asker, void *ctx)
{
    struct call *c = ctx;
    struct msg_result msg;
    json_t *json = NULL;

    (void)asker;
    if (f != NULL && message_read(f, &msg) == 0)
        json = json_loadb(msg.json.p, msg.json.n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (json == NULL) {
        control_refuse(c->g->control, c->asker, EXIT_TIMED_OUT, "no answer from the keeper");
        end(c);
    } else if (msg.exit != EXIT_OK) {
        control_answer(c->g->control, c->asker, (enum exit_status)msg.exit, json_incref(json));
        end(c);
    } else {
        on_known(c, json_object_get(json, "task"));
    }
    json_decref(json);
    return false;
}

void call_cancel(struct gateway *g, const struct command *cmd)
{
    const char *task = json_string_value(json_object_get(cmd->args, "task"));
    struct call *c = begin(g, cmd, "cancel");

    if (c == NULL)
        return;
    if (ask_keeper(c, "show", str_or(task, ""), on_shown) == 0)
        return;
    control_refuse(g->control, cmd->asker, EXIT_FAILED, "the keeper cannot be asked");
    end(c);
}

/* -- all of them -- */

struct calls *calls_new(void)
{
    struct calls *cs = mem_calloc(1, sizeof(*cs));

    TAILQ_INIT(&cs->list);
    return cs;
}

void calls_free(struct calls *cs)
{
    struct call *c;

    if (cs == NULL)
        return;
    while ((c = TAILQ_FIRST(&cs->list)) != NULL) {
        TAILQ_REMOVE(&cs->list, c, link);
        call_free(c);
    }
    free(cs);
}

size_t calls_open(const struct calls *cs)
{
    return cs->n;
}
