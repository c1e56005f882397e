/*
 * What becomes of a run when its attempt is over: done, again after a pause, or dead. All of it
 * inside a transaction; -errno of the store.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_OUTCOME_H
#define KEEPER_OUTCOME_H

#include "keeper/keeper.h"

/* As the runner reports it. A run that is no longer there is not an error. */
MUST_CHECK int outcome_record(struct keeper *k, const struct msg_done *msg, struct err *err);
/* So many attempts in a row may end with the runner's life. */
#define OUTCOME_LOSSES_MAX 3
#define OUTCOME_LOST_WHY   "the runner or the daemon died during each of 3 attempts"

/* The runner died, or does not answer: made again, at once or before the last time after a pause.
 * The next claim buries it when that was the last time. */
MUST_CHECK int outcome_lost(struct keeper *k, int64_t run, struct err *err);
/* At start: what was running when the daemon died is made again, as if the runner had. *n: runs. */
MUST_CHECK int outcome_reclaim(struct keeper *k, int *n, struct err *err);
/* The operator's wish: it is cancelled, and so are those that wait for it. What the runner says of
 * an attempt under way is added when it comes. */
MUST_CHECK int outcome_cancel(struct keeper *k, struct store_run *run, struct err *err);
/* The operator's wish: it is made again from the beginning, then; so are those that wait for it. */
MUST_CHECK int outcome_revive(struct keeper *k, struct store_run *run, int64_t due_ms,
                              struct err *err);
/* It can never be made. */
MUST_CHECK int outcome_bury(struct keeper *k, struct store_run *run, const char *why,
                            struct err *err);

/* When attempt number n that failed may be made again, counted from now; jitter included.
 * Who answered may ask for more time, up to an hour. */
int64_t outcome_pause_ms(const struct conf_hook *h, int attempt, int64_t retry_after_ms);

#endif
