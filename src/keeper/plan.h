/*
 * From a configuration to the rooms it wants, each told only what it may know.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_PLAN_H
#define KEEPER_PLAN_H

#include "conf/conf.h"
#include "keeper/keeper.h"
#include "keeper/sockets.h"

#define PLAN_MAX (64 + 2)

/* Fills plans (PLAN_MAX of them) and returns how many. */
size_t plan_rooms(const struct keeper *k, const struct conf *c, struct room_plan *plans);

#endif
