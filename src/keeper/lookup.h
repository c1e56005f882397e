/*
 * What the gateway answers clients that poll with: tasks by their ids at the provider
 * (wire/command.h, "lookup").
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_LOOKUP_H
#define KEEPER_LOOKUP_H

#include "keeper/query.h"

#define LOOKUP_MAX_IDS 100

void lookup_tasks(struct keeper *k, const struct question *q);

#endif
