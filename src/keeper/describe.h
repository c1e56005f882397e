/*
 * What the runner is told of a run: gathered from the store at the time it is handed over.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_DESCRIBE_H
#define KEEPER_DESCRIBE_H

#include "keeper/keeper.h"

/* 0 and *text (owned by the caller), NULL when it is more than fits into a message; -errno of the
 * store, or of an entry of the timeline that cannot be made again. */
MUST_CHECK int describe_run(struct keeper *k, const struct conf_hook *h,
                            const struct store_run *run, char **text, struct err *err);

#endif
