/*
 * The life of a command:
 *
 *   running --- exited, output closed ------------------------------> done
 *      |           '-- output still open: a grandchild holds it ----> done after a second
 *      '-- time is up, or stop --> TERM --> (10 s) --> KILL --> who left it too --> done
 *
 * The leader stays a zombie until the very end: as long as it does, its pid is the name of its
 * process group and cannot become somebody else's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "base/fs.h"
#include "runner/action.h"
#include "runner/live.h"
#include "runner/reap.h"
#include "runner/spawn.h"
#include "runner/tail.h"
#include "runner/trail.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 300000
#define TERM_GRACE_MS      10000
#define OUTPUT_GRACE_MS    1000
#define SWEEP_MS           20
#define SWEEPS_MAX         100
#define READS_A_TURN       16
#define CANNOT_START       127 /* exit status of a command that was never there, as in a shell */

enum phase { PHASE_RUNNING, PHASE_TERM, PHASE_KILL, PHASE_LINGER, PHASE_SWEEP, PHASE_OVER };

struct exec {
    const struct action_env *env;
    const struct action_events *events;
    void *ctx;
    uint64_t run;
    enum phase phase;
    struct spawned child;
    struct event *exit_event, *output_event, *timer;
    struct tail tail;
    struct live *live;  /* NULL until somebody follows it */
    struct trail trail; /* who was below it when it was stopped */
    siginfo_t end;      /* si_pid 0: it lives */
    int sweeps, empty_sweeps;
    int64_t started_ms, timeout_ms;
    const char *stopped; /* why we ended it, NULL when we did not */
    enum run_outcome stop_outcome;
    struct err error; /* why it could not start, "" when it did */
    int start_rc;
};

static void arm(struct exec *x, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    evtimer_add(x->timer, &tv);
}

static bool has_exited(const struct exec *x)
{
    return x->end.si_pid != 0;
}

static bool is_silent(const struct exec *x)
{
    return x->child.output < 0;
}

static void close_output(struct exec *x)
{
    if (x->output_event != NULL)
        event_free(x->output_event);
    x->output_event = NULL;
    fs_close_slot(&x->child.output);
}

/* ---- how it ended, in words ---- */

/* The first row that fits. */
static const struct exit_row {
    int status;
    enum run_outcome outcome;
} exit_rows[] = {{0, RUN_OK}, {75, RUN_AGAIN}, {65, RUN_FATAL}};

static enum run_outcome exit_outcome(const struct exec *x)
{
    if (x->stopped != NULL)
        return x->stop_outcome;
    for (size_t i = 0; i < ARRAY_LEN(exit_rows); i++)
        if (x->end.si_code == CLD_EXITED && x->end.si_status == exit_rows[i].status)
            return exit_rows[i].outcome;
    return RUN_FAILED;
}

/* A machine that is out of something will have it again; a wrong path will not mend itself. */
static enum run_outcome start_outcome(int rc)
{
    if (rc == -EAGAIN || rc == -ENOMEM || rc == -EMFILE || rc == -ENFILE)
        return RUN_AGAIN;
    return rc == -EINVAL || rc == -E2BIG ? RUN_FATAL : RUN_FAILED;
}

static void describe(const struct exec *x, struct buf *out)
{
    char timeout[24];

    if (x->error.text[0] != '\0') {
        buf_addf(out, "cannot start: %s", x->error.text);
        return;
    }
    if (x->end.si_code == CLD_EXITED)
        buf_addf(out, "exit status %d", x->end.si_status);
    else
        buf_addf(out, "killed by SIG%s", str_or(sigabbrev_np(x->end.si_status), "?"));
    if (x->stopped == NULL)
        return;
    str_from_ms(x->timeout_ms, timeout);
    if (str_eq(x->stopped, "timeout"))
        buf_addf(out, " after timeout of %s", timeout);
    else
        buf_addf(out, ", %s", x->stopped);
}

static void report(struct exec *x)
{
    autobuf struct buf detail = BUF_INIT(2048);
    autobuf struct buf output = BUF_INIT(x->tail.size + 128);
    bool started = x->error.text[0] == '\0';
    struct msg_done done = {.retry_after_ms = -1, .exit_code = CANNOT_START};

    if (x->live != NULL)
        live_end(x->live);
    describe(x, &detail);
    tail_text(&x->tail, &output);
    if (started)
        done.exit_code = x->end.si_code == CLD_EXITED ? x->end.si_status : -x->end.si_status;
    done.outcome = started ? exit_outcome(x) : start_outcome(x->start_rc);
    done.duration_ms = clock_mono_ms() - x->started_ms;
    done.detail = (struct slice){buf_text(&detail), detail.len};
    done.output = (struct slice){buf_text(&output), output.len};
    done.command = slice_str(x->child.shown);
    x->events->on_done(&done, x->ctx); /* x is gone now */
}

/* ---- its end ---- */

static void finish(struct exec *x)
{
    siginfo_t info;

    x->phase = PHASE_OVER;
    evtimer_del(x->timer);
    close_output(x);
    (void)waitid(P_PIDFD, (id_t)x->child.pidfd, &info, WEXITED); /* else the sweep does it */
    reap_disown(x->env->reap, x->child.pid);
    reap_soon(x->env->reap);
    report(x);
}

/*
 * After a stop nothing of it may go on: neither the group, nor those who left the group, nor those
 * who changed their environment as well.
 */
static void sweep(struct exec *x)
{
    size_t killed;

    x->phase = PHASE_SWEEP;
    kill(-x->child.pid, SIGKILL);
    killed = reap_kill_run(x->env->reap, x->run) + trail_kill(&x->trail);
    x->empty_sweeps = killed == 0 ? x->empty_sweeps + 1 : 0;
    if (x->empty_sweeps == 2 || ++x->sweeps >= SWEEPS_MAX)
        finish(x);
    else
        arm(x, SWEEP_MS);
}

/* Called when it has exited, or closed its output, or both. */
static void check_end(struct exec *x)
{
    if (!has_exited(x) || x->phase == PHASE_SWEEP)
        return;
    if (x->stopped != NULL) {
        if (is_silent(x) || x->phase == PHASE_KILL)
            sweep(x);
        return;
    }
    if (is_silent(x)) {
        finish(x);
        return;
    }
    if (x->phase != PHASE_LINGER)
        arm(x, OUTPUT_GRACE_MS);
    x->phase = PHASE_LINGER;
}

static void on_exit_event(evutil_socket_t fd, short what, void *arg)
{
    struct exec *x = arg;

    (void)what;
    if (waitid(P_PIDFD, (id_t)fd, &x->end, WEXITED | WNOHANG | WNOWAIT) < 0 || !has_exited(x))
        return;
    event_free(x->exit_event);
    x->exit_event = NULL;
    check_end(x);
}

static void on_output(evutil_socket_t fd, short what, void *arg)
{
    struct exec *x = arg;
    char chunk[1 << 14];
    ssize_t n = 1;

    (void)what;
    for (int i = 0; i < READS_A_TURN && n > 0; i++) {
        n = read(fd, chunk, sizeof(chunk));
        if (n > 0)
            tail_add(&x->tail, chunk, (size_t)n);
    }
    if (x->live != NULL)
        live_grown(x->live);
    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return;
    close_output(x);
    check_end(x);
}

static void stop_because(struct exec *x, enum run_outcome outcome, const char *why)
{
    if (x->phase != PHASE_RUNNING)
        return;
    x->phase = PHASE_TERM;
    x->stopped = why;
    x->stop_outcome = outcome;
    trail_follow(&x->trail, x->child.pid); /* as long as its children are known by it */
    kill(-x->child.pid, SIGTERM);
    arm(x, TERM_GRACE_MS);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct exec *x = arg;

    (void)fd;
    (void)what;
    switch (x->phase) {
    case PHASE_RUNNING:
        stop_because(x, RUN_FAILED, "timeout");
        break;
    case PHASE_TERM:
    case PHASE_KILL: /* again until it goes: it may hang in the kernel */
        x->phase = PHASE_KILL;
        trail_follow(&x->trail, x->child.pid);
        kill(-x->child.pid, SIGKILL);
        arm(x, OUTPUT_GRACE_MS);
        check_end(x);
        break;
    case PHASE_LINGER:
        finish(x);
        break;
    case PHASE_SWEEP:
        sweep(x);
        break;
    case PHASE_OVER:
        report(x);
        break;
    }
}

/* ---- the table ---- */

static struct event *watch(struct exec *x, int fd, short what, event_callback_fn fn)
{
    struct event *ev = event_new(x->env->base, fd, what, fn, x);

    if (ev == NULL || ((what & EV_READ) != 0 && event_add(ev, NULL) < 0))
        abort();
    return ev;
}

static void *exec_start(const struct action_env *env, const json_t *action, const json_t *context,
                        struct slice line, const struct action_events *events, void *ctx)
{
    struct exec *x = mem_calloc(1, sizeof(*x));
    const json_t *run = json_object_get(json_object_get(context, "run"), "id");
    int64_t timeout_ms = json_integer_value(json_object_get(action, "timeout_ms"));

    x->env = env;
    x->events = events;
    x->ctx = ctx;
    x->run = (uint64_t)json_integer_value(run);
    x->tail = TAIL_INIT(env->output);
    x->started_ms = clock_mono_ms();
    x->timeout_ms = timeout_ms > 0 ? timeout_ms : DEFAULT_TIMEOUT_MS;
    x->timer = watch(x, -1, 0, on_timer);
    x->child.pidfd = x->child.output = -1;
    x->start_rc = spawn_command(action, context, line, &x->child, &x->error);
    if (x->start_rc < 0) {
        x->phase = PHASE_OVER;
        arm(x, 0);
        return x;
    }
    reap_own(env->reap, x->child.pid);
    x->exit_event = watch(x, x->child.pidfd, EV_READ | EV_PERSIST, on_exit_event);
    x->output_event = watch(x, x->child.output, EV_READ | EV_PERSIST, on_output);
    arm(x, x->timeout_ms);
    return x;
}

static void exec_stop(void *a, enum run_outcome outcome, const char *why)
{
    stop_because(a, outcome, why);
}

static void exec_fresh(void *a, const json_t *result, const char *error)
{
    (void)a;
    (void)result;
    (void)error;
}

static void on_piece(uint64_t at, struct slice text, void *ctx)
{
    struct exec *x = ctx;

    x->events->on_output(at, text, x->ctx);
}

static void exec_follow(void *a, bool on)
{
    struct exec *x = a;

    if (x->live == NULL && on)
        x->live = live_new(x->env->base, &x->tail, on_piece, x);
    if (x->live != NULL)
        live_listen(x->live, on);
}

static void exec_free(void *a)
{
    struct exec *x = a;

    if (x == NULL)
        return;
    if (x->phase != PHASE_OVER) {
        kill(-x->child.pid, SIGKILL);
        reap_disown(x->env->reap, x->child.pid);
        reap_soon(x->env->reap);
    }
    close_output(x);
    if (x->exit_event != NULL)
        event_free(x->exit_event);
    event_free(x->timer);
    fs_close_slot(&x->child.pidfd);
    live_free(x->live);
    free(x->child.shown);
    tail_free(&x->tail);
    trail_free(&x->trail);
    free(x);
}

const struct action_ops exec_ops = {
    .kind = "exec",
    .start = exec_start,
    .stop = exec_stop,
    .fresh = exec_fresh,
    .follow = exec_follow,
    .free = exec_free,
};
