/* SPDX-License-Identifier: MIT */
#include "gateway/submit.h"

#include "base/log.h"
#include "gateway/prepare.h"
#include "gateway/question.h"
#include "vidu/document.h"
#include "wire/command.h"

#include <errno.h>
#include <string.h>
#include <sys/queue.h>

#define MAX_ANSWER (22U << 20) /* providers echo the request */

struct submit {
    TAILQ_ENTRY(submit) link;
    struct gateway *g;
    submit_on_end *on_end;
    void *ctx;
    struct prepared p;
    struct answer answer;
    bool unsent;     /* the request has certainly not reached the provider */
    char *error;     /* why there is no answer, or NULL */
    struct buf body; /* the provider's */
    char *content_type;
    int64_t retry_after_ms;
};

/* The questions to the keeper are the submit's own: they do not go with the client. */
static const struct asker nobody;

TAILQ_HEAD(submit_list, submit);

struct submits {
    struct submit_list list;
    size_t n;
};

static void submit_free(struct submit *s)
{
    prepared_clear(&s->p);
    free(s->error);
    free(s->content_type);
    buf_free(&s->body);
    free(s);
}

static void end(struct submit *s)
{
    struct gateway *g = s->g;

    TAILQ_REMOVE(&g->submits->list, s, link);
    g->submits->n--;
    submit_free(s);
    gateway_check_idle(g);
}

/* -- the end: whoever wanted it is told -- */

static void tell(struct submit *s, enum submit_end how, const char *error)
{
    const struct submit_result r = {
        .end = how,
        .task = s->p.synchronous ? NULL : s->p.task,
        .provider = s->p.account->name,
        .error = error,
        .answer = &s->answer,
        .body = {buf_text(&s->body), s->body.len},
        .whole = s->error == NULL,
        .content_type = s->content_type,
        .retry_after_ms = s->retry_after_ms,
    };

    s->on_end(&r, s->ctx);
}

static void tell_failed(struct submit *s, enum submit_end how, const char *text)
{
    s->g->counters.submits_failed++;
    tell(s, how, text);
}

static void tell_accepted(struct submit *s)
{
    s->g->counters.submits_accepted++;
    tell(s, SUBMIT_ACCEPTED, NULL);
}

static void tell_refused(struct submit *s)
{
    const struct answer *a = &s->answer;
    autofree char *text = mem_printf("%s refused the request: HTTP %d%s%s%s%s", s->p.account->name,
                                     a->http_status, a->reason[0] != '\0' ? " " : "", a->reason,
                                     a->message[0] != '\0' ? ": " : "", a->message);

    s->g->counters.submits_refused++;
    tell(s, SUBMIT_REFUSED, text);
}

/* By a limit of our own, before anything was sent: there is no such task. */
static void tell_over_limit(struct submit *s, const char *code, const char *error)
{
    mem_copy_text(s->answer.reason, sizeof(s->answer.reason), code);
    s->g->counters.submits_refused++;
    tell(s, SUBMIT_OVER_LIMIT, error);
}

static void tell_unsent(struct submit *s)
{
    autofree char *text = mem_printf("the request did not reach %s, nothing was created: %s",
                                     s->p.account->name, s->error);

    tell_failed(s, SUBMIT_UNSENT, text);
}

static char *lost_reason(const struct submit *s)
{
    if (s->error != NULL)
        return mem_strdup(s->error);
    return mem_printf("HTTP %d%s%s", s->answer.http_status,
                      s->answer.message[0] != '\0' ? ": " : "", s->answer.message);
}

static void tell_ambiguous(struct submit *s)
{
    autofree char *reason = lost_reason(s);
    autofree char *text = mem_printf(
        "no usable answer from %s (%s): the task may exist there. It is kept as %s, ambiguous, and "
        "is never sent again by itself; its callback would still find it. `viduhook show %s` tells "
        "what is known, and the provider's own task list whether it exists",
        s->p.account->name, reason, s->p.task, s->p.task);

    s->g->counters.submits_ambiguous++;
    tell(s, SUBMIT_AMBIGUOUS, text);
}

static void tell_unrecorded(struct submit *s, const char *why)
{
    autofree char *text =
        mem_printf("%s answered (%s%s%s), but that could not be recorded: %s", s->p.account->name,
                   answer_outcome_name(s->answer.outcome),
                   s->answer.remote_id[0] != '\0' ? ", its id is " : "", s->answer.remote_id, why);

    log_error("submit.not_recorded", LOG_S("task", s->p.task),
              LOG_S("remote_id", s->answer.remote_id), LOG_S("error", why));
    tell_failed(s, SUBMIT_UNRECORDED, text);
}

static bool on_answer_recorded(const struct frame *f, struct asker asker, void *ctx)
{
    struct submit *s = ctx;
    struct msg_recorded msg;

    (void)asker;
    if (f == NULL || message_read(f, &msg) != 0)
        tell_unrecorded(s, "the keeper has not answered in time");
    else if (msg.error.n != 0)
        tell_unrecorded(s, msg.error.p);
    else if (s->unsent)
        tell_unsent(s);
    else if (s->answer.outcome == ANSWER_ACCEPTED)
        tell_accepted(s);
    else if (s->answer.outcome == ANSWER_REJECTED)
        tell_refused(s);
    else
        tell_ambiguous(s);
    end(s);
    return false;
}

/* -- an answer that is the result: the keeper knows of nothing but its price -- */

static void tell_doubtful(struct submit *s)
{
    autofree char *reason = lost_reason(s);
    autofree char *text = mem_printf("no usable answer from %s (%s): what was asked for may have "
                                     "been done, and paid for; it is not asked for again by itself",
                                     s->p.account->name, reason);

    s->g->counters.submits_ambiguous++;
    tell(s, SUBMIT_AMBIGUOUS, text);
}

static bool is_result(const struct submit *s)
{
    json_t *json = NULL;
    bool is = s->answer.http_status >= 200 && s->answer.http_status < 300 &&
              document_parse(buf_text(&s->body), s->body.len, &json, NULL) == 0;

    json_decref(json);
    return is;
}

static void end_synchronous(struct submit *s)
{
    if (s->unsent) {
        tell_unsent(s);
    } else if (is_result(s)) {
        s->g->counters.submits_accepted++;
        tell(s, SUBMIT_ANSWERED, NULL);
    } else if (s->answer.outcome == ANSWER_REJECTED) {
        tell_refused(s);
    } else {
        tell_doubtful(s);
    }
    end(s);
}

/* What it was paid for is there, counted or not. */
static bool on_counted(const struct frame *f, struct asker asker, void *ctx)
{
    struct submit *s = ctx;
    struct msg_result msg;

    (void)asker;
    if (f == NULL || message_read(f, &msg) != 0 || msg.exit != EXIT_OK)
        log_error("submit.not_counted", LOG_S("endpoint", s->p.endpoint),
                  LOG_I("credits", s->answer.credits));
    end_synchronous(s);
    return false;
}

/* credits: what it has cost; 0: whether it may be sent. */
static int ask_to_pay(struct submit *s, int64_t credits, question_on_answer *fn)
{
    json_t *args = json_pack("{s:s, s:s, s:I}", "command", "pay", "provider", s->p.account->name,
                             "credits", (json_int_t)credits);
    autofree char *text = json_dumps(args, JSON_COMPACT);
    const struct msg_command msg = {.json = slice_str(text)};

    json_decref(args);
    return question_ask(s->g->questions, MSG_COMMAND, &msg, MSG_RESULT, nobody, fn, s);
}

static void pay(struct submit *s)
{
    if (!is_result(s) || s->answer.credits <= 0)
        end_synchronous(s);
    else if (ask_to_pay(s, s->answer.credits, on_counted) != 0)
        on_counted(NULL, nobody, s);
}

/* -- the answer: the keeper is told -- */

static void log_answer(const struct submit *s)
{
    const struct answer *a = &s->answer;

    if (a->outcome == ANSWER_ACCEPTED)
        log_info("submit.accepted", LOG_S("task", s->p.task), LOG_S("remote_id", a->remote_id),
                 LOG_S("state", a->state_word), LOG_S("trace_id", a->trace_id));
    else if (s->unsent)
        log_warn("submit.unsent", LOG_S("task", s->p.task), LOG_S("provider", s->p.account->name),
                 LOG_S("error", s->error));
    else if (a->outcome == ANSWER_REJECTED)
        log_warn("submit.refused", LOG_S("task", s->p.task), LOG_I("status", a->http_status),
                 LOG_S("code", a->reason), LOG_S("trace_id", a->trace_id));
    else if (a->http_status >= 200 && a->http_status < 300 && s->p.synchronous)
        log_info("submit.answered", LOG_S("endpoint", s->p.endpoint),
                 LOG_I("status", a->http_status), LOG_S("trace_id", a->trace_id));
    else
        log_warn("submit.ambiguous", LOG_S("task", s->p.task), LOG_I("status", a->http_status),
                 LOG_S("error", s->error), LOG_S("trace_id", a->trace_id));
}

static struct msg_submitted submitted(const struct submit *s)
{
    const struct answer *a = &s->answer;

    return (struct msg_submitted){
        .task = slice_str(s->p.task),
        .outcome = (uint32_t)a->outcome,
        .http_status = (uint32_t)a->http_status,
        .remote_id = slice_str(a->remote_id),
        .state_word = slice_str(a->state_word),
        .credits = a->credits,
        .reason = slice_str(a->reason),
        .message = slice_str(a->message),
        .trace_id = slice_str(a->trace_id),
    };
}

static void record_answer(struct submit *s)
{
    struct msg_submitted msg = submitted(s);

    log_answer(s);
    if (s->p.synchronous) {
        pay(s);
        return;
    }
    if (question_ask(s->g->questions, MSG_SUBMITTED, &msg, MSG_RECORDED, nobody, on_answer_recorded,
                     s) == 0)
        return;
    tell_unrecorded(s, "the keeper cannot be told");
    end(s);
}

/* Nothing was created, and that is certain. */
static void record_unsent(struct submit *s, const char *why)
{
    s->unsent = true;
    mem_replace(&s->error, why);
    s->answer = (struct answer){.outcome = ANSWER_REJECTED, .credits = -1, .reason = "NotSent"};
    mem_copy_text(s->answer.message, sizeof(s->answer.message), why);
    record_answer(s);
}

/* Where the answer has the id: as the provider is told to have it, else as the endpoint has it. */
static struct answer_names names_of(const struct submit *s)
{
    struct answer_names names = account_profile(s->p.account)->names;
    const struct endpoint *e = endpoint_find(s->p.endpoint);

    if (names.id == NULL && e != NULL)
        names.id = e->id_key;
    return names;
}

static void on_done(struct transfer *t, const struct client_answer *a, void *ctx)
{
    struct submit *s = ctx;
    struct answer_names names;

    if (a->status == 0 && !a->sent) {
        record_unsent(s, str_or(a->error, "no connection"));
        return;
    }
    mem_replace(&s->error, a->error);
    names = names_of(s);
    answer_parse_named(a->status, a->body.p, a->body.n, transfer_header(t, "x-md-trace-id"), &names,
                       &s->answer);
    s->body = transfer_take_body(t);
    s->content_type = mem_strdup(transfer_header(t, "Content-Type"));
    s->retry_after_ms = a->retry_after_ms;
    record_answer(s);
}

static const struct transfer_ops transfer_ops = {.on_done = on_done};

/* -- the request -- */

static void send_request(struct submit *s)
{
    char *authorization = account_authorization(s->p.account);
    struct err err = {""};
    struct transfer *t = client_start(
        s->g->client,
        &(struct client_request){
            .method = "POST",
            .url = s->p.url,
            .headers =
                (const char *const[]){str_or(s->p.content_type, "Content-Type: application/json"),
                                      authorization, NULL},
            .may_reuse = true,
            .body = buf_text(&s->p.body),
            .body_len = s->p.body.len,
            .file = s->p.file.size != 0 ? &s->p.file : NULL,
            .max_body = MAX_ANSWER,
            .timeout_ms = SUBMIT_TIMEOUT_MS,
        },
        &transfer_ops, s, &err);

    mem_wipe_free(authorization, strlen(authorization));
    if (t == NULL) {
        record_unsent(s, err.text);
        return;
    }
    log_info("submit.sent", LOG_S("task", s->p.task), LOG_S("provider", s->p.account->name),
             LOG_S("endpoint", s->p.endpoint), LOG_I("bytes", s->p.body.len + s->p.file.size),
             LOG_I("callback", s->p.called_back));
}

/*
 * Only after this the request may leave. Without an answer in time it never does; should the
 * registration have been written after all, the second message closes it.
 */
static bool on_registered(const struct frame *f, struct asker asker, void *ctx)
{
    struct submit *s = ctx;
    struct msg_recorded msg;

    (void)asker;
    if (f == NULL || message_read(f, &msg) != 0) {
        record_unsent(s, "the task was not recorded in time");
    } else if (msg.code.n != 0) {
        tell_over_limit(s, msg.code.p, msg.error.p);
        end(s);
    } else if (msg.error.n != 0) {
        autofree char *text =
            mem_printf("nothing was sent: the task could not be recorded: %s", msg.error.p);

        log_error("submit.not_registered", LOG_S("task", s->p.task), LOG_S("error", msg.error.p));
        tell_failed(s, SUBMIT_NOT_REGISTERED, text);
        end(s);
    } else {
        send_request(s);
    }
    return false;
}

static bool on_allowed(const struct frame *f, struct asker asker, void *ctx)
{
    struct submit *s = ctx;
    struct msg_result msg;
    json_t *said = NULL;

    (void)asker;
    if (f != NULL && message_read(f, &msg) == 0)
        said = json_loadb(msg.json.p, msg.json.n, 0, NULL);
    if (said != NULL && msg.exit == EXIT_OK) {
        send_request(s);
    } else if (said != NULL && msg.exit == EXIT_REFUSED) {
        tell_over_limit(s, OVER_LIMIT_CODE, document_member(said, "error"));
        end(s);
    } else {
        tell_failed(s, SUBMIT_NOT_REGISTERED, "nothing was sent: the store gives no answer now");
        end(s);
    }
    json_decref(said);
    return false;
}

struct submits *submits_new(void)
{
    struct submits *ss = mem_calloc(1, sizeof(*ss));

    TAILQ_INIT(&ss->list);
    return ss;
}

void submits_free(struct submits *ss)
{
    struct submit *s;

    if (ss == NULL)
        return;
    while ((s = TAILQ_FIRST(&ss->list)) != NULL) {
        TAILQ_REMOVE(&ss->list, s, link);
        s->on_end(NULL, s->ctx);
        submit_free(s);
    }
    free(ss);
}

static void append_query(struct prepared *p, struct slice query)
{
    char *url = p->url;

    if (query.n == 0)
        return;
    p->url = mem_printf("%s?%.*s", url, (int)query.n, query.p);
    free(url);
}

/* Nothing leaves before its answer. */
static int ask_keeper(struct submit *s, struct err *err)
{
    struct msg_register msg;
    int r;

    if (s->p.synchronous) {
        r = ask_to_pay(s, 0, on_allowed);
    } else {
        prepared_register(&s->p, &msg);
        r = question_ask(s->g->questions, MSG_REGISTER, &msg, MSG_RECORDED, nobody, on_registered,
                         s);
    }
    if (r == -EMSGSIZE)
        return err_set(err, -E2BIG, "a text of the request, such as its model, is over 64 KiB");
    return r == 0 ? 0 : err_set(err, -EAGAIN, "nothing was sent: the store cannot be asked now");
}

int submit_begin(struct gateway *g, const struct submit_order *order, submit_on_end *on_end,
                 void *ctx, struct err *err)
{
    struct submit *s = mem_calloc(1, sizeof(*s));
    int r = order->form != NULL
                ? prepare_form(&g->hello, order->args, order->content_type, order->form, &s->p, err)
                : prepare(&g->hello, order->args, order->body, &s->p, err);

    if (r == 0 && order->file != NULL)
        r = prepared_add_file(&s->p, *order->file, err);
    s->g = g;
    s->on_end = on_end;
    s->ctx = ctx;
    s->retry_after_ms = -1;
    if (r == 0) {
        append_query(&s->p, order->query);
        r = ask_keeper(s, err);
    }
    if (r != 0) {
        submit_free(s);
        return r;
    }
    TAILQ_INSERT_TAIL(&g->submits->list, s, link);
    g->submits->n++;
    return 0;
}

size_t submits_open(const struct submits *ss)
{
    return ss->n;
}
