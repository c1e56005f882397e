/*
 * Runs of hooks: which is due, who has it, what became of it.
 *
 *   waiting --parent done--> ready --claim: attempt and lease written--> running --> done
 *                              ^                                            |
 *                              `----- again, after a growing pause ---------+--> dead
 *
 * A run is claimed in the same transaction as whatever else the batch holds, and handed to the
 * runner only after the commit: the attempt is on the disk before its side effect begins. A
 * runner or a daemon that dies leaves runs `running`; they become ready again and keep count.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_SCHEDULE_H
#define KEEPER_SCHEDULE_H

#include "keeper/keeper.h"

struct schedule *schedule_new(struct keeper *k);
void schedule_free(struct schedule *s);

/* Inside a transaction: one run for each hook that this event of the task calls for. -errno of
 * the store; a run that is there already is not an error. */
MUST_CHECK int schedule_add(struct keeper *k, const struct store_task *t, enum conf_event event,
                            struct err *err);
/* Inside a transaction: a run asked for by the operator, with its number. */
MUST_CHECK int schedule_replay(struct keeper *k, const struct store_task *t,
                               const struct conf_hook *h, const char *trigger, int64_t *run,
                               struct err *err);
/* Inside a transaction: a dead, done or cancelled run once more from attempt 0. */
MUST_CHECK int schedule_retry(struct keeper *k, int64_t run, struct err *err);

/* Called by the batch before its commit: claims what is due, within the limits. */
void schedule_claim(struct keeper *k);

void schedule_on_done(struct keeper *k, const struct frame *f);
void schedule_on_progress(struct keeper *k, const struct frame *f);
/* A runner is up: there may be work for it. */
void schedule_on_up(struct keeper *k);
/* A runner has ended: what it had becomes ready again. */
void schedule_on_gone(struct keeper *k, const struct room *room);
/* Once a second: leases, outcomes that could not be written, overdue work. */
void schedule_tick(struct keeper *k);

/* How many runs are under way; the bytes of a download, -1 when the run is not known. */
size_t schedule_running(const struct keeper *k);
bool schedule_progress(const struct keeper *k, int64_t run, uint64_t *done, uint64_t *total);
/* Task of a run under way; 0: none. */
int64_t schedule_task_of(const struct keeper *k, int64_t run);

/* When attempt number n that failed may be made again, counted from now; jitter included. */
int64_t schedule_pause_ms(const struct conf_hook *h, int attempt, int64_t retry_after_ms);

#endif
