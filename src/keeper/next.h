/*
 * What happens next in a task, when, and why: the end of its story.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_NEXT_H
#define KEEPER_NEXT_H

#include "keeper/keeper.h"

#include <jansson.h>

/*
 * *out: an array of the caller's own, empty when the task is finished and nothing is left to be
 * done:
 * {"kind", "what", "at", "why"} and for runs {"run", "hook", "attempt"}. what and why are words for
 * people, at is RFC 3339 or "" when the time is not known.
 *
 *   kind      at
 *   callback  ""
 *   look      when the provider is asked, at the earliest
 *   lost      when the task is given up
 *   running   when the attempt is ended
 *   ready     when the attempt begins, at the earliest; "": not before somebody acts
 *   waiting   ""
 *   dead      ""
 *   links     until when the links of a result work that is still to be fetched
 *   more      "": there are more runs than are told
 *
 * -errno: the store could not be read. runs: all of the task, as store_json has them.
 */
MUST_CHECK int next_of_task(struct keeper *k, const struct store_task *t, const json_t *runs,
                            json_t **out);

#endif
