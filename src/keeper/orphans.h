/*
 * What a runner that was killed leaves behind. The keeper is a subreaper, so the kernel gives it
 * the commands of a dead runner, with their sessions and whatever they started; they are ended
 * before their runs are made again.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_ORPHANS_H
#define KEEPER_ORPHANS_H

#include "base/mem.h"

#include <stdbool.h>
#include <sys/types.h>

struct event_base;
struct orphans;

struct orphans_ops {
    /* This child is a room. */
    bool (*is_owned)(pid_t pid, void *ctx);
    /* There is none any more, or what is left does not die. */
    void (*on_over)(void *ctx);
};

/* Makes this process a subreaper; children it has already are left alone for ever. */
struct orphans *orphans_new(struct event_base *base, const struct orphans_ops *ops, void *ctx);
void orphans_free(struct orphans *o);

/* Kills every child that is not owned, and all below it, until none is left; on_over follows,
 * maybe before this returns. */
void orphans_end(struct orphans *o);
/* Whether that is under way. */
bool orphans_ending(const struct orphans *o);
/* The end of the daemon: the same, waiting up to a second, without on_over. */
void orphans_end_now(struct orphans *o);

#endif
