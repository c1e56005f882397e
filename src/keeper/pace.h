/*
 * When a task is looked at, how many at once, and who is not to be asked now.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_PACE_H
#define KEEPER_PACE_H

#include "conf/conf.h"
#include "store/store.h"

/* Looks that found nothing (404) until a task is taken for gone, and the least time from one that
 * counts to the next. */
#define PACE_MISSES      3
#define PACE_MISS_GAP_MS 60000

struct pace {
    int64_t window_ms; /* monotonic: start of the present second */
    int in_window;
    size_t n_paused;
    struct {
        char provider[65];
        int64_t until_ms; /* wall clock */
    } paused[CONF_MAX_PROVIDERS];
};

/* Whether its news are looked for from the beginning, and not only when a callback is overdue. */
bool pace_polls(const struct conf *c, const struct store_task *t);
/* The wall time of the next look: growing intervals, with jitter. */
int64_t pace_later(const struct conf *c, const struct store_task *t);
/* Nothing is expected any more of a task that is so old. */
int64_t pace_lost_after(const struct store_task *t);
/* One more 404 in a row; true: it is the last one. Anything else the provider says resets. */
bool pace_miss(struct store_task *t);

/* How many looks may begin in this second; pace_spend takes one. */
int pace_allowance(struct pace *p, int per_second);
void pace_spend(struct pace *p);
/* Until the next second begins. */
int64_t pace_rest_ms(const struct pace *p);

/* The provider wishes to be left alone until then (Retry-After). */
void pace_pause(struct pace *p, const char *provider, int64_t until_ms);
/* Until when, as a wall time; 0: it may be asked. */
int64_t pace_paused(const struct pace *p, const char *provider);

#endif
