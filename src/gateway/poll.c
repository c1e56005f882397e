/* SPDX-License-Identifier: MIT */
#include "gateway/poll.h"

#include "base/log.h"
#include "gateway/account.h"
#include "wire/report.h"

#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#define MAX_ANSWER (2U << 20)

struct look {
    TAILQ_ENTRY(look) link;
    struct polls *polls;
    uint64_t id; /* of the keeper's question */
    char *task, *provider, *endpoint, *remote_id;
    struct answer_names names; /* of the provider */
};

TAILQ_HEAD(look_list, look);

struct polls {
    struct gateway *g;
    struct look_list waiting, running;
    size_t n_waiting, n_running;
};

static void look_free(struct look *l)
{
    free(l->task);
    free(l->provider);
    free(l->endpoint);
    free(l->remote_id);
    free(l);
}

static void send_polled(struct look *l, struct msg_polled *msg)
{
    struct gateway *g = l->polls->g;
    int r;

    msg->task = slice_str(l->task);
    r = channel_send(g->keeper, MSG_POLLED, l->id, msg);
    if (r != 0)
        log_error("poll.not_told", LOG_S("task", l->task), LOG_S("error", strerror(-r)));
}

static void fail(struct look *l, int status, int64_t retry_after_ms, const char *why)
{
    struct msg_polled msg = {.http_status = (uint32_t)status,
                             .retry_after_ms = retry_after_ms,
                             .error = slice_str(why),
                             .report.credits = -1};

    l->polls->g->counters.polls_failed++;
    log_warn("poll.failed", LOG_S("task", l->task), LOG_S("provider", l->provider),
             LOG_I("status", status), LOG_S("error", why));
    send_polled(l, &msg);
}

static void tell_report(struct look *l, const struct client_answer *a, const struct callback *cb)
{
    struct msg_polled msg = {
        .http_status = (uint32_t)a->status, .retry_after_ms = a->retry_after_ms, .body = a->body};
    struct buf result = BUF_INIT(FRAME_MAX);

    report_fill(cb, &result, &msg.report);
    l->polls->g->counters.polls_answered++;
    log_info("poll.done", LOG_S("task", l->task), LOG_S("provider", l->provider),
             LOG_I("status", a->status), LOG_S("state", cb->state_word));
    send_polled(l, &msg);
    buf_free(&result);
}

static void judge(struct look *l, const struct client_answer *a)
{
    struct callback cb;
    struct err err = {""};
    char text[64];

    snprintf(text, sizeof(text), "the provider answers HTTP %d", a->status);
    if (a->error != NULL) {
        fail(l, a->status, a->retry_after_ms, a->error);
    } else if (a->status < 200 || a->status > 299) {
        fail(l, a->status, a->retry_after_ms, text);
    } else if (callback_parse_answer(a->body.p, a->body.n, l->remote_id, &l->names, &cb, &err) <
               0) {
        fail(l, a->status, a->retry_after_ms, err.text);
    } else {
        tell_report(l, a, &cb);
        callback_clear(&cb);
    }
}

static void start_waiting(struct polls *ps);

static void on_done(struct transfer *t, const struct client_answer *a, void *ctx)
{
    struct look *l = ctx;
    struct polls *ps = l->polls;

    (void)t;
    judge(l, a);
    TAILQ_REMOVE(&ps->running, l, link);
    ps->n_running--;
    look_free(l);
    start_waiting(ps);
    gateway_check_idle(ps->g);
}

static const struct transfer_ops transfer_ops = {.on_done = on_done};

static bool start(struct look *l, struct err *err)
{
    struct gateway *g = l->polls->g;
    const struct hello_provider *account = account_find(&g->hello, l->provider, err);
    autofree char *url = NULL;
    char *authorization;
    struct transfer *t;

    if (account == NULL)
        return false;
    url = provider_look_url(account_profile(account), account->base_url, l->endpoint, l->remote_id);
    l->names = account_profile(account)->names;
    authorization = account_authorization(account);
    t = client_start(g->client,
                     &(struct client_request){
                         .url = url,
                         .headers = (const char *const[]){authorization, NULL},
                         .max_body = MAX_ANSWER,
                         .timeout_ms = POLL_TIMEOUT_MS,
                     },
                     &transfer_ops, l, err);
    mem_wipe_free(authorization, strlen(authorization));
    return t != NULL;
}

static void start_waiting(struct polls *ps)
{
    struct look *l;

    while (ps->n_running < POLL_AT_ONCE && (l = TAILQ_FIRST(&ps->waiting)) != NULL) {
        struct err err = {""};

        TAILQ_REMOVE(&ps->waiting, l, link);
        ps->n_waiting--;
        if (start(l, &err)) {
            TAILQ_INSERT_TAIL(&ps->running, l, link);
            ps->n_running++;
        } else {
            fail(l, 0, -1, err.text);
            look_free(l);
        }
    }
}

struct polls *polls_new(struct gateway *g)
{
    struct polls *ps = mem_calloc(1, sizeof(*ps));

    ps->g = g;
    TAILQ_INIT(&ps->waiting);
    TAILQ_INIT(&ps->running);
    return ps;
}

static void free_all(struct look_list *list)
{
    struct look *l;

    while ((l = TAILQ_FIRST(list)) != NULL) {
        TAILQ_REMOVE(list, l, link);
        look_free(l);
    }
}

void polls_free(struct polls *ps)
{
    if (ps == NULL)
        return;
    free_all(&ps->waiting);
    free_all(&ps->running);
    free(ps);
}

void polls_ask(struct polls *ps, const struct frame *f)
{
    struct msg_poll msg;
    struct look *l;

    if (message_read(f, &msg) != 0)
        return;
    l = mem_calloc(1, sizeof(*l));
    *l = (struct look){.polls = ps,
                       .id = f->id,
                       .task = mem_strdup(msg.task.p),
                       .provider = mem_strdup(msg.provider.p),
                       .endpoint = mem_strdup(msg.endpoint.p),
                       .remote_id = mem_strdup(msg.remote_id.p)};
    if (l->remote_id[0] == '\0' || ps->n_waiting >= POLL_MAX_WAITING) {
        fail(l, 0, -1,
             l->remote_id[0] == '\0' ? "its id at the provider is not known"
                                     : "too many looks are waiting");
        look_free(l);
        return;
    }
    TAILQ_INSERT_TAIL(&ps->waiting, l, link);
    ps->n_waiting++;
    start_waiting(ps);
}

size_t polls_open(const struct polls *ps)
{
    return ps->n_waiting + ps->n_running;
}
