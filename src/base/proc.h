/*
 * Processes below one, as /proc names them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_PROC_H
#define BASE_PROC_H

#include "base/mem.h"

#include <stdint.h>
#include <sys/types.h>

struct pids {
    pid_t *list;
    size_t n, room;
};

void pids_free(struct pids *p);
#define autopids __attribute__((cleanup(pids_free)))

/* Appends; a process that has gone has no children. */
void proc_children(pid_t parent, struct pids *out);
/* Appends everybody below parent; who is born or loses its parent meanwhile may be missed. */
void proc_descendants(pid_t parent, struct pids *out);
/* When it was born, in the kernel's ticks: with it a pid names one process for good. 0: it has
 * gone, or has ended and waits for its parent to hear of it. */
uint64_t proc_birth(pid_t pid);

#endif
