/* SPDX-License-Identifier: MIT */
#include "runner/trail.h"

#include "base/fs.h"
#include "base/proc.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/pidfd.h>

#define MARKS_MAX 4096

void trail_free(struct trail *t)
{
    free(t->marks);
    *t = (struct trail){0};
}

static bool has(const struct trail *t, pid_t pid, uint64_t birth)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->marks[i].pid == pid && t->marks[i].birth == birth)
            return true;
    return false;
}

static void add(struct trail *t, pid_t pid)
{
    uint64_t birth = proc_birth(pid);

    if (birth == 0 || t->n == MARKS_MAX || has(t, pid, birth))
        return;
    if (t->n == t->room) {
        t->room = t->room * 2 + 8;
        t->marks = mem_realloc(t->marks, t->room, sizeof(*t->marks));
    }
    t->marks[t->n++] = (struct trail_mark){pid, birth};
}

void trail_follow(struct trail *t, pid_t leader)
{
    autopids struct pids below = {0};

    proc_descendants(leader, &below);
    for (size_t i = 0; i < below.n; i++)
        add(t, below.list[i]);
}

/* The descriptor is taken before the look at the birth: from then on it cannot mean another. */
static bool kill_one(const struct trail_mark *m)
{
    autoclose int fd = pidfd_open(m->pid, 0);

    return fd >= 0 && proc_birth(m->pid) == m->birth &&
           pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0;
}

size_t trail_kill(struct trail *t)
{
    size_t killed = 0;

    for (size_t i = 0; i < t->n; i++)
        if (proc_birth(t->marks[i].pid) == t->marks[i].birth)
            trail_follow(t, t->marks[i].pid);
    for (size_t i = 0; i < t->n; i++)
        killed += kill_one(&t->marks[i]);
    return killed;
}
