/*
 * The list call, GET /ent/v2/tasks (vidu-api.md 8.1): the tasks of a key, newest first, in pages.
 * It knows every documented filter but created_at.from and created_at.to.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_LIST_H
#define SIM_SIM_LIST_H

#include "sim/sim_task.h"

struct sim_list_ask {
    const struct sim_tasks *tasks;
    const struct sim_media *media;
    const struct sim_shape *shape;
    const char *key;
    struct slice query; /* as it came */
};

/* False with why when the query is refused; then out is as it was. */
bool sim_list(const struct sim_list_ask *ask, struct buf *out, struct sim_refusal *why);

#endif
