/* SPDX-License-Identifier: MIT */
#include "sim/sim_callback.h"

#include "base/clock.h"
#include "http/client.h"
#include "sim/sim_sign.h"

#include <errno.h>
#include <event2/event.h>
#include <sys/queue.h>

#define MAX_TRANSFERS 128
#define MAX_ANSWER    ((uint64_t)64 * 1024)
#define TIMEOUT_MS    10000
#define MAX_HEADERS   12

/* What a delivery goes through; the later two use the headers of the first again. */
enum stage { STAGE_FIRST, STAGE_TWICE, STAGE_FORGED, STAGE_COUNT };

static const char *const stage_names[STAGE_COUNT] = {"first", "twice", "forged"};

struct delivery {
    LIST_ENTRY(delivery) entry;
    struct sim_sender *sender;
    struct event *timer;
    char *task, *state, *url, *key;
    int64_t date_ms;
    int attempts, attempt;
    bool twice;
    enum stage stage;
    struct buf body, forged;
    char *headers[MAX_HEADERS]; /* NULL terminated */
    void (*on_done)(void *ctx);
    void *ctx;
};

struct sim_sender {
    struct event_base *base;
    struct client *client;
    struct sim_ledger *ledger;
    int64_t retry_gap_ms;
    LIST_HEAD(, delivery) deliveries;
};

static void drop_headers(struct delivery *d)
{
    for (size_t i = 0; i < MAX_HEADERS; i++) {
        free(d->headers[i]);
        d->headers[i] = NULL;
    }
}

static void delivery_free(struct delivery *d)
{
    LIST_REMOVE(d, entry);
    drop_headers(d);
    buf_free(&d->body);
    buf_free(&d->forged);
    event_free(d->timer);
    free(d->task);
    free(d->state);
    free(d->url);
    free(d->key);
    free(d);
}

/* Names are spelled as Go's net/http sends them. */
static void make_headers(struct delivery *d)
{
    char date[30];
    char nonce[SIM_NONCE_LEN + 1];
    char signature[SIM_SIGNATURE_LEN + 1];
    const struct sim_signed_field list[] = {
        {"Date", date}, {"x-request-nonce", nonce}, {NULL, NULL}};
    char **h = d->headers;

    drop_headers(d);
    clock_format_http(clock_wall_ms() + d->date_ms, date);
    *h++ = mem_strdup("User-Agent: Go-http-client/1.1");
    *h++ = mem_strdup("Content-Type: application/json");
    *h++ = mem_printf("Date: %s", date);
    if (d->key == NULL)
        return;
    sim_sign_nonce(nonce);
    sim_sign(d->key, d->url, date, list, signature);
    *h++ = mem_printf("X-Request-Nonce: %s", nonce);
    *h++ = mem_strdup("X-Hmac-Access-Key: vidu");
    *h++ = mem_strdup("X-Hmac-Algorithm: hmac-sha256");
    *h++ = mem_strdup("X-Hmac-Signed-Headers: Date;x-request-nonce");
    *h++ = mem_printf("X-Hmac-Signature: %s", signature);
}

static void delivery_finish(struct delivery *d)
{
    void (*on_done)(void *ctx) = d->on_done;
    void *ctx = d->ctx;

    delivery_free(d);
    if (on_done != NULL)
        on_done(ctx);
}

static void arm(struct delivery *d, int64_t ms)
{
    struct timeval tv = {ms / 1000, ms % 1000 * 1000};

    event_add(d->timer, &tv);
}

static void go_on(struct delivery *d, bool delivered)
{
    if (d->stage == STAGE_FIRST && !delivered && d->attempt < d->attempts) {
        arm(d, d->sender->retry_gap_ms);
        return;
    }
    if (d->stage == STAGE_FIRST && d->twice)
        d->stage = STAGE_TWICE;
    else if (d->stage != STAGE_FORGED && d->forged.len != 0)
        d->stage = STAGE_FORGED;
    else {
        delivery_finish(d);
        return;
    }
    arm(d, 0);
}

static void note(const struct delivery *d, int status, const char *error, struct slice answer)
{
    sim_ledger_event(d->sender->ledger, "callback", LOG_S("task", d->task),
                     LOG_S("state", d->state), LOG_S("stage", stage_names[d->stage]),
                     LOG_I("attempt", d->attempt), LOG_I("status", status), LOG_S("error", error),
                     LOG_B("answer", answer.p != NULL ? answer.p : "", answer.n),
                     LOG_S("url", d->url));
}

static void on_answer(struct transfer *t, const struct client_answer *a, void *ctx)
{
    struct delivery *d = ctx;

    (void)t;
    note(d, a->status, a->error, a->body);
    go_on(d, a->status >= 200 && a->status < 300);
}

static void on_time(evutil_socket_t fd, short what, void *ctx)
{
    static const struct transfer_ops ops = {.on_done = on_answer};
    struct delivery *d = ctx;
    const struct buf *body = d->stage == STAGE_FORGED ? &d->forged : &d->body;
    struct client_request request = {
        .method = "POST",
        .url = d->url,
        .headers = (const char *const *)d->headers,
        .body = buf_text(body),
        .body_len = body->len,
        .max_body = MAX_ANSWER,
        .timeout_ms = TIMEOUT_MS,
    };
    struct err err;

    (void)fd;
    (void)what;
    if (d->stage == STAGE_FIRST) {
        make_headers(d);
        d->attempt++;
    }
    if (client_start(d->sender->client, &request, &ops, d, &err) == NULL) {
        note(d, 0, err.text, SLICE_LIT(""));
        d->attempt = d->attempts;
        go_on(d, false);
    }
}

int sim_sender_new(struct event_base *base, const struct sim_options *opt,
                   struct sim_ledger *ledger, struct sim_sender **out, struct err *err)
{
    struct client_policy policy = {
        .allow_http = true, .ca_file = opt->ca_file, .max_transfers = MAX_TRANSFERS};
    struct client *client = client_new(base, &policy, err);
    struct sim_sender *s;

    if (client == NULL)
        return err_wrap(err, -EIO, "callback sender");
    s = mem_calloc(1, sizeof(*s));
    s->base = base;
    s->client = client;
    s->ledger = ledger;
    s->retry_gap_ms = opt->retry_gap_ms;
    *out = s;
    return 0;
}

void sim_sender_free(struct sim_sender *s)
{
    if (s == NULL)
        return;
    client_free(s->client); /* first: transfers borrow from deliveries */
    while (!LIST_EMPTY(&s->deliveries))
        delivery_free(LIST_FIRST(&s->deliveries));
    free(s);
}

void sim_sender_send(struct sim_sender *s, struct sim_parcel *parcel, void (*on_done)(void *ctx),
                     void *ctx)
{
    struct delivery *d = mem_calloc(1, sizeof(*d));

    d->sender = s;
    d->task = mem_strdup(parcel->task);
    d->state = mem_strdup(parcel->state);
    d->url = mem_strdup(parcel->url);
    d->key = mem_strdup(parcel->key);
    d->date_ms = parcel->date_ms;
    d->attempts = parcel->attempts;
    d->twice = parcel->twice;
    d->body = parcel->body;
    d->forged = parcel->forged;
    parcel->body = parcel->forged = (struct buf){0};
    d->on_done = on_done;
    d->ctx = ctx;
    d->timer = evtimer_new(s->base, on_time, d);
    LIST_INSERT_HEAD(&s->deliveries, d, entry);
    arm(d, 0);
}
