/*
 * Looks at tasks at their provider, as the keeper asks for them: POLL in, POLLED out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_POLL_H
#define GATEWAY_POLL_H

#include "gateway/room.h"

#define POLL_AT_ONCE     8
#define POLL_MAX_WAITING 1024
#define POLL_TIMEOUT_MS  20000

struct polls *polls_new(struct gateway *g);
void polls_free(struct polls *ps); /* after the client; NULL is fine */
/* The answer carries the id of this frame. */
void polls_ask(struct polls *ps, const struct frame *f);
size_t polls_open(const struct polls *ps);

#endif
