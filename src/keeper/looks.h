/*
 * Looking at a task at its provider: because no callback came, because one could not be trusted
 * alone, or because its links have expired.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_LOOKS_H
#define KEEPER_LOOKS_H

#include "keeper/keeper.h"

struct looks *looks_new(struct keeper *k);
void looks_free(struct looks *l);

/* By the task's own pace: a wall time for store_task.next_look_ms. */
int64_t look_later(const struct keeper *k, const struct store_task *t);
/* Until when its provider wishes to be left alone, as a wall time; 0: it does not. */
int64_t looks_paused(const struct keeper *k, const struct store_task *t);
/* Some task's next look was set to this wall time (0: none). */
void looks_expect(struct keeper *k, int64_t wall_ms);
/* Sends what is due, paced: a gateway is up. */
void looks_wake(struct keeper *k);
void looks_on_polled(struct keeper *k, const struct frame *f);
/* A gateway has ended: what it was asked is asked again. */
void looks_on_gone(struct keeper *k, const struct room *gateway);
/* Once a second: questions that were never answered. */
void looks_tick(struct keeper *k);

/* A run's links have expired (MSG_REFRESH), or the operator asks for fresh ones. */
void looks_on_refresh(struct keeper *k, struct room *runner, const struct frame *f);
void looks_refresh(struct keeper *k, int64_t task, const struct room *room, uint64_t id);

#endif
