/*
 * SPDX-License-Identifier: MIT
 *
 *   next --all ready--> current --replaced or stopping--> retired --exit--> gone
 *     |                    |
 *     `-- one fails: all   `-- dies: started again with the same plan, after a pause that grows
 *         of them end
 */
#include "keeper/supervise.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/spawn.h"
#include "wire/hello.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ROOMS         256
#define START_DEADLINE_MS 15000
#define SILENT_PINGS      6 /* so many in a row without an answer: the room hangs and is ended */
#define QUIET_PINGS       4 /* so many: the service manager's watchdog is not fed */
#define DEATHS_TOO_MANY   5
#define DEATHS_WITHIN_MS  10000
#define KILL_AFTER_MS     10000 /* beyond the grace of a draining room, and the end of a channel */
#define PAUSE_MOST_MS     10000
#define LEAVE_MS          2000 /* a room whose channel has closed leaves by itself */

enum phase { PHASE_DOWN, PHASE_STARTING, PHASE_UP, PHASE_DRAINING };
enum place { PLACE_NEXT, PLACE_CURRENT, PLACE_RETIRED };

static const char *const phase_names[] = {"down", "starting", "up", "draining"};

/* A reload ends nothing that is under way: linger_ms is longer than any of it may take. */
static const struct {
    const char *name;
    int64_t linger_ms;
} kinds[] = {
    [ROOM_RECEIVER] = {"receiver", 5 * INT64_C(60000)},
    [ROOM_GATEWAY] = {"gateway", 5 * INT64_C(60000)},
    [ROOM_RUNNER] = {"runner", 8 * INT64_C(86400000)},
};

struct room {
    struct supervise *s;
    struct room_plan plan;
    enum place place;
    enum phase phase;
    unsigned id; /* of the present process; a restart gets a new one */
    char name[32];
    pid_t pid;
    int pidfd;
    struct event *exited;
    struct event *timer; /* restart when down, deadline when starting or draining */
    struct channel *channel;
    char *counters;
    int unanswered;   /* pings since the last sign of life */
    int64_t grace_ms; /* while draining */
    int pause_ms;     /* before the next restart */
};

struct supervise {
    struct event_base *base;
    const struct supervise_ops *ops;
    void *ctx;
    struct room *rooms[MAX_ROOMS];
    size_t n;
    unsigned last_id;
    supervise_on_started *on_started;
    void *on_started_ctx;
    int64_t deaths_ms[DEATHS_TOO_MANY]; /* a ring of the latest */
    size_t n_deaths;
    int64_t grace_ms;
    void (*on_stopped)(void *ctx);
};

void room_plan_clear(struct room_plan *plan)
{
    if (plan->hello != NULL)
        mem_wipe_free(plan->hello, strlen(plan->hello));
    *plan = (struct room_plan){0};
}

static void after(struct event *timer, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    evtimer_add(timer, &tv);
}

/* Forgets the process, not the room. */
static void detach_process(struct room *room)
{
    channel_free(room->channel);
    room->channel = NULL;
    if (room->exited != NULL)
        event_free(room->exited);
    room->exited = NULL;
    if (room->pidfd >= 0)
        close(room->pidfd);
    room->pidfd = -1;
    room->pid = 0;
    room->phase = PHASE_DOWN;
}

static void remove_room(struct room *room)
{
    struct supervise *s = room->s;

    detach_process(room);
    event_free(room->timer);
    room_plan_clear(&room->plan);
    free(room->counters);
    for (size_t i = 0; i < s->n; i++)
        if (s->rooms[i] == room)
            s->rooms[i--] = s->rooms[--s->n];
    free(room);
}

/* Once more with a shorter grace: it counts from now. */
static void drain(struct room *room, int64_t grace_ms)
{
    struct msg_drain msg = {.grace_ms = grace_ms};

    if (room->phase == PHASE_DRAINING && grace_ms >= room->grace_ms)
        return;
    if (room->phase == PHASE_DOWN)
        return;
    room->phase = PHASE_DRAINING;
    room->grace_ms = grace_ms;
    if (room->channel != NULL)
        channel_send(room->channel, MSG_DRAIN, 0, &msg);
    after(room->timer, grace_ms + KILL_AFTER_MS);
}

/* Only the daemon's stop sets a room a time. */
static void drain_replaced(struct room *room)
{
    const struct supervise *s = room->s;

    drain(room, s->on_stopped == NULL ? kinds[room->plan.kind].linger_ms : s->grace_ms);
}

/* It may have accepted connections already, beside the old ones. */
static void give_up(struct room *room)
{
    room->place = PLACE_RETIRED;
    if (room->phase == PHASE_UP)
        drain_replaced(room);
    else if (room->pid != 0)
        kill(room->pid, SIGKILL);
}

/* The present start is over: every new room takes over, or every new room ends. */
static void finish_start(struct supervise *s, bool ok, const char *error)
{
    supervise_on_started *on_started = s->on_started;

    s->on_started = NULL;
    for (size_t i = 0; i < s->n; i++) {
        struct room *room = s->rooms[i];

        if (room->place == PLACE_NEXT && ok)
            room->place = PLACE_CURRENT;
        else if (room->place == PLACE_NEXT)
            give_up(room);
        else if (room->place == PLACE_CURRENT && ok)
            room->place = PLACE_RETIRED;
    }
    on_started(ok, error, s->on_started_ctx);
}

/* Old rooms drain once their successors serve. */
static void drain_retired(struct supervise *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->rooms[i]->place == PLACE_RETIRED && s->rooms[i]->phase == PHASE_UP)
            drain_replaced(s->rooms[i]);
}

static void room_is_ready(struct room *room)
{
    struct supervise *s = room->s;

    room->phase = PHASE_UP;
    room->pause_ms = 0;
    room->unanswered = 0;
    evtimer_del(room->timer);
    log_debug("room.ready", LOG_S("name", room->name), LOG_I("pid", room->pid));
    if (room->place == PLACE_NEXT) {
        for (size_t i = 0; i < s->n; i++)
            if (s->rooms[i]->place == PLACE_NEXT && s->rooms[i]->phase != PHASE_UP)
                return;
        finish_start(s, true, NULL);
        for (size_t i = 0; i < s->n; i++)
            if (s->rooms[i]->place == PLACE_CURRENT)
                s->ops->on_up(s->rooms[i], s->ctx);
        drain_retired(s);
        return;
    }
    if (room->place == PLACE_CURRENT)
        s->ops->on_up(room, s->ctx);
    else
        drain_replaced(room);
}

/* A room of the new generation will not come up. */
static void start_failed(struct room *room, const char *why)
{
    autofree char *text = mem_printf("%s: %s", room->name, why);

    finish_start(room->s, false, text);
}

static void on_ready(struct room *room, const struct frame *f)
{
    struct msg_ready msg;

    if (message_read(f, &msg) < 0 || room->phase != PHASE_STARTING)
        return;
    if (msg.error.n == 0) {
        room_is_ready(room);
        return;
    }
    log_error("room.refused", LOG_S("name", room->name), LOG_B("error", msg.error.p, msg.error.n));
    if (room->place == PLACE_NEXT)
        start_failed(room, msg.error.p);
}

static void on_pong(struct room *room, const struct frame *f)
{
    struct msg_pong msg;

    if (message_read(f, &msg) < 0)
        return;
    room->unanswered = 0;
    free(room->counters);
    room->counters = mem_strndup(msg.json.p, msg.json.n);
}

static void on_frame(struct channel *ch, const struct frame *f, void *ctx)
{
    struct room *room = ctx;

    (void)ch;
    if (f->type == MSG_READY)
        on_ready(room, f);
    else if (f->type == MSG_PONG)
        on_pong(room, f);
    else
        room->s->ops->on_frame(room, f, room->s->ctx);
}

/* The channel may end before the process does; its end is what counts, and it comes. */
static void on_close(struct channel *ch, const char *why, void *ctx)
{
    struct room *room = ctx;

    (void)ch;
    log_debug("room.channel_closed", LOG_S("name", room->name), LOG_S("why", why));
    channel_free(room->channel);
    room->channel = NULL;
    after(room->timer, KILL_AFTER_MS);
}

static const struct channel_ops channel_ops = {.on_frame = on_frame, .on_close = on_close};

static bool too_many_deaths(struct supervise *s)
{
    int64_t now = clock_mono_ms();
    int64_t oldest;

    s->deaths_ms[s->n_deaths++ % DEATHS_TOO_MANY] = now;
    oldest = s->deaths_ms[s->n_deaths % DEATHS_TOO_MANY];
    return s->n_deaths >= DEATHS_TOO_MANY && now - oldest < DEATHS_WITHIN_MS;
}

static void check_stopped(struct supervise *s)
{
    bool runner_only = true;

    if (s->on_stopped == NULL)
        return;
    for (size_t i = 0; i < s->n; i++)
        runner_only = runner_only && s->rooms[i]->plan.kind == ROOM_RUNNER;
    if (s->n == 0)
        s->on_stopped(s->ctx);
    else if (runner_only)
        for (size_t i = 0; i < s->n; i++)
            drain(s->rooms[i], s->grace_ms);
}

static void lengthen_pause(struct room *room)
{
    room->pause_ms = room->pause_ms == 0 ? 100 : room->pause_ms * 2;
    if (room->pause_ms > PAUSE_MOST_MS)
        room->pause_ms = PAUSE_MOST_MS;
}

/* A room of the present generation has died: start it again, at first at once. */
static void restart(struct room *room, const char *how, bool explained)
{
    log_warn("room.died", LOG_S("name", room->name), LOG_S("how", how),
             LOG_I("restart_in_ms", room->pause_ms));
    if (!explained && too_many_deaths(room->s)) {
        room->s->ops->on_hopeless("rooms died 5 times in 10 seconds", room->s->ctx);
        return;
    }
    after(room->timer, room->pause_ms);
    lengthen_pause(room);
}

static void describe_exit(const siginfo_t *info, char *out, size_t n)
{
    if (info->si_code == CLD_EXITED)
        snprintf(out, n, "exit status %d", info->si_status);
    else
        snprintf(out, n, "signal %d", info->si_status);
}

static void on_exit_event(evutil_socket_t fd, short what, void *ctx)
{
    struct room *room = ctx;
    struct supervise *s = room->s;
    siginfo_t info = {0};
    bool explained;
    char how[32];

    (void)what;
    if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) < 0 || info.si_pid == 0)
        return;
    describe_exit(&info, how, sizeof(how));
    explained = s->ops->on_gone(room, s->ctx);
    detach_process(room);
    if (room->place == PLACE_NEXT)
        start_failed(room, how);
    if (room->place == PLACE_CURRENT && s->on_stopped == NULL) {
        restart(room, how, explained);
        return;
    }
    log_debug("room.ended", LOG_S("name", room->name), LOG_S("how", how));
    remove_room(room);
    check_stopped(s);
}

static int launch(struct room *room, struct err *err)
{
    autofree char *title = mem_printf("viduhookd: %s", room->name);
    struct msg_hello hello = {.version = WIRE_VERSION, .json = slice_str(room->plan.hello)};
    int pair[2];
    int rc = spawn_pair(pair, err);

    if (rc < 0)
        return rc;
    rc = spawn_room(title, kinds[room->plan.kind].name, pair[1], room->plan.fds, room->plan.n_fds,
                    &room->pid, &room->pidfd, err);
    close(pair[1]);
    if (rc < 0) {
        close(pair[0]);
        return rc;
    }
    room->id = ++room->s->last_id;
    room->channel = channel_new(room->s->base, pair[0], FRAME_MAX, &channel_ops, room);
    room->exited = event_new(room->s->base, room->pidfd, EV_READ, on_exit_event, room);
    event_add(room->exited, NULL);
    if (channel_send(room->channel, MSG_HELLO, 0, &hello) < 0) /* larger than a message may be */
        kill(room->pid, SIGKILL);
    return 0;
}

static void room_start(struct room *room)
{
    struct err err = {""};

    room->phase = PHASE_STARTING;
    if (launch(room, &err) < 0) {
        log_error("room.not_started", LOG_S("name", room->name), LOG_E(&err));
        detach_process(room);
        lengthen_pause(room);
        after(room->timer, room->pause_ms);
        return;
    }
    after(room->timer, START_DEADLINE_MS);
}

/* One timer per room; what its end means depends on the phase. */
static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct room *room = ctx;

    (void)fd;
    (void)what;
    if (room->phase == PHASE_DOWN && room->place == PLACE_NEXT)
        start_failed(room, "cannot be started");
    if (room->phase == PHASE_DOWN && room->place == PLACE_RETIRED) {
        remove_room(room);
    } else if (room->phase == PHASE_DOWN) {
        room_start(room);
    } else if (room->pid != 0) {
        log_error("room.killed", LOG_S("name", room->name),
                  LOG_S("phase", phase_names[room->phase]));
        kill(room->pid, SIGKILL);
    }
}

static struct room *add_room(struct supervise *s, struct room_plan *plan)
{
    struct room *room = mem_calloc(1, sizeof(*room));

    room->s = s;
    room->plan = *plan;
    *plan = (struct room_plan){0};
    room->pidfd = -1;
    room->timer = evtimer_new(s->base, on_timer, room);
    if (room->plan.kind == ROOM_RECEIVER)
        snprintf(room->name, sizeof(room->name), "receiver %d", room->plan.number);
    else
        snprintf(room->name, sizeof(room->name), "%s", kinds[room->plan.kind].name);
    s->rooms[s->n++] = room;
    return room;
}

struct supervise *supervise_new(struct event_base *base, const struct supervise_ops *ops, void *ctx)
{
    struct supervise *s = mem_calloc(1, sizeof(*s));

    s->base = base;
    s->ops = ops;
    s->ctx = ctx;
    return s;
}

/* A runner that leaves by itself takes its commands along; one that is killed cannot. */
static void wait_or_kill(struct room *room)
{
    struct pollfd pfd = {.fd = room->pidfd, .events = POLLIN};
    siginfo_t info;

    if (poll(&pfd, 1, LEAVE_MS) != 1)
        kill(room->pid, SIGKILL);
    waitid(P_PID, (id_t)room->pid, &info, WEXITED);
}

void supervise_free(struct supervise *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n; i++) {
        channel_free(s->rooms[i]->channel);
        s->rooms[i]->channel = NULL;
    }
    while (s->n > 0) {
        if (s->rooms[0]->pid != 0)
            wait_or_kill(s->rooms[0]);
        remove_room(s->rooms[0]);
    }
    free(s);
}

int supervise_start(struct supervise *s, struct room_plan *plans, size_t n,
                    supervise_on_started *on_started, void *ctx)
{
    size_t first = s->n;

    if (s->on_started != NULL || s->on_stopped != NULL || s->n + n > MAX_ROOMS) {
        for (size_t i = 0; i < n; i++)
            room_plan_clear(&plans[i]);
        return -EBUSY;
    }
    s->on_started = on_started;
    s->on_started_ctx = ctx;
    for (size_t i = 0; i < n; i++)
        add_room(s, &plans[i]);
    for (size_t i = first; i < first + n; i++)
        room_start(s->rooms[i]);
    return 0;
}

bool supervise_starting(const struct supervise *s)
{
    return s->on_started != NULL;
}

void supervise_stop(struct supervise *s, int64_t grace_ms, void (*on_stopped)(void *ctx))
{
    s->grace_ms = grace_ms;
    s->on_stopped = on_stopped;
    if (s->on_started != NULL)
        finish_start(s, false, "the daemon stops");
    for (size_t i = s->n; i-- > 0;) {
        struct room *room = s->rooms[i];

        room->place = PLACE_RETIRED;
        if (room->phase == PHASE_DOWN)
            remove_room(room);
        else if (room->plan.kind != ROOM_RUNNER)
            drain(room, grace_ms);
    }
    check_stopped(s);
}

void supervise_ping(struct supervise *s)
{
    struct msg_ping msg = {.stamp = clock_mono_ms()};

    for (size_t i = 0; i < s->n; i++) {
        struct room *room = s->rooms[i];

        if (room->phase < PHASE_UP || room->channel == NULL)
            continue;
        if (room->unanswered++ >= SILENT_PINGS) {
            log_error("room.hangs", LOG_S("name", room->name), LOG_I("pid", room->pid));
            kill(room->pid, SIGKILL);
            continue;
        }
        channel_send(room->channel, MSG_PING, 0, &msg);
    }
}

bool supervise_alive(const struct supervise *s)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->rooms[i]->place == PLACE_CURRENT && s->rooms[i]->phase == PHASE_UP &&
            s->rooms[i]->unanswered > QUIET_PINGS)
            return false;
    return true;
}

struct room *supervise_room(struct supervise *s, enum room_kind kind)
{
    for (size_t i = 0; i < s->n; i++) {
        struct room *room = s->rooms[i];

        if (room->place == PLACE_CURRENT && room->plan.kind == kind && room->phase == PHASE_UP &&
            room->channel != NULL)
            return room;
    }
    return NULL;
}

struct room *supervise_by_id(struct supervise *s, unsigned id)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->rooms[i]->id == id && s->rooms[i]->channel != NULL)
            return s->rooms[i];
    return NULL;
}

bool supervise_owns(const struct supervise *s, pid_t pid)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->rooms[i]->pid == pid)
            return true;
    return false;
}

unsigned room_id(const struct room *room)
{
    return room->id;
}

enum room_kind room_kind(const struct room *room)
{
    return room->plan.kind;
}

struct channel *room_channel(struct room *room)
{
    return room->channel;
}

void supervise_each(struct supervise *s,
                    void (*fn)(const char *name, int pid, const char *phase, const char *counters,
                               void *ctx),
                    void *ctx)
{
    for (size_t i = 0; i < s->n; i++)
        fn(s->rooms[i]->name, s->rooms[i]->pid, phase_names[s->rooms[i]->phase],
           str_or(s->rooms[i]->counters, ""), ctx);
}
