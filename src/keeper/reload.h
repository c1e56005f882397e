/*
 * A new configuration while everything goes on: all of it takes effect, or nothing does.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_RELOAD_H
#define KEEPER_RELOAD_H

#include "keeper/keeper.h"

/* findings: one line each of what is wrong or what needs a restart; text with LF ends, "" none. */
typedef void reload_on_done(struct keeper *k, bool ok, const char *error, const char *findings,
                            void *ctx);

/* Loads and checks everything aside, starts new rooms, swaps when all of them are ready. on_done
 * is called once, possibly before this returns. */
void reload_begin(struct keeper *k, reload_on_done *on_done, void *ctx);
/* The first configuration of a daemon that starts; same, without an old one to keep. */
void reload_first(struct keeper *k, reload_on_done *on_done, void *ctx);

#endif
