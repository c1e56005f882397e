/*
 * Who was below a command at some time. A session and an environment can be left behind; having
 * been somebody's child cannot, so this finds those who took off both. Whoever had lost its parent
 * before it was looked for is not in here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_TRAIL_H
#define RUNNER_TRAIL_H

#include <stdint.h>
#include <sys/types.h>

struct trail {
    struct trail_mark {
        pid_t pid;
        uint64_t birth; /* so that a pid in use again is not taken for the one that had it */
    } * marks;
    size_t n, room;
};

void trail_free(struct trail *t);

/* Adds everybody who is below this process now, 4,096 in all at most. */
void trail_follow(struct trail *t, pid_t leader);
/* Adds who has come below those it has, kills all that live, and says how many that were. */
size_t trail_kill(struct trail *t);

#endif
