/* SPDX-License-Identifier: MIT */
#include "runner/breaker.h"

#include <string.h>

#define TARGETS_MAX 128 /* more than hooks can name; who finds no place is never kept waiting */

struct target {
    char *name;
    int failures;       /* in a row */
    int64_t pause_ms;   /* the next one */
    int64_t blocked_to; /* nobody goes before; 0: everybody may */
    bool ahead;         /* one is on its way */
};

struct breaker {
    struct target targets[TARGETS_MAX]; /* those whose last answer was a failure */
    size_t n;
};

struct breaker *breaker_new(void)
{
    return mem_calloc(1, sizeof(struct breaker));
}

void breaker_free(struct breaker *b)
{
    if (b == NULL)
        return;
    for (size_t i = 0; i < b->n; i++)
        free(b->targets[i].name);
    free(b);
}

static struct target *find(struct breaker *b, const char *name)
{
    for (size_t i = 0; i < b->n; i++)
        if (str_eq(b->targets[i].name, name))
            return &b->targets[i];
    return NULL;
}

static struct target *add(struct breaker *b, const char *name)
{
    struct target *t = b->n < TARGETS_MAX ? &b->targets[b->n++] : NULL;

    if (t != NULL)
        *t = (struct target){.name = mem_strdup(name), .pause_ms = BREAKER_FIRST_MS};
    return t;
}

static void drop(struct breaker *b, struct target *t)
{
    free(t->name);
    *t = b->targets[--b->n];
}

int64_t breaker_wait_ms(struct breaker *b, const char *target, int64_t now_ms, int64_t limit_ms)
{
    struct target *t = find(b, target);

    if (t == NULL || t->blocked_to == 0)
        return 0;
    if (now_ms < t->blocked_to)
        return t->ahead && t->pause_ms < t->blocked_to - now_ms ? t->pause_ms
                                                                : t->blocked_to - now_ms;
    t->blocked_to = now_ms + limit_ms;
    t->ahead = true;
    return 0;
}

void breaker_report(struct breaker *b, const char *target, bool well, int64_t now_ms)
{
    struct target *t = find(b, target);

    if (well) {
        if (t != NULL)
            drop(b, t);
        return;
    }
    if (t == NULL)
        t = add(b, target);
    if (t == NULL || ++t->failures < BREAKER_FAILURES)
        return;
    if (now_ms < t->blocked_to && !t->ahead)
        return; /* it was sent before the way was closed */
    t->ahead = false;
    t->blocked_to = now_ms + t->pause_ms;
    t->pause_ms = t->pause_ms * 2 < BREAKER_MOST_MS ? t->pause_ms * 2 : BREAKER_MOST_MS;
}
