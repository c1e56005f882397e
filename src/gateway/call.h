/*
 * Calls to a provider that create no task, for a client of the control socket: its credits, and
 * the cancelling of a task (vidu-api.md 8.2, 8.3); what else there is says call_provider.
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

/* What the client is told about the provider's answer, or NULL with err. */
typedef json_t *call_read(const json_t *body, struct err *err);
struct call_plain {
    const char *what; /* for the log; static */
    const char *method;
    char *path; /* below the base URL; taken */
    char *body; /* JSON; taken. NULL: none */
    call_read *read;
};
/* Asks, and answers the client. */
void call_provider(struct gateway *g, const struct command *cmd,
                   const struct hello_provider *account, struct call_plain plain);

void call_credits(struct gateway *g, const struct command *cmd);
/* Asks the keeper which task that is, then its provider; then the keeper looks at it. */
void call_cancel(struct gateway *g, const struct command *cmd);

#endif
