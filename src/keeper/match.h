/*
 * Whether a task is one that a hook is for.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_MATCH_H
#define KEEPER_MATCH_H

#include "conf/conf.h"
#include "store/store.h"

/* Every part of it fits the task. The duration is the one of the request, in seconds; a duration or
 * a price that is not known fits no range. */
bool match_fits(const struct conf_match *m, const struct store_task *t);
/* It looks at what task_by_key leaves out. */
bool match_needs_request(const struct conf_match *m);

#endif
