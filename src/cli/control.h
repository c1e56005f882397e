/*
 * The control socket, from the client's side: questions and answers, and live events.
 *
 * Blocking. One connection asks, another one watches; they are never mixed.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include "base/str.h"

#include <jansson.h>

#define CONTROL_ANSWER_MS 30000 /* how long a plain question may take */

struct control;

/*
 * Connects and reads the greeting. -ENOENT, -ECONNREFUSED, -EACCES, -ETIMEDOUT, -EPROTO, ...; the
 * text names the socket, what is wrong with it, and what to do.
 */
MUST_CHECK int control_open(const char *path, struct control **out, struct err *err);
void control_close(struct control *c); /* NULL is fine */
/* What the daemon said about itself: {"version", "pid", "providers"}. Borrowed. */
const json_t *control_hello(const struct control *c);

struct control_answer {
    int exit; /* enum exit_status */
    json_t *json;
};

/*
 * Asks {"command": command, members of args} and waits for the answer. args may be NULL. The
 * answer's json is an object owned by the caller. -ETIMEDOUT, -EPIPE, -EPROTO.
 */
MUST_CHECK int control_ask(struct control *c, const char *command, const json_t *args,
                           struct slice blob, int64_t timeout_ms, struct control_answer *out,
                           struct err *err);

/* This file goes along with the next question; borrowed until it has been asked. -1: none. */
void control_pass(struct control *c, int fd);

/* Subscribes to the events of one task, or of all with task NULL; run 0, or whose output too. */
MUST_CHECK int control_watch(struct control *c, const char *task, int64_t run, struct err *err);
/* The next event, owned by the caller. timeout_ms -1: for ever. -ETIMEDOUT: none so far. */
MUST_CHECK int control_next_event(struct control *c, int64_t timeout_ms, json_t **event,
                                  struct err *err);

#endif
