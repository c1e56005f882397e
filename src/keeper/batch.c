/* SPDX-License-Identifier: MIT */
#include "keeper/batch.h"

#include "base/log.h"
#include "keeper/claim.h"

#include <errno.h>
#include <event2/event.h>

#define MAX_ANSWERS 1024 /* a batch is committed at this size even when more is waiting */

enum answer_kind { ANSWER_VERDICT, ANSWER_RECORDED, ANSWER_RESULT, ANSWER_EVENT, ANSWER_THEN };

struct answer {
    enum answer_kind kind;
    unsigned room;
    uint64_t id;
    enum verdict verdict;
    int exit_status;
    char task[TASK_ID_SIZE];
    char *json;
    void (*fn)(struct keeper *k, bool ok, void *ctx);
    void *ctx;
};

struct batch {
    struct keeper *k;
    struct event *commit; /* low priority: runs when the channels are quiet */
    bool open;
    bool spoiled;
    struct err why;
    struct answer *answers;
    size_t n, cap;
};

static void send_verdict(struct keeper *k, const struct answer *a, bool ok)
{
    struct room *room = supervise_by_id(k->supervise, a->room);
    struct msg_verdict msg = {.verdict = ok ? a->verdict : VERDICT_BUSY};

    k->verdicts[msg.verdict]++;
    if (room != NULL)
        channel_send(room_channel(room), MSG_VERDICT, a->id, &msg);
}

static void send_recorded(struct keeper *k, const struct answer *a, bool ok, const char *why)
{
    struct room *room = supervise_by_id(k->supervise, a->room);
    struct msg_recorded msg = {.task = slice_str(a->task), .error = slice_str(ok ? "" : why)};

    if (room != NULL)
        channel_send(room_channel(room), MSG_RECORDED, a->id, &msg);
}

static void send_result(struct keeper *k, const struct answer *a, bool ok, const char *why)
{
    struct room *room = supervise_by_id(k->supervise, a->room);
    struct msg_result msg = {.exit = (uint32_t)a->exit_status, .json = slice_str(a->json)};
    int rc = 0;
    struct buf text = BUF_INIT(4096);

    if (!ok) {
        buf_adds(&text, "{\"error\":");
        buf_add_json(&text, why, slice_str(why).n);
        buf_addc(&text, '}');
        msg.exit = 1;
        msg.json = slice_str(buf_text(&text));
    }
    if (room != NULL)
        rc = channel_send(room_channel(room), MSG_RESULT, a->id, &msg);
    if (rc == -EMSGSIZE) {
        msg =
            (struct msg_result){.exit = 1, .json = SLICE_LIT("{\"error\":\"too long an answer\"}")};
        channel_send(room_channel(room), MSG_RESULT, a->id, &msg);
    }
    buf_free(&text);
}

static void send_event(struct keeper *k, const struct answer *a)
{
    struct room *room = supervise_room(k->supervise, ROOM_GATEWAY);
    struct msg_event msg = {.task = slice_str(a->task), .json = slice_str(a->json)};

    if (room != NULL)
        channel_send(room_channel(room), MSG_EVENT, 0, &msg);
}

static void send_answer(struct keeper *k, const struct answer *a, bool ok, const char *why)
{
    switch (a->kind) {
    case ANSWER_VERDICT:
        send_verdict(k, a, ok);
        break;
    case ANSWER_RECORDED:
        send_recorded(k, a, ok, why);
        break;
    case ANSWER_RESULT:
        send_result(k, a, ok, why);
        break;
    case ANSWER_EVENT:
        if (ok)
            send_event(k, a);
        break;
    case ANSWER_THEN:
        a->fn(k, ok, a->ctx);
        break;
    }
}

/* What answering adds (a new transaction, even) goes into the next batch. */
static void answer_all(struct batch *b, bool ok, const char *why)
{
    struct answer *answers = b->answers;
    size_t n = b->n;

    b->answers = NULL;
    b->n = b->cap = 0;
    for (size_t i = 0; i < n; i++) {
        send_answer(b->k, &answers[i], ok, why);
        free(answers[i].json);
    }
    free(answers);
}

/* -EIO is the end: after a failed sync nobody knows what is on the disk. */
static void note_failure(struct batch *b, int rc, const struct err *err)
{
    if (rc == -EIO) {
        log_error("store.failed", LOG_E(err), LOG_S("now", "stopping; start runs recovery"));
        keeper_fail(b->k, 74);
    } else {
        log_error("store.refused", LOG_E(err),
                  LOG_S("now", "answering 503 until the store takes writes again"));
    }
}

static void finish(struct batch *b)
{
    struct err err = {"the store did not take it; nothing was recorded"};
    bool ok;
    int rc = 0;

    if (!b->open && b->n == 0)
        return;
    if (b->open && !b->spoiled)
        claim_due(b->k);
    if (b->spoiled)
        err = b->why;
    if (b->open && !b->spoiled) {
        rc = b->k->store->ops->commit(b->k->store, &err);
        if (rc < 0)
            note_failure(b, rc, &err);
    }
    ok = !b->spoiled && rc == 0;
    if (b->open && !ok)
        b->k->store->ops->rollback(b->k->store);
    b->open = b->spoiled = false;
    answer_all(b, ok, err.text);
}

static void on_commit(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    finish(ctx);
}

static struct answer *add_answer(struct keeper *k, enum answer_kind kind, const struct room *room,
                                 uint64_t id)
{
    struct batch *b = k->batch;
    struct answer *a;

    if (b->n == b->cap) {
        b->cap = b->cap != 0 ? b->cap * 2 : 64;
        b->answers = mem_realloc(b->answers, b->cap, sizeof(*b->answers));
    }
    a = &b->answers[b->n++];
    *a = (struct answer){.kind = kind, .room = room != NULL ? room_id(room) : 0, .id = id};
    event_active(b->commit, EV_TIMEOUT, 0);
    return a;
}

struct batch *batch_new(struct keeper *k)
{
    struct batch *b = mem_calloc(1, sizeof(*b));

    b->k = k;
    b->commit = event_new(k->base, -1, 0, on_commit, b);
    event_priority_set(b->commit, 2);
    return b;
}

void batch_free(struct batch *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < b->n; i++)
        free(b->answers[i].json);
    free(b->answers);
    event_free(b->commit);
    free(b);
}

int batch_begin(struct keeper *k)
{
    struct batch *b = k->batch;
    struct err err = {""};
    int rc;

    if (b->open && b->n >= MAX_ANSWERS)
        finish(b);
    if (b->open)
        return b->spoiled ? -EBUSY : 0;
    rc = k->store->ops->begin(k->store, &err);
    if (rc < 0) {
        note_failure(b, rc, &err);
        return rc;
    }
    b->open = true;
    event_active(b->commit, EV_TIMEOUT, 0);
    return 0;
}

/* An empty text would tell whoever waits for MSG_RECORDED that all is well. */
void batch_spoil(struct keeper *k, int code, const struct err *err)
{
    struct batch *b = k->batch;
    struct err why = *err;

    if (b->spoiled)
        return;
    if (why.text[0] == '\0')
        err_sys(&why, code, "the store could not be read");
    if (b->open) {
        b->spoiled = true;
        b->why = why;
    }
    note_failure(b, code, &why);
}

bool batch_spoiled(const struct keeper *k)
{
    return k->batch->spoiled;
}

void batch_verdict(struct keeper *k, const struct room *room, uint64_t id, enum verdict v)
{
    add_answer(k, ANSWER_VERDICT, room, id)->verdict = v;
}

void batch_recorded(struct keeper *k, const struct room *room, uint64_t id, const char *task)
{
    struct answer *a = add_answer(k, ANSWER_RECORDED, room, id);

    mem_copy_text(a->task, sizeof(a->task), task);
}

void batch_result(struct keeper *k, const struct room *room, uint64_t id, int exit_status,
                  char *json)
{
    struct answer *a = add_answer(k, ANSWER_RESULT, room, id);

    a->exit_status = json != NULL ? exit_status : 1;
    a->json = json != NULL ? json : mem_strdup("{\"error\":\"the answer is not UTF-8\"}");
}

void batch_event(struct keeper *k, const char *task, char *json)
{
    struct answer *a;

    if (k->watchers == 0) {
        free(json);
        return;
    }
    a = add_answer(k, ANSWER_EVENT, NULL, 0);
    mem_copy_text(a->task, sizeof(a->task), task);
    a->json = json;
}

void batch_then(struct keeper *k, void (*fn)(struct keeper *k, bool ok, void *ctx), void *ctx)
{
    struct answer *a = add_answer(k, ANSWER_THEN, NULL, 0);

    a->fn = fn;
    a->ctx = ctx;
}

void batch_flush(struct keeper *k)
{
    finish(k->batch);
}
