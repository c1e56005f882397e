/* SPDX-License-Identifier: MIT */
#include "keeper/keeper.h"
#include "keeper/follow.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "keeper/alarms.h"
#include "keeper/batch.h"
#include "keeper/judge.h"
#include "keeper/looks.h"
#include "keeper/notify.h"
#include "keeper/orphans.h"
#include "keeper/outcome.h"
#include "keeper/pauses.h"
#include "keeper/query.h"
#include "keeper/rates.h"
#include "keeper/record.h"
#include "keeper/reload.h"
#include "keeper/schedule.h"
#include "keeper/sockets.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define EXIT_STORE_FAILED 74 /* sysexits(3) */
#define EXIT_STORE_HELD   75
#define EXIT_BAD_CONFIG   78

#define TICK_MS          1000
#define PING_EVERY_MS    3000
#define IDLE_EVERY_TICKS 30
#define PRUNE_ROWS       200

struct timers {
    struct event *term, *interrupt, *hangup, *tick;
    int64_t pinged_ms, notified_ms;
    unsigned ticks;
    bool behind; /* the last step of pruning did not get to the end */
};

static void on_stopped(void *ctx)
{
    struct keeper *k = ctx;

    event_base_loopbreak(k->base);
}

static void on_failed(evutil_socket_t fd, short what, void *ctx)
{
    struct keeper *k = ctx;

    (void)fd;
    (void)what;
    notify_send("STOPPING=1");
    supervise_stop(k->supervise, 0, on_stopped);
}

/* Not at once: those who wait for an answer get it first, and the caller may be in the middle of
 * what stopping changes. */
void keeper_fail(struct keeper *k, int exit_status)
{
    static const struct timeval next_turn = {0};

    if (k->exit_status != 0)
        return;
    k->exit_status = exit_status;
    k->stopping = true;
    event_base_once(k->base, -1, EV_TIMEOUT, on_failed, k, &next_turn);
}

/* -- frames: one row a message -- */

static void on_done(struct keeper *k, struct room *room, const struct frame *f)
{
    (void)room;
    schedule_on_done(k, f);
}

static void on_progress(struct keeper *k, struct room *room, const struct frame *f)
{
    (void)room;
    schedule_on_progress(k, f);
}

static void on_polled(struct keeper *k, struct room *room, const struct frame *f)
{
    (void)room;
    looks_on_polled(k, f);
}

/* Who may say what: a message from any other room is ignored. */
static const struct {
    enum message_type type;
    enum room_kind from;
    void (*fn)(struct keeper *k, struct room *room, const struct frame *f);
} handlers[] = {
    {MSG_CALLBACK, ROOM_RECEIVER, judge_on_callback},
    {MSG_REGISTER, ROOM_GATEWAY, record_on_register},
    {MSG_SUBMITTED, ROOM_GATEWAY, record_on_submitted},
    {MSG_POLLED, ROOM_GATEWAY, on_polled},
    {MSG_COMMAND, ROOM_GATEWAY, query_on_command},
    {MSG_SUBSCRIBE, ROOM_GATEWAY, follow_on_subscribe},
    {MSG_FOLLOW, ROOM_GATEWAY, follow_on_message},
    {MSG_OUTPUT, ROOM_RUNNER, follow_on_output},
    {MSG_DONE, ROOM_RUNNER, on_done},
    {MSG_PROGRESS, ROOM_RUNNER, on_progress},
    {MSG_REFRESH, ROOM_RUNNER, looks_on_refresh},
};

static void on_frame(struct room *room, const struct frame *f, void *ctx)
{
    for (size_t i = 0; i < ARRAY_LEN(handlers); i++)
        if (handlers[i].type == f->type && handlers[i].from == room_kind(room)) {
            handlers[i].fn(ctx, room, f);
            return;
        }
    log_warn("frame.unexpected", LOG_S("type", message_name((enum message_type)f->type)));
}

/* -- rooms -- */

static void on_up(struct room *room, void *ctx)
{
    if (room_kind(room) == ROOM_RUNNER)
        schedule_on_up(ctx);
    if (room_kind(room) == ROOM_GATEWAY)
        looks_wake(ctx);
}

static bool on_gone(struct room *room, void *ctx)
{
    struct keeper *k = ctx;
    bool explained = false;

    if (room_kind(room) == ROOM_RUNNER) {
        explained = schedule_on_gone(k, room);
        orphans_end(k->orphans);
    }
    if (room_kind(room) == ROOM_GATEWAY)
        looks_on_gone(k, room);
    return explained;
}

static bool is_room(pid_t pid, void *ctx)
{
    const struct keeper *k = ctx;

    return k->supervise != NULL && supervise_owns(k->supervise, pid);
}

static void on_orphans_over(void *ctx)
{
    schedule_on_up(ctx);
}

static const struct orphans_ops orphans_ops = {.is_owned = is_room, .on_over = on_orphans_over};

static void on_hopeless(const char *why, void *ctx)
{
    log_error("daemon.gives_up", LOG_S("why", why));
    keeper_fail(ctx, 1);
}

static const struct supervise_ops supervise_ops = {
    .on_frame = on_frame, .on_up = on_up, .on_gone = on_gone, .on_hopeless = on_hopeless};

/* -- stopping -- */

static void on_stop_signal(evutil_socket_t sig, short what, void *ctx)
{
    struct keeper *k = ctx;

    (void)what;
    if (k->stopping) { /* asked twice: do not wait for hooks */
        event_base_loopbreak(k->base);
        return;
    }
    log_info("daemon.stopping", LOG_S("signal", sig == SIGTERM ? "TERM" : "INT"),
             LOG_I("grace_ms", k->conf->shutdown_grace_ms));
    notify_send("STOPPING=1");
    k->stopping = true;
    schedule_on_stop(k);
    supervise_stop(k->supervise, k->conf->shutdown_grace_ms, on_stopped);
}

/* -- reloading -- */

static void on_reloaded(struct keeper *k, bool ok, const char *error, const char *findings,
                        void *ctx)
{
    (void)findings;
    (void)ctx;
    if (ok)
        log_info("config.reloaded", LOG_S("file", k->conf->file));
    else
        log_error("config.kept", LOG_S("error", error));
}

/* During a reload the file may have been read before it was changed: once more after it. */
static void reload_signalled(struct keeper *k)
{
    k->reload_again = supervise_starting(k->supervise);
    if (!k->reload_again)
        reload_begin(k, on_reloaded, NULL);
}

static void on_hangup(evutil_socket_t sig, short what, void *ctx)
{
    (void)sig;
    (void)what;
    reload_signalled(ctx);
}

/* -- once a second -- */

/* Answering 503 before the disk is full keeps the store able to write (hardening.md R35). */
static void check_space(struct keeper *k)
{
    const char *path = strchr(k->conf->store, ':') + 1;
    autofree char *dir = fs_dirname(path);
    struct statvfs fs;
    uint64_t available;
    bool low;

    if (statvfs(dir, &fs) < 0)
        return;
    available = (uint64_t)fs.f_bavail * fs.f_frsize;
    low = available < k->conf->limits.min_free;
    if (low != k->low_space)
        log_warn(low ? "space.low" : "space.back", LOG_S("directory", dir),
                 LOG_I("available", available),
                 LOG_S("now", low ? "callbacks are answered 503" : "callbacks are accepted"));
    k->low_space = low;
}

/* Whether there is more to prune. */
static bool prune(struct keeper *k)
{
    int64_t now = clock_wall_ms();
    int64_t finished_before = k->conf->retain_ms > 0 ? now - k->conf->retain_ms : 0;
    struct err err = {""};
    int n = 0;
    int rc;

    if (batch_begin(k) < 0)
        return false;
    rc = k->store->ops->prune(k->store, finished_before, now - k->conf->signature.nonce_keep_ms,
                              PRUNE_ROWS, &n, &err);
    if (rc < 0)
        batch_spoil(k, rc, &err);
    return rc == 0 && n >= PRUNE_ROWS;
}

static void check_store(struct keeper *k)
{
    struct err err = {""};
    int rc = k->store->ops->idle(k->store, &err);

    if (rc == -EIO) {
        log_error("store.failed", LOG_E(&err), LOG_S("now", "stopping; start runs recovery"));
        keeper_fail(k, EXIT_STORE_FAILED);
    }
}

static void feed_watchdog(struct keeper *k, struct timers *t, int64_t now)
{
    int64_t every = notify_watchdog_ms();

    if (every == 0 || now - t->notified_ms < every || !supervise_alive(k->supervise))
        return;
    notify_send("WATCHDOG=1");
    t->notified_ms = now;
}

struct loop {
    struct keeper *k;
    struct timers t;
};

static void on_tick(evutil_socket_t fd, short what, void *ctx)
{
    struct loop *loop = ctx;
    struct keeper *k = loop->k;
    int64_t now = clock_mono_ms();

    (void)fd;
    (void)what;
    feed_watchdog(k, &loop->t, now);
    if (now - loop->t.pinged_ms >= PING_EVERY_MS) {
        supervise_ping(k->supervise);
        loop->t.pinged_ms = now;
    }
    check_space(k);
    alarms_tick(k);
    schedule_tick(k);
    looks_tick(k);
    if (k->reload_again)
        reload_signalled(k);
    loop->t.ticks++;
    if (loop->t.ticks % IDLE_EVERY_TICKS == 0)
        check_store(k);
    if (loop->t.behind || loop->t.ticks % IDLE_EVERY_TICKS == 0)
        loop->t.behind = prune(k);
}

/* -- starting -- */

static void on_first_start(struct keeper *k, bool ok, const char *error, const char *findings,
                           void *ctx)
{
    (void)findings;
    (void)ctx;
    if (!ok && k->stopping) /* that is why */
        return;
    if (!ok) {
        log_error("daemon.not_started", LOG_S("error", error));
        keeper_fail(k, 1);
        return;
    }
    log_info("daemon.ready", LOG_S("config", k->conf->file), LOG_S("store", k->conf->store),
             LOG_S("control", k->conf->control), LOG_S("public_url", k->conf->public_url),
             LOG_I("hooks", k->conf->n_hooks));
    notify_send("READY=1\nSTATUS=receiving callbacks");
}

static void print_finding(const char *file, int line, int column, const char *text, void *ctx)
{
    (void)ctx;
    if (line > 0)
        log_error("config.error", LOG_S("file", file), LOG_I("line", line), LOG_I("column", column),
                  LOG_S("error", text));
    else
        log_error("config.error", LOG_S("file", file), LOG_S("error", text));
}

static int load_secret(struct keeper *k, struct err *err)
{
    size_t n;
    int rc = k->store->ops->meta_get(k->store, "seal_secret", k->seal_secret,
                                     sizeof(k->seal_secret), &n);

    if (rc == 0 && n == sizeof(k->seal_secret))
        return 0;
    if (rc != -ENOENT)
        return err_set(err, -EIO, "the store's seal secret cannot be read");
    crypto_random(k->seal_secret, sizeof(k->seal_secret));
    rc = k->store->ops->begin(k->store, err);
    if (rc == 0)
        rc = k->store->ops->meta_set(k->store, "seal_secret", k->seal_secret,
                                     sizeof(k->seal_secret), err);
    return rc < 0 ? rc : k->store->ops->commit(k->store, err);
}

/* What was running when the daemon died is made again. */
static int reclaim(struct keeper *k, struct err *err)
{
    int n = 0;
    int rc = k->store->ops->begin(k->store, err);

    if (rc == 0)
        rc = outcome_reclaim(k, &n, err);
    if (rc == 0)
        rc = k->store->ops->commit(k->store, err);
    if (rc == 0 && n > 0)
        log_info("runs.reclaimed", LOG_I("runs", n));
    return rc;
}

static int open_store(struct keeper *k, struct err *err)
{
    const char *path = strchr(k->conf->store, ':') + 1;
    autofree char *dir = fs_dirname(path);
    int rc = fs_mkdirs(dir, 0700, err);

    if (rc == 0)
        rc = store_open(k->conf->store, false, &k->store, err);
    if (rc == 0)
        rc = load_secret(k, err);
    if (rc == 0)
        rc = pauses_load(k->store, &k->pauses, err);
    if (rc == 0)
        rc = alarms_load(k->store, &k->alarms, err);
    return rc < 0 ? rc : reclaim(k, err);
}

static int open_all(struct keeper *k)
{
    struct err err = {""};
    int rc;

    if (conf_load_checked(k->options.conf_path, k->options.check_pair, print_finding, NULL,
                          &k->conf) < 0)
        return EXIT_BAD_CONFIG;
    log_open("keeper", k->conf->log_json, (enum log_level)k->conf->log_level);
    keeper_log_version(k->options.client_version);
    rc = open_store(k, &err);
    if (rc < 0) {
        err_wrap(&err, rc, "store");
        log_error("store.not_opened", LOG_E(&err));
        return rc == -EBUSY ? EXIT_STORE_HELD : EXIT_STORE_FAILED;
    }
    rc = sockets_open(k->conf, &k->sockets, &err);
    if (rc < 0) {
        log_error("listener.not_bound", LOG_E(&err));
        return 1;
    }
    return 0;
}

static void close_all(struct keeper *k)
{
    if (k->batch != NULL && k->exit_status != EXIT_STORE_FAILED)
        batch_flush(k); /* asks for rooms, so they are still there */
    supervise_free(k->supervise);
    k->supervise = NULL;
    orphans_end_now(k->orphans);
    orphans_free(k->orphans);
    schedule_free(k->schedule);
    rates_free(k->rates);
    looks_free(k->looks);
    batch_free(k->batch);
    crypto_place_free(k->crypto);
    follows_free(k->follows);
    pauses_free(k->pauses);
    alarms_free(k->alarms);
    store_close(k->store);
    sockets_close(k->sockets);
    conf_free(k->conf);
    explicit_bzero(k->seal_secret, sizeof(k->seal_secret));
}

static struct event *watch(struct keeper *k, int sig, event_callback_fn fn)
{
    struct event *ev = evsignal_new(k->base, sig, fn, k);

    event_add(ev, NULL);
    return ev;
}

static void run_loop(struct keeper *k)
{
    struct loop loop = {.k = k};
    struct timeval second = {.tv_sec = TICK_MS / 1000};

    loop.t.term = watch(k, SIGTERM, on_stop_signal);
    loop.t.interrupt = watch(k, SIGINT, on_stop_signal);
    loop.t.hangup = watch(k, SIGHUP, on_hangup);
    loop.t.tick = event_new(k->base, -1, EV_PERSIST, on_tick, &loop);
    event_add(loop.t.tick, &second);
    check_space(k);
    reload_first(k, on_first_start, NULL);
    if (k->exit_status == 0)
        event_base_dispatch(k->base);
    event_free(loop.t.term);
    event_free(loop.t.interrupt);
    event_free(loop.t.hangup);
    event_free(loop.t.tick);
}

static void harden(void)
{
    struct rlimit none = {0, 0};

    signal(SIGPIPE, SIG_IGN);
    umask(0077);
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0);
}

int keeper_main(const struct keeper_options *options)
{
    struct keeper k = {.options = *options, .started_ms = clock_wall_ms()};
    int rc;

    harden();
    log_open("keeper", false, LOG_LEVEL_INFO);
    if (!options->sandbox)
        log_warn("sandbox.off", LOG_S("why", "--no-sandbox: for debugging only"));
    k.base = event_base_new();
    event_base_priority_init(k.base, 3); /* channels 1, commit 2 */
    rc = open_all(&k);
    if (rc == 0) {
        k.crypto = crypto_place_new();
        k.batch = batch_new(&k);
        k.rates = rates_new();
        k.schedule = schedule_new(&k);
        k.looks = looks_new(&k);
        k.supervise = supervise_new(k.base, &supervise_ops, &k);
        k.follows = follows_new();
        k.orphans = orphans_new(k.base, &orphans_ops, &k);
        run_loop(&k);
        rc = k.exit_status;
    }
    close_all(&k);
    event_base_free(k.base);
    if (rc == 0)
        log_info("daemon.stopped");
    return rc;
}
