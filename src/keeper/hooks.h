/*
 * What a run of a hook is told.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_HOOKS_H
#define KEEPER_HOOKS_H

#include "conf/conf.h"
#include "store/store.h"

#include <jansson.h>

struct hook_facts {
    const struct store_task *task; /* NULL: the run is of none */
    const char *files;             /* a JSON array */
    json_t *earlier;               /* outcome of the run that it comes after; NULL: of none */
};

/*
 * The text of MSG_RUN (wire/run.h), owned by the caller; NULL: it is too long. more: members that
 * the action has besides, or NULL; borrowed.
 */
char *hook_run_text(const struct conf_hook *h, const struct store_run *run,
                    const struct hook_facts *facts, json_t *more);

#endif
