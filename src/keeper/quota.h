/*
 * What a download may add to its directory: the quota of wire/run.h.
 *
 * The keeper knows how much is there and what is oldest; the runner, which alone touches files,
 * decides with it and reports what it deleted. Runs at the same time do not know of each other,
 * so there may be more than max_total by what they fetch.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_QUOTA_H
#define KEEPER_QUOTA_H

#include "keeper/keeper.h"

#include <jansson.h>

/* {"quota": {}} for a download with max_total, owned by the caller; NULL: the store cannot say. */
json_t *quota_make(struct keeper *k, const struct conf_hook *h, const struct store_run *run);

#endif
