/*
 * What a command says, told as it says it: in pieces from its tail, no more often than ten times a
 * second. Who cannot keep up misses what has left the tail, and sees it by the offsets; the command
 * is never held up.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_LIVE_H
#define RUNNER_LIVE_H

#include "runner/tail.h"

struct event_base;

/* Called with a piece of text (tail_range) and the offset of its first byte in all of the output.
 */
typedef void live_on_piece(uint64_t at, struct slice text, void *ctx);

struct live;

/* tail is borrowed, and outlives it. */
struct live *live_new(struct event_base *base, const struct tail *tail, live_on_piece *fn,
                      void *ctx);
void live_free(struct live *l); /* NULL is fine */

/* Somebody listens: from the oldest byte that is kept, of 128 KiB at most; or nobody does any more.
 */
void live_listen(struct live *l, bool on);
/* The tail has grown. */
void live_grown(struct live *l);
/* The output is over: the rest at once, and then an empty piece that says where the end is. */
void live_end(struct live *l);

#endif
