/*
 * A task of the store as its provider would report it (vidu-api.md sections 7, 8.1 and 13), in the
 * strict form that clients rely on: ids are strings, creations are an array of complete members,
 * success stands only beside a URL, and on official paths only the five official words occur. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_MIRROR_SHAPE_H
#define GATEWAY_MIRROR_SHAPE_H

#include "base/buf.h"
#include "vidu/provider.h"

#include <jansson.h>

/* Whether tasks of this provider can be reported from what is known of them. Of others it takes
 * what the last look has found, word for word. */
bool mirror_shape_is_known(const struct provider_profile *p);
/*
 * task: one of the answer to "lookup" (wire/command.h); creations: its result, parsed, or NULL.
 * False, and nothing added: the provider knows better (a task that was given up as lost, or of an
 * unknown shape and not looked at).
 */
bool mirror_shape_report(const struct provider_profile *p, const json_t *task,
                         const json_t *creations, struct buf *out);
/*
 * A tree of jobs, as the provider has said it last; one of which nothing was said has no jobs yet.
 * Nothing is added when it has moved on since.
 */
void mirror_shape_tree(const json_t *task, struct buf *out);
/* One of the tasks[] of the official list call, as above. */
bool mirror_shape_listed(const json_t *task, const json_t *creations, struct buf *out);
/* Whether what would be reported is an end: no later look says anything else. */
bool mirror_shape_is_final(const json_t *task, const json_t *creations);
/* The result of such a task; NULL when there is none. A new reference. */
json_t *mirror_shape_creations(const json_t *task);

#endif
