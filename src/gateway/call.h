/*
 * Calls to a provider that create nothing, for a client of the control socket: its credits, and
 * the cancelling of a task (vidu-api.md 8.2, 8.3).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_CALL_H
#define GATEWAY_CALL_H

#include "gateway/control.h"

#define CALLS_AT_ONCE   8
#define CALL_TIMEOUT_MS 20000

struct calls *calls_new(void);
void calls_free(struct calls *cs); /* after the client; NULL is fine */
size_t calls_open(const struct calls *cs);

void call_credits(struct gateway *g, const struct command *cmd);
/* Asks the keeper which task that is, then its provider; then the keeper looks at it. */
void call_cancel(struct gateway *g, const struct command *cmd);

#endif
