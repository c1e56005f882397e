/*
 * A create call: registered, given our callback_url, sent once (gateway/submit.h). The provider's
 * answer comes back as it is, and X-Viduhook-Task names the task here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_MIRROR_CREATE_H
#define GATEWAY_MIRROR_CREATE_H

#include "gateway/mirror_call.h"

void mirror_create(struct mirror_call *c);

#endif
