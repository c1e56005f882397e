/*
 * A program with its own user, directory, mask and limits.
 *
 * posix_spawn can set none of these, so this is vfork: until the program is there, the child
 * shares our memory, and does nothing but system calls with what was prepared before.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_SPAWN_CHILD_H
#define RUNNER_SPAWN_CHILD_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CHILD_MAX_LIMITS 8
#define CHILD_MAX_GROUPS 64

struct child_limit {
    int resource;        /* RLIMIT_... */
    uint64_t soft, hard; /* never above what is allowed */
};

struct child_plan { /* everything is borrowed until spawn_child returns */
    char **argv, **envp;
    int in, out;     /* its standard input; its output and errors; both above 2 */
    const char *cwd; /* entered as the user it becomes */
    mode_t umask;
    struct child_limit limits[CHILD_MAX_LIMITS];
    size_t n_limits;
    bool switch_user; /* groups, group, user, each for good */
    uid_t uid;
    gid_t gid;
    gid_t groups[CHILD_MAX_GROUPS];
    size_t n_groups;
};

/* Once, before the first spawn_child: ignored is what is not for us, since the keeper says when to
 * end; all others are as they are by default, whatever we began with, and get no handlers. */
void spawn_set_signals(void);

/* In a session of its own, with default signals, none blocked, and no descriptor but 0 to 2.
 * -errno, and what failed on what, when the program was never there. */
MUST_CHECK int spawn_child(const struct child_plan *plan, pid_t *pid, struct err *err);

#endif
