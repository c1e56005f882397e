/*
 * The endpoints besides the four of sim_request.c: what they are told is hardly looked at, but each
 * answers in its documented form (vidu-api.md sections 2, 7 and 13).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_CATALOGUE_H
#define SIM_SIM_CATALOGUE_H

#include "sim/sim_request.h"

/* By the path behind the prefix; *parent is what stands in the place of its id. NULL: none. */
const struct sim_endpoint *sim_catalogue_find(struct slice path, struct slice *parent);
/* The body as an object, owned by the caller; NULL when it is refused. */
json_t *sim_catalogue_parse(const struct sim_endpoint *e, struct slice body,
                            struct sim_refusal *why);
/*
 * A form (multipart/form-data) as an object of its texts; a file is {"bytes": N, "type": TYPE}.
 * content_type is the header's value. NULL when it is refused.
 */
json_t *sim_catalogue_form(struct slice content_type, struct slice body, struct sim_refusal *why);

#endif
