/*
 * What a run of a hook is told.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_HOOKS_H
#define KEEPER_HOOKS_H

#include "conf/conf.h"
#include "store/store.h"

/* The JSON of MSG_RUN (wire/run.h); owned by the caller. files is a JSON array. */
char *hook_run_json(const struct conf_hook *h, const struct store_run *run,
                    const struct store_task *t, const char *files, const char *source);

#endif
