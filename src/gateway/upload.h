/*
 * Images that are too large for a request go to the provider beforehand (vidu-api.md 8.5): it names
 * an address, the client puts the bytes there by itself, without any key, and the provider gives
 * them a name that requests use.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_UPLOAD_H
#define GATEWAY_UPLOAD_H

#include "gateway/control.h"

void upload_begin(struct gateway *g, const struct command *cmd);
void upload_finish(struct gateway *g, const struct command *cmd);

#endif
