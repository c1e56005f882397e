/*
 * Which hooks an event calls for, and what a run of one is told.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_HOOKS_H
#define KEEPER_HOOKS_H

#include "conf/conf.h"
#include "store/store.h"

/* Every part of the hook's `match` fits the task. */
bool hook_matches(const struct conf_hook *h, const struct store_task *t);

/* The JSON of MSG_RUN (wire/run.h); owned by the caller. files is a JSON array. */
char *hook_run_json(const struct conf_hook *h, const struct store_run *run,
                    const struct store_task *t, const char *files, const char *source);

#endif
