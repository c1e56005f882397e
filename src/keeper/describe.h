/*
 * What the runner is told of a run: gathered from the store at the time it is handed over.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_DESCRIBE_H
#define KEEPER_DESCRIBE_H

#include "keeper/keeper.h"

/* 0 and *text, owned by the caller; or *why it can never be told (static text): it is more than
 * fits into a message, or made from an entry of the timeline that says nothing any more. -errno of
 * the store. */
MUST_CHECK int describe_run(struct keeper *k, const struct conf_hook *h,
                            const struct store_run *run, char **text, const char **why,
                            struct err *err);

#endif
