/*
 * The life of one submit. Once it has begun it is carried to its end, whether or not the client
 * still waits.
 *
 *   command -> prepare -> REGISTER -> RECORDED (committed) -> POST, once -> SUBMITTED -> RECORDED
 *           -> RESULT
 *
 * An endpoint that answers with its result (audio-tts) makes no task: REGISTER and SUBMITTED are
 * left out, and the client gets the answer.
 *
 * A request whose answer is lost is never sent again: a second one would be billed twice.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_SUBMIT_H
#define GATEWAY_SUBMIT_H

#include "gateway/control.h"

#define SUBMIT_AT_ONCE    16 /* each holds a body of up to 20 MiB */
#define SUBMIT_TIMEOUT_MS 240000

struct submits *submits_new(void);
void submits_free(struct submits *ss); /* after the client; NULL is fine */
void submit_start(struct gateway *g, const struct command *cmd);
size_t submits_open(const struct submits *ss);

#endif
