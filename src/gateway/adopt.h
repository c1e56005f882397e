/*
 * Taking over a task that was created elsewhere: it is written down, and the keeper looks at it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_ADOPT_H
#define GATEWAY_ADOPT_H

#include "gateway/control.h"

void adopt_start(struct gateway *g, const struct command *cmd);

#endif
