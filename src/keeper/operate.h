/*
 * Commands that change something, or tell how the daemon itself is (wire/command.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_OPERATE_H
#define KEEPER_OPERATE_H

#include "keeper/query.h"

void operate_pause(struct keeper *k, const struct question *q);
/* The provider has agreed to cancel it: told in its story, and looked at. */
void operate_cancelled(struct keeper *k, const struct question *q);
void operate_refresh(struct keeper *k, const struct question *q);
void operate_reload(struct keeper *k, const struct question *q);
void operate_status(struct keeper *k, const struct question *q);
void operate_config(struct keeper *k, const struct question *q);

#endif
