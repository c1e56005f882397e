/*
 * Claiming: which of the runs that are due may begin, and handing them to the runner.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_CLAIM_H
#define KEEPER_CLAIM_H

#include "keeper/keeper.h"

/* Called by the batch before its commit: claims what is due, within the limits. */
void claim_due(struct keeper *k);
/* In an open batch, whenever a place may have become free. */
void claim_begin_held(struct keeper *k);

#endif
