/*
 * Create requests: the endpoints, their fields, and what is refused about a body.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_REQUEST_H
#define SIM_SIM_REQUEST_H

#include "base/buf.h"
#include "sim/sim_media.h"

#include <jansson.h>

struct sim_endpoint {
    const char *name;
    unsigned bit; /* in the field table; 0: of sim_catalogue.c */
    size_t min_images, max_images;
    /* of sim_catalogue.c; the four of sim_request.c have none of these */
    const char *id_key;           /* of the answer; NULL: task_id */
    const char *answer;           /* all there is, at once; NULL: a task is made */
    bool tree, form;              /* reports as a tree of jobs; is asked with a form */
    bool no_callback, no_payload; /* fields that are refused */
    const char *parent_key;       /* the field that names its parent; NULL: the path does */
    enum sim_media_kind result;   /* what it makes */
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

/* What the list call repeats of a request, a JSON object as text; owned by the caller. */
char *sim_request_asked(const struct sim_endpoint *e, const json_t *body);

#endif
