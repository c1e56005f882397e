/*
 * What the operator does with single runs: makes them again, or ends them (wire/command.h: retry,
 * cancel-run).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_REDO_H
#define KEEPER_REDO_H

#include "keeper/query.h"

void redo_retry(struct keeper *k, const struct question *q);
void redo_cancel(struct keeper *k, const struct question *q);

#endif
