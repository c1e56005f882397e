/*
 * Orphans: what commands leave behind. The runner is a subreaper, so the kernel makes them its
 * children when their own parent goes, even if they made themselves a session of their own.
 *
 * Nobody here waits for "any child": the leaders of running commands are owned by exec.c, every
 * other child is looked at by its pid, at most once a second and only while there are some.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_REAP_H
#define RUNNER_REAP_H

#include "base/mem.h"

#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct reap;

struct reap *reap_new(struct event_base *base);
void reap_free(struct reap *r);

/* This child is somebody's: it is left alone until it is disowned. */
void reap_own(struct reap *r, pid_t pid);
void reap_disown(struct reap *r, pid_t pid);
/* A command has ended: look for what it left, within a second. */
void reap_soon(struct reap *r);
/* Kills whatever below us carries this VIDUHOOK_RUN_ID, and says how many that were. Whoever has
 * just lost its parent may be missed: 0 twice in a row means that there is nobody. */
size_t reap_kill_run(struct reap *r, uint64_t run);
/* The end of the room: kills every child and waits for them, up to a second. */
void reap_kill_all(struct reap *r);

#endif
