/* SPDX-License-Identifier: MIT */
#include "keeper/pace.h"

#include "base/clock.h"
#include "vidu/crypto.h"

#include <string.h>

#define POLL_FIRST_MS          5000 /* 5 s, growing to 30 s; old tasks: a twentieth of their age */
#define POLL_MOST_MS           30000
#define POLL_OLD_MS            600000
#define POLL_AGE_PART          20
#define OVERDUE_MOST_MS        1800000 /* from providers.NAME.overdue */
#define OVERDUE_MS             300000  /* of a provider that is no longer configured */
#define LOST_AFTER_MS          (24 * 3600000LL)
#define LOST_AFTER_OFF_PEAK_MS (49 * 3600000LL) /* the provider itself gives up after 48 h */

bool pace_polls(const struct conf *c, const struct store_task *t)
{
    const struct conf_provider *p = conf_provider_find(c, t->provider);

    return !t->expects_callback || (p != NULL && p->mode != MODE_PUSH);
}

static int64_t grow(int64_t ms, int64_t most, int looks)
{
    for (int i = 0; i < looks && ms < most; i++)
        ms += ms / 3 + 1;
    return ms < most ? ms : most;
}

static int64_t poll_interval(const struct store_task *t)
{
    int64_t old = (clock_wall_ms() - t->created_ms) / POLL_AGE_PART;

    if (old > POLL_OLD_MS)
        old = POLL_OLD_MS;
    return grow(POLL_FIRST_MS, old > POLL_MOST_MS ? old : POLL_MOST_MS, t->looks);
}

static int64_t overdue_interval(const struct conf *c, const struct store_task *t)
{
    const struct conf_provider *p = conf_provider_find(c, t->provider);
    int64_t first = p != NULL ? p->overdue_ms : OVERDUE_MS;

    return grow(first, first > OVERDUE_MOST_MS ? first : OVERDUE_MOST_MS, t->looks);
}

/* A task that may be gone is given the time that lets the next 404 count. */
static int64_t at_least(const struct store_task *t)
{
    return t->misses > 0 ? PACE_MISS_GAP_MS * t->misses * t->misses : 0;
}

int64_t pace_later(const struct conf *c, const struct store_task *t)
{
    int64_t ms = pace_polls(c, t) ? poll_interval(t) : overdue_interval(c, t);
    uint32_t dice;

    if (ms < at_least(t))
        ms = at_least(t);
    crypto_random(&dice, sizeof(dice));
    return clock_wall_ms() + ms + (int64_t)(dice % (uint64_t)(ms / 5 + 1));
}

int64_t pace_lost_after(const struct store_task *t)
{
    return t->off_peak ? LOST_AFTER_OFF_PEAK_MS : LOST_AFTER_MS;
}

bool pace_miss(struct store_task *t)
{
    int64_t now = clock_wall_ms();

    if (t->misses > 0 && now - t->missed_ms < PACE_MISS_GAP_MS)
        return false;
    t->misses++;
    t->missed_ms = now;
    return t->misses >= PACE_MISSES;
}

int pace_allowance(struct pace *p, int per_second)
{
    int64_t now = clock_mono_ms();

    if (now - p->window_ms >= 1000) {
        p->window_ms = now;
        p->in_window = 0;
    }
    return per_second - p->in_window;
}

void pace_spend(struct pace *p)
{
    p->in_window++;
}

int64_t pace_rest_ms(const struct pace *p)
{
    int64_t rest = p->window_ms + 1000 - clock_mono_ms();

    return rest > 0 ? rest + 1 : 1000;
}

/* The place of a provider, or a free one, or that of the pause that ends first. */
static size_t place_of(const struct pace *p, const char *provider)
{
    size_t best = 0;

    for (size_t i = 0; i < p->n_paused; i++) {
        if (str_eq(p->paused[i].provider, provider))
            return i;
        if (p->paused[i].until_ms < p->paused[best].until_ms)
            best = i;
    }
    return p->n_paused < CONF_MAX_PROVIDERS ? p->n_paused : best;
}

void pace_pause(struct pace *p, const char *provider, int64_t until_ms)
{
    size_t i = place_of(p, provider);

    if (i == p->n_paused)
        p->n_paused++;
    mem_copy_text(p->paused[i].provider, sizeof(p->paused[i].provider), provider);
    p->paused[i].until_ms = until_ms;
}

int64_t pace_paused(const struct pace *p, const char *provider)
{
    for (size_t i = 0; i < p->n_paused; i++)
        if (str_eq(p->paused[i].provider, provider))
            return p->paused[i].until_ms > clock_wall_ms() ? p->paused[i].until_ms : 0;
    return 0;
}
