/*
 * How many wait for live events, and who listens to the output of which run: the gateway says so
 * for its clients, the runner is told, and what it tells is passed on. Nothing of it is kept.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_FOLLOW_H
#define KEEPER_FOLLOW_H

#include "keeper/keeper.h"

struct follows *follows_new(void);
void follows_free(struct follows *f); /* NULL is fine */

/* MSG_SUBSCRIBE: sets k->watchers. */
void follow_on_subscribe(struct keeper *k, struct room *gateway, const struct frame *f);
/* MSG_FOLLOW of a gateway; MSG_OUTPUT of a runner. */
void follow_on_message(struct keeper *k, struct room *gateway, const struct frame *f);
void follow_on_output(struct keeper *k, struct room *runner, const struct frame *f);
/* A run has been handed to this runner. */
void follow_begun(struct keeper *k, int64_t run, struct room *runner);

#endif
