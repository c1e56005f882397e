/*
 * The life of a task (design.md section 4; words of providers: vidu-api.md section 6).
 *
 *   registered -> submitted -> queued -> processing -> success | failed | cancelled
 *        |-> rejected   the provider refused the request
 *        |-> ambiguous  the answer was lost; a callback or a look may still move it on
 *   any unfinished -> lost   given up by the reconciler; a late answer may still move it on
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_STATE_H
#define VIDU_STATE_H

#include "base/str.h"

enum task_state { /* the numbers are stored: append only */
                  STATE_REGISTERED = 0,
                  STATE_SUBMITTED = 1,
                  STATE_QUEUED = 2,
                  STATE_PROCESSING = 3,
                  STATE_SUCCESS = 4,
                  STATE_FAILED = 5,
                  STATE_CANCELLED = 6,
                  STATE_REJECTED = 7,
                  STATE_AMBIGUOUS = 8,
                  STATE_LOST = 9,
                  STATE_COUNT
};

enum state_step {
    STEP_ADVANCE,  /* record and act */
    STEP_REPEAT,   /* same state again, or an older one after a newer: record, do nothing */
    STEP_CONFLICT, /* another terminal state than the first: keep raw, look it up */
};

const char *state_name(enum task_state s);
/* Our own names, as state_name writes them; false when it is none. */
bool state_from_name(const char *name, enum task_state *out);
/* success, failed, cancelled, rejected: nothing more is expected. */
bool state_is_final(enum task_state s);
/*
 * A provider's word, any case, to one of queued, processing, success, failed, cancelled.
 * Unknown words are "still running": processing, and *known is false.
 */
enum task_state state_from_word(struct slice word, bool *known);
/* The transition table. */
enum state_step state_step(enum task_state from, enum task_state to);

#endif
