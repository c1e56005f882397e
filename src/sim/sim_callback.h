/*
 * The sender of callbacks: signs, posts, tries again.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_CALLBACK_H
#define SIM_SIM_CALLBACK_H

#include "base/buf.h"
#include "sim/sim_ledger.h"
#include "sim/sim_options.h"

struct event_base;
struct sim_sender;

struct sim_parcel { /* copied while sim_sender_send runs, but for the bodies */
    const char *task, *state;
    const char *url;
    const char *key;   /* NULL: without signature headers */
    int64_t date_ms;   /* added to the clock for Date */
    int attempts;      /* until a 2xx */
    struct buf body;   /* moved out */
    struct buf forged; /* moved out; not empty: sent once more under the first one's headers */
    bool twice;        /* the same bytes once more */
};

/* ledger, base and opt must outlive it. Freeing drops what is not sent, without callbacks. */
MUST_CHECK int sim_sender_new(struct event_base *base, const struct sim_options *opt,
                              struct sim_ledger *ledger, struct sim_sender **out, struct err *err);
void sim_sender_free(struct sim_sender *s);

/* on_done (may be NULL) runs from the loop when all of it was sent or given up. */
void sim_sender_send(struct sim_sender *s, struct sim_parcel *parcel, void (*on_done)(void *ctx),
                     void *ctx);

#endif
