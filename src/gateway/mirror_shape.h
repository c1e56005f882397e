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
 * A task of which nothing was found yet, for a provider that has names for id and state: queued.
 * Nothing is added when it has no such names, or the task has moved on.
 */
void mirror_shape_early(const struct provider_profile *p, const json_t *task, struct buf *out);
/*
 * The tree of a task at such an endpoint, as the provider has said it last. A tree of jobs of which
 * nothing was said has no jobs yet; when it has moved on since, nothing is added. An advertisement
 * of whose parts nothing was said has those that are its result.
 */
void mirror_shape_tree(const struct endpoint *e, const json_t *task, const json_t *creations,
                       struct buf *out);
/* Whether this provider speaks as Vidu itself does, which alone has the list call. */
bool mirror_shape_is_official(const struct provider_profile *p);
/* One of the tasks[] of the official list call, as above. */
bool mirror_shape_listed(const json_t *task, const json_t *creations, struct buf *out);
/* Whether what would be reported is an end: no later look says anything else. */
bool mirror_shape_is_final(const json_t *task, const json_t *creations);
/* The result of such a task; NULL when there is none. A new reference. */
json_t *mirror_shape_creations(const json_t *task);

#endif
