/*
 * What a run is made from when it is not the task as it stands: the body of an entry in the
 * timeline, a callback as it was received, or one that the operator has edited.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_GIVEN_H
#define KEEPER_GIVEN_H

#include "keeper/keeper.h"
#include "vidu/callback.h"
#include "wire/report.h"

struct given {
    int64_t event; /* the entry's row */
    int64_t at_ms;
    enum store_source source;
    bool proven; /* by a signature, when it came, or because we asked the provider ourselves */
    struct callback callback;
    struct buf result;        /* of the report */
    struct msg_report report; /* points into the two before */
};

/* Start with this; what it points to is released by given_clear, also after a failure. */
#define GIVEN_INIT ((struct given){.callback = {.credits = -1}, .result = BUF_INIT(FRAME_MAX)})
void given_clear(struct given *g);

/* Takes a body apart as a callback, or as an answer to a look; -EINVAL, -E2BIG: not understood. */
MUST_CHECK int given_parse(const struct keeper *k, const struct store_task *t,
                           enum store_source source, struct slice body, struct given *out,
                           struct err *err);
/* The same for an entry of the task's timeline; -ENOENT: there is none. */
MUST_CHECK int given_read(const struct keeper *k, const struct store_task *t, int64_t event,
                          struct given *out, struct err *err);
/* What a report says of the task, beside its state; borrowed. What nothing was said of stays. */
void given_report(const struct msg_report *report, struct store_task *t);
/* The task says what was given; borrowed from g. */
void given_apply(const struct given *g, struct store_task *t);

#endif
