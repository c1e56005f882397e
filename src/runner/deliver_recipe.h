/*
 * How the exchange of a delivery goes: which requests follow each other and what their answers
 * must say. One row for each way; nothing is sent here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_DELIVER_RECIPE_H
#define RUNNER_DELIVER_RECIPE_H

#include "runner/deliver_request.h"

struct deliver_exchange {
    const json_t *action;
    const json_t *context; /* deliver_context */
    int64_t now_s;
    size_t step;   /* requests answered so far */
    json_t *found; /* what a recipe remembers between requests; released by the delivery */
};

struct deliver_recipe {
    const char *name;
    /* < 0: it can never be made. */
    int (*prepare)(const struct deliver_exchange *x, struct deliver_request *r, struct err *err);
    /* An answer of 2xx, complete: 0 done, 1 another request follows, -ENOENT never again, other
     * errors count as failed attempts. */
    int (*accept)(struct deliver_exchange *x, struct slice body, struct err *err);
    bool reads; /* accept needs the whole answer */
};

/* NULL when there is none of this name. */
const struct deliver_recipe *deliver_recipe_find(const char *name);

#endif
