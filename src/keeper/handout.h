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

/* Adds it to the JSON of a run. json is taken, the result owned. */
char *handout_add(struct keeper *k, const struct conf_hook *h, const struct store_run *run,
                  char *json);

#endif
