/*
 * Submits of the control socket's clients: the command in, its result out (wire/command.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_SUBMIT_COMMAND_H
#define GATEWAY_SUBMIT_COMMAND_H

#include "gateway/control.h"

#define SUBMIT_AT_ONCE 16 /* each holds a body of up to 20 MiB */

void submit_start(struct gateway *g, const struct command *cmd);

#endif
