/*
 * One child process of the daemon: the same executable, another room.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_SPAWN_H
#define KEEPER_SPAWN_H

#include "base/err.h"

#include <sys/types.h>

/*
 * title becomes argv[0] ("viduhookd: receiver 1"), room the internal argument. The child gets
 * channel_fd and fds as descriptors 3, 4, ... and nothing else but the standard three; a process
 * group of its own, so that Ctrl-C reaches only the parent; a short list of environment
 * variables, so that a secret given by `env:` stays here. Outputs: the process and a pidfd.
 */
MUST_CHECK int spawn_room(const char *title, const char *room, int channel_fd, const int *fds,
                          size_t n_fds, pid_t *pid, int *pidfd, struct err *err);
/* A connected pair; both ends close-on-exec, far above the numbers that children use. */
MUST_CHECK int spawn_pair(int out[2], struct err *err);
/* A duplicate of fd far above those numbers, close-on-exec; -errno on failure. */
int spawn_lift(int fd);

#endif
