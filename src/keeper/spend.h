/*
 * What tasks cost: kept for each day (UTC, of their creation) and provider, and the limit.
 *
 * A task counts with the credits its provider named. Those that failed or were cancelled count
 * nothing: they are refunded (vidu-api.md 9). Neither do those that were taken over. What was
 * answered at once counts for the day it was asked for, and no task with it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_SPEND_H
#define KEEPER_SPEND_H

#include "keeper/query.h"

/* What a task counts with as it is now; to be asked before it changes, for spend_changed. */
int64_t spend_of(const struct store_task *t);
/* Inside a transaction. */
MUST_CHECK int spend_changed(struct keeper *k, const struct store_task *t, int64_t was,
                             struct err *err);
MUST_CHECK int spend_created(struct keeper *k, const struct store_task *t, struct err *err);
/* A look told the end of a task whose callback should have. */
MUST_CHECK int spend_replaced(struct keeper *k, const struct store_task *t, struct err *err);

/* Whether today's tasks have used up limits.credits_per_day: -EDQUOT, and why in err. */
MUST_CHECK int spend_check(struct keeper *k, struct err *err);

/* The gateway's command `pay`, before and after a request that no task is kept of. */
void spend_pay(struct keeper *k, const struct question *q);
/* The command `spend`. */
void spend_answer(struct keeper *k, const struct question *q);
/* {"provider": callbacks that looks had to replace}; owned by the caller. */
json_t *spend_replaced_numbers(struct keeper *k);

#endif
