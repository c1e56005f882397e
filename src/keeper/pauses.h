/*
 * Hooks that are paused, by the operator or because their receiver is gone: their runs are recorded
 * and wait. A pause lasts until it is taken back, over restarts and reloads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_PAUSES_H
#define KEEPER_PAUSES_H

#include "keeper/keeper.h"

#include <jansson.h>

struct pauses;

/* What the store knows of them. */
MUST_CHECK int pauses_load(struct store *s, struct pauses **out, struct err *err);
void pauses_free(struct pauses *p); /* NULL is fine */

bool pauses_has(const struct pauses *p, const char *hook);
/* The names, as an array of its own. */
json_t *pauses_list(const struct pauses *p);
/* Why, for those that were switched off: {"hook": "text"}. */
json_t *pauses_reasons(const struct pauses *p);

/*
 * Inside a transaction. It counts from the commit on; what has begun by then goes on. 0 also when
 * it was so already; -ENOSPC when too many are paused.
 */
MUST_CHECK int pauses_set(struct keeper *k, const char *hook, bool paused, struct err *err);
/* The same for a hook that must not go on; why is one line for people. One that is paused already
 * stays as it is. */
MUST_CHECK int pauses_switch_off(struct keeper *k, const char *hook, const char *why,
                                 struct err *err);

#endif
