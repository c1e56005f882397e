/* SPDX-License-Identifier: MIT */
#include "runner/reap.h"

#include "base/buf.h"
#include "base/fs.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SWEEP_MS        1000
#define CHILDREN_MAX    (1U << 20) /* bytes of the list */
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

/* Calls fn for every child of ours, and adds up what it returns. */
static size_t each_child(struct reap *r, size_t (*fn)(struct reap *r, pid_t pid, void *ctx),
                         void *ctx)
{
    char path[64];
    autofree char *text = NULL;
    autoclose int fd = -1;
    size_t n, sum = 0;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fs_read_fd(fd, CHILDREN_MAX, &text, &n) < 0)
        return 0;
    for (const char *at = text; at < text + n; at += strcspn(at, " ") + 1) {
        uint64_t pid;

        if (str_to_u64(at, strcspn(at, " "), INT32_MAX, &pid) == 0 && pid > 1)
            sum += fn(r, (pid_t)pid, ctx);
    }
    return sum;
}

/* 1 when an orphan lives on. */
static size_t collect(struct reap *r, pid_t pid, void *ctx)
{
    siginfo_t info = {.si_pid = 0};

    (void)ctx;
    if (is_owned(r, pid))
        return 0;
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG) == 0 && info.si_pid == 0;
}

static void on_sweep(evutil_socket_t fd, short what, void *arg)
{
    struct reap *r = arg;

    (void)fd;
    (void)what;
    if (each_child(r, collect, NULL) > 0)
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

static size_t kill_when_of_run(struct reap *r, pid_t pid, void *wanted)
{
    if (collect(r, pid, NULL) == 0 || !has_variable(pid, wanted))
        return 0;
    kill(pid, SIGKILL);
    return 1;
}

static size_t kill_and_collect(struct reap *r, pid_t pid, void *ctx)
{
    kill(pid, SIGKILL);
    return collect(r, pid, ctx);
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
    char wanted[64];

    snprintf(wanted, sizeof(wanted), "VIDUHOOK_RUN_ID=%llu", (unsigned long long)run);
    return each_child(r, kill_when_of_run, wanted);
}

void reap_kill_all(struct reap *r)
{
    static const struct timespec pause = {.tv_nsec = LAST_ROUND_NS};

    r->n_owned = 0;
    for (int i = 0; i < LAST_ROUNDS && each_child(r, kill_and_collect, NULL) > 0; i++)
        nanosleep(&pause, NULL);
}
