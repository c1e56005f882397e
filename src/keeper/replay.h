/*
 * An event of a task once more: its hooks are called again, or a callback that was recorded is
 * judged again (wire/command.h: replay, received).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_REPLAY_H
#define KEEPER_REPLAY_H

#include "keeper/query.h"

void replay_question(struct keeper *k, const struct question *q);
/* The body of the callback that would be replayed, for an editor. */
void replay_received(struct keeper *k, const struct question *q);

#endif
