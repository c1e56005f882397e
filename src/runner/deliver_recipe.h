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
    const json_t *context; /* deliver_context: as the server sees it */
    const json_t *local;   /* the run's own: files as this machine sees them */
    int64_t now_s;
    size_t step;   /* requests answered so far */
    json_t *found; /* what a recipe remembers between requests; released by the delivery */
    int phase;     /* the same; 0 at first */
    size_t file, up;
};

struct deliver_answer {
    int status;
    const char *length; /* of Content-Length, or NULL */
    struct slice body;  /* at most 64 KiB of it */
};

struct deliver_recipe {
    const char *name;
    /* < 0: it can never be made. */
    int (*prepare)(const struct deliver_exchange *x, struct deliver_request *r, struct err *err);
    /* An answer of 2xx, or of a status that is expected: 0 done, 1 another request follows, -ENOENT
     * never again, other errors count as failed attempts. */
    int (*accept)(struct deliver_exchange *x, const struct deliver_answer *a, struct err *err);
    bool reads; /* accept needs the whole answer */
    /* Which answers besides 2xx are none of a failure; NULL: none. */
    bool (*expects)(const struct deliver_exchange *x, int status);
};

/* NULL when there is none of this name. */
const struct deliver_recipe *deliver_recipe_find(const char *name);

#endif
