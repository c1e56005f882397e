/*
 * Submissions: a task is on the disk before its request leaves, and so is what came back.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_RECORD_H
#define KEEPER_RECORD_H

#include "keeper/keeper.h"

void record_on_register(struct keeper *k, struct room *gateway, const struct frame *f);
void record_on_submitted(struct keeper *k, struct room *gateway, const struct frame *f);
/* Inside a transaction: whoever was to record what the provider answered is gone. */
MUST_CHECK int record_unanswered(struct keeper *k, struct store_task *t, struct err *err);

#endif
