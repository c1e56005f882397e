/*
 * Hooks tried out with a sample: a task that never was at a provider, with data in the form real
 * ones have (wire/command.h: trigger). Such a run is made once; failing, it is no dead letter.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_TRIGGER_H
#define KEEPER_TRIGGER_H

#include "keeper/query.h"

void trigger_question(struct keeper *k, const struct question *q);

#endif
