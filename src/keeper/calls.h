/*
 * Which hooks an event of a task calls, and the runs that come of it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_CALLS_H
#define KEEPER_CALLS_H

#include "keeper/keeper.h"

#include <jansson.h>

/* `on` and `match` fit; a hook that waits for another one is called only when that one is. */
bool calls_wants(const struct conf *conf, const struct conf_hook *h, const struct store_task *t,
                 enum conf_event event);
/* Inside a transaction: one run for each hook that this event of the task calls for. -errno of
 * the store; a run that is there already is not an error. */
MUST_CHECK int calls_add(struct keeper *k, const struct store_task *t, enum conf_event event,
                         struct err *err);
/* The same for what may happen more than once, which makes a run each time. details is taken over:
 * an object of plain values. */
MUST_CHECK int calls_happen(struct keeper *k, const struct store_task *t, enum conf_event event,
                            json_t *details, struct err *err);
/* What `match` sees of an event of no task; provider "" when it is of none. */
struct store_task calls_no_task(const char *provider);
/* The same for such an event. */
MUST_CHECK int calls_operator(struct keeper *k, const char *provider, enum conf_event event,
                              json_t *details, struct err *err);
/* The same for a run that is given up; what was called because of such a one calls nobody, and
 * no hook is called for its own. */
MUST_CHECK int calls_dead(struct keeper *k, const struct store_run *run, struct err *err);
/* How the operator wants a run. */
struct calls_wish {
    const char *trigger;
    int64_t event;       /* entry of the timeline that it is made from; 0: the task as it is */
    bool chained;        /* it waits for the run of the hook that it comes after */
    bool once;           /* of trying: see struct store_run */
    const char *details; /* of the event, JSON; NULL: it has none */
};

/* Inside a transaction: a run asked for by the operator, with its number. */
MUST_CHECK int calls_replay(struct keeper *k, const struct store_task *t, const struct conf_hook *h,
                            const struct calls_wish *wish, int64_t *run, struct err *err);

#endif
