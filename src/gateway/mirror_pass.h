/*
 * Hands a request on as it is, with our key in place of the client's token, and the provider's
 * answer back as it is: status, headers, body. Redirects are not followed but handed back.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_MIRROR_PASS_H
#define GATEWAY_MIRROR_PASS_H

#include "gateway/mirror_call.h"

#define MIRROR_PASS_TIMEOUT_MS 240000

void mirror_pass(struct mirror_call *c);

#endif
