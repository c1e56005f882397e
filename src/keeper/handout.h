/*
 * What only some kinds of run are told besides their action and context (wire/run.h): a download
 * its quota, an http hook with format raw the bytes that were received, one that was interrupted
 * not to wait for others.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_HANDOUT_H
#define KEEPER_HANDOUT_H

#include "keeper/keeper.h"

#include <jansson.h>

/* Members for the action, owned by the caller; NULL: none. */
json_t *handout_more(struct keeper *k, const struct conf_hook *h, const struct store_run *run);

#endif
