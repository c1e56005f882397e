/* SPDX-License-Identifier: MIT */
#include "gateway/question.h"

#include "base/clock.h"

#include <sys/queue.h>

struct question {
    TAILQ_ENTRY(question) link;
    uint64_t id;
    int64_t deadline_ms;
    enum message_type answer;
    struct asker asker;
    question_on_answer *fn;
    void *ctx;
};

TAILQ_HEAD(question_list, question);

struct questions {
    struct channel *keeper;
    uint64_t last_id;
    size_t n_open;
    struct question_list open; /* soonest deadline first: they are all equally long */
};

static struct question *find(struct questions *qs, uint64_t id)
{
    struct question *q;

    for (q = TAILQ_FIRST(&qs->open); q != NULL; q = TAILQ_NEXT(q, link))
        if (q->id == id)
            return q;
    return NULL;
}

static void push(struct questions *qs, struct question *q)
{
    q->deadline_ms = clock_mono_ms() + QUESTION_DEADLINE_MS;
    TAILQ_INSERT_TAIL(&qs->open, q, link);
    qs->n_open++;
}

static void take_out(struct questions *qs, struct question *q)
{
    TAILQ_REMOVE(&qs->open, q, link);
    qs->n_open--;
}

struct questions *questions_new(struct channel *keeper)
{
    struct questions *qs = mem_calloc(1, sizeof(*qs));

    qs->keeper = keeper;
    TAILQ_INIT(&qs->open);
    return qs;
}

void questions_free(struct questions *qs)
{
    struct question *q;

    if (qs == NULL)
        return;
    while ((q = TAILQ_FIRST(&qs->open)) != NULL) {
        take_out(qs, q);
        free(q);
    }
    free(qs);
}

int question_ask(struct questions *qs, enum message_type type, const void *msg,
                 enum message_type answer, struct asker asker, question_on_answer *fn, void *ctx)
{
    struct question *q;
    int r = channel_send(qs->keeper, type, qs->last_id + 1, msg);

    if (r != 0)
        return r;
    q = mem_calloc(1, sizeof(*q));
    *q = (struct question){
        .id = ++qs->last_id, .answer = answer, .asker = asker, .fn = fn, .ctx = ctx};
    push(qs, q);
    return 0;
}

void questions_answer(struct questions *qs, const struct frame *f)
{
    struct question *q = find(qs, f->id);

    if (q == NULL || q->answer != f->type)
        return;
    take_out(qs, q);
    if (q->fn(f, q->asker, q->ctx))
        push(qs, q);
    else
        free(q);
}

void questions_expire(struct questions *qs)
{
    int64_t now = clock_mono_ms();
    struct question *q;

    while ((q = TAILQ_FIRST(&qs->open)) != NULL && q->deadline_ms <= now) {
        take_out(qs, q);
        (void)q->fn(NULL, q->asker, q->ctx);
        free(q);
    }
}

void questions_drop(struct questions *qs, uint64_t client)
{
    struct question *q, *next;

    for (q = TAILQ_FIRST(&qs->open); q != NULL; q = next) {
        next = TAILQ_NEXT(q, link);
        if (q->asker.client != client)
            continue;
        take_out(qs, q);
        free(q);
    }
}

size_t questions_open(const struct questions *qs)
{
    return qs->n_open;
}
