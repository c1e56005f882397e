/*
 * What keeper/schedule.c and keeper/claim.c share.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_SCHEDULE_INNER_H
#define KEEPER_SCHEDULE_INNER_H

#include "keeper/schedule.h"

struct event;

struct schedule {
    struct keeper *k;
    struct event *due; /* when the next ready run is due */
    bool dirty;        /* something may be claimable */
    struct running_table running;
};

/* Held, and nothing is missing but a place. */
static inline bool schedule_may_begin(const struct running *r)
{
    return r->held && r->counted && !r->settling;
}

void schedule_forget(struct schedule *s, struct running *r);
/* The next turn of the loop opens a batch, and its end claims. */
void schedule_wake(struct keeper *k);
/* The outcome is in the open batch: once, whoever reports it next. */
void schedule_settle(struct keeper *k, struct running *r);

#endif
