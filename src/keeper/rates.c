/* SPDX-License-Identifier: MIT */
#include "keeper/rates.h"

#include "base/clock.h"

#include <string.h>

/* When the last ones began, the newest before `at`; 0: never. */
struct log {
    char *hook;
    size_t at;
    int64_t began_ms[CONF_MAX_RATE];
};

struct rates {
    struct log *logs[CONF_MAX_HOOKS];
    size_t n;
};

static struct log *find(const struct rates *r, const char *hook)
{
    for (size_t i = 0; i < r->n; i++)
        if (str_eq(r->logs[i]->hook, hook))
            return r->logs[i];
    return NULL;
}

static void drop(struct log *log)
{
    free(log->hook);
    free(log);
}

/* In place of the one that was idle longest when reloads have brought many names. */
static struct log *add(struct rates *r, const char *hook)
{
    struct log *log = mem_calloc(1, sizeof(*log));
    size_t place = r->n;

    log->hook = mem_strdup(hook);
    if (r->n < CONF_MAX_HOOKS)
        r->n++;
    else
        for (size_t i = place = 0; i < r->n; i++) {
            const struct log *a = r->logs[i];
            const struct log *b = r->logs[place];

            if (a->began_ms[(a->at + CONF_MAX_RATE - 1) % CONF_MAX_RATE] <
                b->began_ms[(b->at + CONF_MAX_RATE - 1) % CONF_MAX_RATE])
                place = i;
        }
    if (r->logs[place] != NULL)
        drop(r->logs[place]);
    r->logs[place] = log;
    return log;
}

struct rates *rates_new(void)
{
    return mem_calloc(1, sizeof(struct rates));
}

void rates_free(struct rates *r)
{
    for (size_t i = 0; r != NULL && i < r->n; i++)
        drop(r->logs[i]);
    free(r);
}

int64_t rates_wait_ms(const struct rates *r, const struct conf_hook *h)
{
    const struct log *log = h->rate.n != 0 ? find(r, h->name) : NULL;
    int64_t nth, wait;

    if (log == NULL)
        return 0;
    nth = log->began_ms[(log->at + CONF_MAX_RATE - (size_t)h->rate.n) % CONF_MAX_RATE];
    wait = nth + h->rate.per_ms - clock_mono_ms();
    return nth != 0 && wait > 0 ? wait : 0;
}

int64_t rates_next_ms(const struct rates *r, const struct conf *c)
{
    int64_t least = 0;

    for (size_t i = 0; i < c->n_hooks; i++) {
        int64_t wait = rates_wait_ms(r, &c->hooks[i]);

        if (wait > 0 && (least == 0 || wait < least))
            least = wait;
    }
    return least;
}

void rates_spend(struct rates *r, const struct conf_hook *h)
{
    struct log *log;

    if (h->rate.n == 0)
        return;
    log = find(r, h->name);
    if (log == NULL)
        log = add(r, h->name);
    log->began_ms[log->at] = clock_mono_ms();
    log->at = (log->at + 1) % CONF_MAX_RATE;
}
