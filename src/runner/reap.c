/* SPDX-License-Identifier: MIT */
#include "runner/reap.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/proc.h"

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SWEEP_MS        1000
#define ENVIRONMENT_MAX (4U << 20)
#define LAST_ROUNDS     100
#define LAST_ROUND_NS   10000000

struct reap {
    struct event *timer;
    pid_t *owned;
    size_t n_owned, room;
};

static bool is_owned(const struct reap *r, pid_t pid)
{
    for (size_t i = 0; i < r->n_owned; i++)
        if (r->owned[i] == pid)
            return true;
    return false;
}

/* Reaps the orphans that have ended; true when some live on. */
static bool collect(struct reap *r)
{
    autopids struct pids children = {0};
    bool alive = false;

    proc_children(getpid(), &children);
    for (size_t i = 0; i < children.n; i++) {
        siginfo_t info = {.si_pid = 0};

        if (is_owned(r, children.list[i]))
            continue;
        alive = (waitid(P_PID, (id_t)children.list[i], &info, WEXITED | WNOHANG) == 0 &&
                 info.si_pid == 0) ||
                alive;
    }
    return alive;
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct reap *r = arg;

    (void)fd;
    (void)what;
    if (collect(r))
        reap_soon(r);
}

static bool has_variable(pid_t pid, const char *wanted)
{
    char path[64];
    autofree char *text = NULL;
    autoclose int fd = -1;
    size_t n;

    snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fs_read_fd(fd, ENVIRONMENT_MAX, &text, &n) < 0)
        return false;
    for (const char *at = text; at < text + n; at += strlen(at) + 1)
        if (strcmp(at, wanted) == 0)
            return true;
    return false;
}

struct reap *reap_new(struct event_base *base)
{
    struct reap *r = mem_calloc(1, sizeof(*r));

    r->timer = evtimer_new(base, on_sweep, r);
    if (r->timer == NULL)
        abort();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return r;
}

void reap_free(struct reap *r)
{
    if (r == NULL)
        return;
    event_free(r->timer);
    free(r->owned);
    free(r);
}

void reap_own(struct reap *r, pid_t pid)
{
    if (r->n_owned == r->room) {
        r->room = r->room * 2 + 8;
        r->owned = mem_realloc(r->owned, r->room, sizeof(*r->owned));
    }
    r->owned[r->n_owned++] = pid;
}

void reap_disown(struct reap *r, pid_t pid)
{
    for (size_t i = 0; i < r->n_owned; i++)
        if (r->owned[i] == pid) {
            r->owned[i] = r->owned[--r->n_owned];
            return;
        }
}

void reap_soon(struct reap *r)
{
    static const struct timeval soon = {.tv_sec = SWEEP_MS / 1000};

    if (!evtimer_pending(r->timer, NULL))
        evtimer_add(r->timer, &soon);
}

size_t reap_kill_run(struct reap *r, uint64_t run)
{
    autofree char *wanted = mem_printf("VIDUHOOK_RUN_ID=%llu", (unsigned long long)run);
    autopids struct pids all = {0};
    size_t killed = 0;

    collect(r);
    proc_descendants(getpid(), &all);
    for (size_t i = 0; i < all.n; i++)
        if (has_variable(all.list[i], wanted))
            killed += kill(all.list[i], SIGKILL) == 0;
    return killed;
}

void reap_kill_all(struct reap *r)
{
    static const struct timespec pause = {.tv_nsec = LAST_ROUND_NS};

    r->n_owned = 0;
    for (int round = 0; round < LAST_ROUNDS; round++) {
        autopids struct pids children = {0};

        proc_children(getpid(), &children);
        if (children.n == 0)
            break;
        for (size_t i = 0; i < children.n; i++)
            kill(children.list[i], SIGKILL);
        if (collect(r))
            nanosleep(&pause, NULL);
    }
}
