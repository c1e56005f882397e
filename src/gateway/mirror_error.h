/*
 * Errors of the gateway itself, in the shape that providers' errors have (vidu-api.md section 9),
 * so that clients print them: {"code", "reason": "Viduhook...", "message", "metadata"}. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_MIRROR_ERROR_H
#define GATEWAY_MIRROR_ERROR_H

#include "base/buf.h"

void mirror_error_text(int status, const char *reason, const char *message, struct buf *out);
/* What a request that is refused at its head is told, by its status. */
void mirror_error_refusal(int status, struct buf *out);

#endif
