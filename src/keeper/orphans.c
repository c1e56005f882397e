/* SPDX-License-Identifier: MIT */
#include "keeper/orphans.h"

#include "base/log.h"
#include "base/proc.h"

#include <event2/event.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ROUND_MS   10
#define ROUNDS_MAX 1000
#define LAST_MAX   100

struct orphans {
    const struct orphans_ops *ops;
    void *ctx;
    struct event *timer;
    struct pids before; /* children of whoever was this process before it became the keeper */
    int rounds;         /* 0: nothing is under way */
};

static bool is_ours_to_end(const struct orphans *o, pid_t pid)
{
    for (size_t i = 0; i < o->before.n; i++)
        if (o->before.list[i] == pid)
            return false;
    return !o->ops->is_owned(pid, o->ctx);
}

/* How many are still there. Whoever loses its parent in this round comes to us for the next. */
static size_t end_some(struct orphans *o)
{
    autopids struct pids children = {0};
    size_t left = 0;

    proc_children(getpid(), &children);
    for (size_t i = 0; i < children.n; i++) {
        if (!is_ours_to_end(o, children.list[i]))
            continue;
        left++;
        kill(-children.list[i], SIGKILL); /* its group, which is named after a child of ours */
        kill(children.list[i], SIGKILL);
        waitid(P_PID, (id_t)children.list[i], &(siginfo_t){0}, WEXITED | WNOHANG);
    }
    return left;
}

static void on_round(evutil_socket_t fd, short what, void *ctx)
{
    static const struct timeval soon = {.tv_usec = ROUND_MS * 1000};
    struct orphans *o = ctx;
    size_t left = end_some(o);

    (void)fd;
    (void)what;
    if (left > 0 && ++o->rounds < ROUNDS_MAX) {
        evtimer_add(o->timer, &soon);
        return;
    }
    if (left > 0)
        log_error("commands.stay", LOG_I("count", (int64_t)left),
                  LOG_S("why", "SIGKILL is ignored"));
    o->rounds = 0;
    o->ops->on_over(o->ctx);
}

struct orphans *orphans_new(struct event_base *base, const struct orphans_ops *ops, void *ctx)
{
    struct orphans *o = mem_calloc(1, sizeof(*o));

    o->ops = ops;
    o->ctx = ctx;
    o->timer = evtimer_new(base, on_round, o);
    if (o->timer == NULL)
        abort();
    proc_children(getpid(), &o->before);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return o;
}

void orphans_free(struct orphans *o)
{
    if (o == NULL)
        return;
    event_free(o->timer);
    pids_free(&o->before);
    free(o);
}

void orphans_end(struct orphans *o)
{
    if (o->rounds > 0)
        return;
    o->rounds = 1;
    on_round(-1, 0, o);
}

bool orphans_ending(const struct orphans *o)
{
    return o->rounds > 0;
}

void orphans_end_now(struct orphans *o)
{
    static const struct timespec pause = {.tv_nsec = ROUND_MS * 1000000};

    for (int i = 0; o != NULL && i < LAST_MAX && end_some(o) > 0; i++)
        nanosleep(&pause, NULL);
}
