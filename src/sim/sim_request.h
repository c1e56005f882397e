/*
 * Create requests: the endpoints, their fields, and what is refused about a body.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_REQUEST_H
#define SIM_SIM_REQUEST_H

#include "base/buf.h"

#include <jansson.h>

struct sim_endpoint {
    const char *name;
    unsigned bit; /* in the field table */
    size_t min_images, max_images;
};

const struct sim_endpoint *sim_endpoint_find(struct slice name); /* NULL: none */

/* An error answer in the making; reason and message are static text. */
struct sim_refusal {
    int status;
    const char *reason;
    const char *message;
    const char *field; /* NULL: it is not about one */
};

/* The body as an object, owned by the caller; NULL when it is refused. */
json_t *sim_request_parse(const struct sim_endpoint *e, struct slice body, struct sim_refusal *why);

/* A member's text, {"", 0} when it is absent; borrowed from the body. */
struct slice sim_request_text(const json_t *body, const char *name);
bool sim_request_flag(const json_t *body, const char *name);

/* The members that a create's answer repeats, with defaults for those that were not sent. */
void sim_request_echo(const struct sim_endpoint *e, const json_t *body, int64_t seed,
                      struct buf *out);

#endif
