/*
 * A descriptor that travels beside the bytes of a local socket (SCM_RIGHTS): how a client hands
 * over a file that it may read and the daemon may not.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WIRE_PASS_H
#define WIRE_PASS_H

#include "base/err.h"

#include <sys/types.h>

/* As recv with MSG_DONTWAIT; a descriptor that came replaces *passed (-1: none), which is closed.
 * It is close-on-exec, and never more than one at a time. */
ssize_t pass_receive(int fd, void *to, size_t n, int *passed);
/* As send with MSG_DONTWAIT; when at least one byte left, passed (-1: none) is on its way. */
ssize_t pass_send(int fd, const void *from, size_t n, int passed);

#endif
