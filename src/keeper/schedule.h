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
 * While a hook has all its runs under way, as many again are claimed ahead and held here, so that
 * the next one begins when one ends, and does not wait for the disk. In the store they are still
 * `ready`, with their attempt counted.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_SCHEDULE_H
#define KEEPER_SCHEDULE_H

#include "keeper/keeper.h"
#include "keeper/running.h"

struct schedule *schedule_new(struct keeper *k);
void schedule_free(struct schedule *s);

/* Inside a transaction: a run that is over, or waits to be made again, once more from attempt 0, at
 * that time. -ENOENT; -EALREADY: it is under way, or waits for another hook. */
MUST_CHECK int schedule_retry(struct keeper *k, int64_t run, int64_t due_ms, struct err *err);
/* Inside a transaction: it will not be made, and neither will those that wait for it; *running: it
 * is under way, and ended after the commit. -ENOENT; -EALREADY: it is over. */
MUST_CHECK int schedule_cancel(struct keeper *k, int64_t run, bool *running, struct err *err);

/* Something may be due: the end of the open batch claims it (keeper/claim.c). */
void schedule_look(struct keeper *k);

void schedule_on_done(struct keeper *k, const struct frame *f);
void schedule_on_progress(struct keeper *k, const struct frame *f);
/* A runner is up: there may be work for it. */
void schedule_on_up(struct keeper *k);
/* A runner has ended: what it had becomes ready again. False when it had nothing. */
bool schedule_on_gone(struct keeper *k, const struct room *room);
/* The daemon stops: what has not begun stays for the next one. */
void schedule_on_stop(struct keeper *k);
/* Once a second: leases, outcomes that could not be written, overdue work. */
void schedule_tick(struct keeper *k);

/* How many runs are under way. */
size_t schedule_running(const struct keeper *k);
/* A run that is under way, or held ready; NULL: it is not. Valid until the next frame. */
const struct running *schedule_find(const struct keeper *k, int64_t run);

#endif
