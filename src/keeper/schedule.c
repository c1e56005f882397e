/* SPDX-License-Identifier: MIT */
#include "keeper/schedule.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/batch.h"
#include "keeper/events.h"
#include "keeper/hooks.h"
#include "keeper/running.h"
#include "vidu/crypto.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#define LEASE_SLACK_MS 90000 /* the runner's own time-out, TERM, KILL and report come first */
#define MAX_CLAIM      64
#define FILES_TEXT_MAX (64U << 10)

struct schedule {
    struct keeper *k;
    struct event *due; /* when the next ready run is due */
    bool dirty;        /* something may be claimable */
    struct running_table running;
};

static void forget(struct schedule *s, struct running *r)
{
    running_remove(&s->running, r);
    s->dirty = true;
}

/* The next turn of the loop opens a batch, and its end claims. */
static void wake(struct keeper *k)
{
    k->schedule->dirty = true;
    if (batch_begin(k) < 0)
        log_debug("schedule.waits", LOG_S("for", "the store"));
}

static void on_due(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    wake(ctx);
}

static void arm(struct schedule *s, int64_t due_wall_ms)
{
    int64_t ms = due_wall_ms - clock_wall_ms();
    struct timeval tv;

    if (ms < 1)
        ms = 1;
    if (ms > 3600000)
        ms = 3600000;
    tv = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(s->due, &tv);
}

/* -- adding -- */

static bool wanted(const struct conf_hook *h, const struct store_task *t, enum conf_event event)
{
    return (h->on & 1U << event) != 0 && hook_matches(h, t);
}

/* A hook that waits for another one is called only when that one is. */
static bool chain_wanted(const struct conf *conf, const struct conf_hook *h,
                         const struct store_task *t, enum conf_event event)
{
    for (size_t depth = 0; h != NULL && depth < CONF_MAX_HOOKS; depth++) {
        if (!wanted(h, t, event))
            return false;
        if (h->after == NULL)
            return true;
        h = conf_hook_find(conf, h->after);
    }
    return false;
}

static struct store_run new_run(const struct store_task *t, const struct conf_hook *h,
                                const char *trigger)
{
    struct store_run run = {.task = t->row, .hook = h->name, .trigger = trigger};

    memcpy(run.task_id, t->id, sizeof(run.task_id));
    run.after = h->after != NULL ? h->after : "";
    run.state = h->after != NULL ? RUN_WAITING : RUN_READY;
    run.created_ms = run.due_ms = clock_wall_ms();
    run.detail = run.output = "";
    return run;
}

int schedule_add(struct keeper *k, const struct store_task *t, enum conf_event event,
                 struct err *err)
{
    for (size_t i = 0; i < k->conf->n_hooks; i++) {
        const struct conf_hook *h = &k->conf->hooks[i];
        struct store_run run;
        int64_t row;
        int rc;

        if (!chain_wanted(k->conf, h, t, event))
            continue;
        run = new_run(t, h, conf_event_name(event));
        rc = k->store->ops->run_insert(k->store, &run, &row, err);
        if (rc < 0 && rc != -EEXIST)
            return rc;
        k->schedule->dirty = true;
    }
    return 0;
}

int schedule_replay(struct keeper *k, const struct store_task *t, const struct conf_hook *h,
                    const char *trigger, int64_t *run_row, struct err *err)
{
    struct store_run run = new_run(t, h, trigger);
    int rc;

    run.state = RUN_READY;
    run.after = "";
    run.replay = true;
    rc = k->store->ops->run_insert(k->store, &run, run_row, err);
    k->schedule->dirty = true;
    return rc;
}

int schedule_retry(struct keeper *k, int64_t row, struct err *err)
{
    struct store_run run;
    int rc = k->store->ops->run_by_row(k->store, row, &run);

    if (rc < 0)
        return err_set(err, rc, "there is no run %lld", (long long)row);
    if (run.state == RUN_RUNNING || running_find(&k->schedule->running, row) != NULL)
        return err_set(err, -EALREADY, "run %lld is running", (long long)row);
    if (run.state == RUN_WAITING)
        return err_set(err, -EALREADY, "run %lld waits for the hook %s", (long long)row, run.after);
    rc = k->store->ops->run_revive(k->store, run.task, run.hook, run.trigger, clock_wall_ms(), err);
    if (rc < 0)
        return rc;
    run.state = RUN_READY;
    run.attempt = 0;
    run.created_ms = run.due_ms = clock_wall_ms(); /* max_age counts from here again */
    run.finished_ms = 0;
    run.replay = true;
    k->schedule->dirty = true;
    return k->store->ops->run_update(k->store, &run, err);
}

/* -- claiming -- */

struct picked {
    int64_t rows[MAX_CLAIM];
    size_t n;
};

static int on_pick(const struct store_run *run, void *ctx)
{
    struct picked *p = ctx;

    p->rows[p->n++] = run->row;
    return p->n == MAX_CLAIM;
}

static int add_file(const struct store_file *f, void *ctx)
{
    struct buf *b = ctx;

    buf_adds(b, b->len > 1 ? ",{\"path\":" : "{\"path\":");
    buf_add_json(b, f->path, strlen(f->path));
    buf_addf(b, ",\"kind\":\"%s\",\"bytes\":%lld,\"sha256\":\"%s\"}", f->kind, (long long)f->bytes,
             f->sha256);
    return 0;
}

/* An attempt has ended: the timeline, those that wait for it, the run itself. */
static int conclude(struct keeper *k, const struct store_run *run, struct err *err)
{
    bool again = run->state == RUN_READY;
    int released = 0;
    int rc = event_run(k, run, again ? "again" : run_state_name(run->state), err);

    if (rc == 0 && !again)
        rc = k->store->ops->run_release(k->store, run->task, run->hook, run->trigger,
                                        run->state == RUN_DONE, clock_wall_ms(), &released, err);
    return rc < 0 ? rc : k->store->ops->run_update(k->store, run, err);
}

/* A run that can never be made. */
static int bury(struct keeper *k, struct store_run *run, const char *why, struct err *err)
{
    log_warn("run.dead", LOG_I("run", run->row), LOG_S("hook", run->hook), LOG_S("why", why));
    run->state = RUN_DEAD;
    run->detail = why;
    run->finished_ms = clock_wall_ms();
    return conclude(k, run, err);
}

static void hand_over(struct keeper *k, bool ok, void *ctx)
{
    struct running *r = ctx;
    struct room *room = supervise_by_id(k->supervise, r->room);
    struct msg_run msg = {
        .run = (uint64_t)r->run, .attempt = (uint32_t)r->attempt, .json = slice_str(r->json)};

    if (!ok) { /* the claim was not written, so there is none */
        forget(k->schedule, r);
        return;
    }
    if (room == NULL || channel_send(room_channel(room), MSG_RUN, (uint64_t)r->run, &msg) < 0)
        r->lost = true; /* the runner has just died; the tick makes it ready again */
    free(r->json);
    r->json = NULL;
}

/* What the runner is told; *json NULL: more than fits into a message. */
static int describe(struct keeper *k, const struct conf_hook *h, const struct store_run *run,
                    char **json)
{
    autobuf struct buf files = BUF_INIT(FILES_TEXT_MAX);
    struct msg_run msg = {.run = (uint64_t)run->row};
    struct store_task t;
    int rc;

    buf_addc(&files, '[');
    rc = k->store->ops->file_list(k->store, run->task, add_file, &files);
    if (rc == 0)
        rc = k->store->ops->task_by_row(k->store, run->task, &t);
    if (rc < 0)
        return rc;
    buf_addc(&files, ']');
    *json = hook_run_json(h, run, &t, buf_text(&files), store_source_name(t.source));
    msg.json = slice_str(*json);
    if (message_check(MSG_RUN, &msg) < 0) {
        free(*json);
        *json = NULL;
    }
    return 0;
}

static int claim_one(struct keeper *k, struct room *runner, int64_t row, struct err *err)
{
    struct running_table *running = &k->schedule->running;
    const struct conf_hook *h;
    struct store_run run;
    struct running *r;
    char *json = NULL;
    int rc = k->store->ops->run_by_row(k->store, row, &run);

    if (rc < 0)
        return err_sys(err, rc, "run %lld", (long long)row);
    h = conf_hook_find(k->conf, run.hook);
    if (h == NULL)
        return bury(k, &run, "its hook is no longer in the configuration", err);
    if (running_count(running, run.hook) >= (size_t)h->concurrency)
        return 0;
    run.state = RUN_RUNNING;
    run.attempt++;
    run.started_ms = clock_wall_ms();
    run.lease_ms = run.started_ms + h->timeout_ms + LEASE_SLACK_MS;
    rc = describe(k, h, &run, &json);
    if (rc < 0)
        return err_sys(err, rc, "run %lld", (long long)row);
    if (json == NULL)
        return bury(k, &run, "there is more to tell the runner than fits into a message", err);
    r = running_add(running, &run);
    r->attempt = run.attempt;
    r->room = room_id(runner);
    r->lease_ms = clock_mono_ms() + h->timeout_ms + LEASE_SLACK_MS;
    r->json = json;
    batch_then(k, hand_over, r);
    event_run_live(k, &run, "running");
    return k->store->ops->run_update(k->store, &run, err);
}

/* Hooks that have all the runs they may have at once. */
static size_t busy_hooks(const struct keeper *k, const char *names[CONF_MAX_HOOKS])
{
    size_t n = 0;

    for (size_t i = 0; i < k->conf->n_hooks; i++) {
        const struct conf_hook *h = &k->conf->hooks[i];

        if (running_count(&k->schedule->running, h->name) >= (size_t)h->concurrency)
            names[n++] = h->name;
    }
    return n;
}

/* One look at what is due. *more: it showed as much as was asked for, and a hook that has become
 * busy may have hidden the others'. */
static int claim_some(struct keeper *k, struct room *runner, int slots, bool *more, struct err *err)
{
    const char *busy[CONF_MAX_HOOKS];
    struct picked picked = {.n = 0};
    int most = slots < MAX_CLAIM ? slots : MAX_CLAIM;
    int rc = k->store->ops->run_due(k->store, clock_wall_ms(), busy, busy_hooks(k, busy), most,
                                    on_pick, &picked);

    if (rc < 0)
        return err_sys(err, rc, "runs that are due");
    for (size_t i = 0; rc == 0 && i < picked.n; i++)
        rc = claim_one(k, runner, picked.rows[i], err);
    *more = picked.n == (size_t)most;
    return rc;
}

void schedule_claim(struct keeper *k)
{
    struct schedule *s = k->schedule;
    struct room *runner = supervise_room(k->supervise, ROOM_RUNNER);
    struct err err = {""};
    bool more = true;
    int64_t next;
    int rc = 0;

    if (!s->dirty || runner == NULL || k->stopping)
        return;
    s->dirty = false;
    while (rc == 0 && more) {
        int slots = k->conf->limits.runs - (int)running_count(&s->running, NULL);

        if (slots <= 0)
            return; /* until one ends */
        rc = claim_some(k, runner, slots, &more, &err);
    }
    if (rc < 0) {
        batch_spoil(k, rc, &err);
        return;
    }
    next = k->store->ops->run_next_due(k->store);
    if (next > clock_wall_ms())
        arm(s, next);
}

/* -- outcomes -- */

int64_t schedule_pause_ms(const struct conf_hook *h, int attempt, int64_t retry_after_ms)
{
    int64_t ms = h->retry.from_ms;
    uint32_t dice;

    for (int i = 1; i < attempt && ms < h->retry.to_ms; i++)
        ms *= 2;
    if (ms > h->retry.to_ms)
        ms = h->retry.to_ms;
    crypto_random(&dice, sizeof(dice));
    ms += (int64_t)(dice % (uint64_t)(ms / 2 + 1));
    return ms > retry_after_ms ? ms : retry_after_ms;
}

/* Sets the run's next state from what the runner said. */
static void decide(const struct conf_hook *h, const struct msg_done *msg, struct store_run *run)
{
    int64_t now = clock_wall_ms();

    run->finished_ms = now;
    if (msg->outcome == RUN_OK) {
        run->state = RUN_DONE;
    } else if (h == NULL || msg->outcome == RUN_FATAL ||
               (msg->outcome == RUN_FAILED && run->attempt >= h->retry.attempts) ||
               now - run->created_ms > h->retry.max_age_ms) {
        run->state = RUN_DEAD;
    } else {
        run->state = RUN_READY;
        run->due_ms = now + schedule_pause_ms(h, run->attempt, msg->retry_after_ms);
    }
}

static void log_outcome(const struct store_run *run, const struct msg_done *msg)
{
    const char *detail = str_or(msg->detail.p, "");

    if (run->state == RUN_DONE)
        log_info("run.done", LOG_I("run", run->row), LOG_S("task", run->task_id),
                 LOG_S("hook", run->hook), LOG_I("attempt", run->attempt),
                 LOG_I("ms", msg->duration_ms));
    else if (run->state == RUN_DEAD)
        log_warn("run.dead", LOG_I("run", run->row), LOG_S("task", run->task_id),
                 LOG_S("hook", run->hook), LOG_I("attempt", run->attempt), LOG_S("why", detail));
    else
        log_info("run.again", LOG_I("run", run->row), LOG_S("task", run->task_id),
                 LOG_S("hook", run->hook), LOG_I("attempt", run->attempt), LOG_S("why", detail),
                 LOG_I("in_ms", run->due_ms - clock_wall_ms()));
}

static int record_outcome(struct keeper *k, const struct msg_done *msg, struct err *err)
{
    struct store_run run;
    int rc = k->store->ops->run_by_row(k->store, (int64_t)msg->run, &run);

    if (rc < 0)
        return rc == -ENOENT ? 0 : rc;
    decide(conf_hook_find(k->conf, run.hook), msg, &run);
    run.exit_code = msg->exit_code;
    run.detail = str_or(msg->detail.p, "");
    run.output = str_or(msg->output.p, "");
    log_outcome(&run, msg);
    rc = event_files(k, &run, msg->files, err);
    return rc < 0 ? rc : conclude(k, &run, err);
}

static void on_recorded(struct keeper *k, bool ok, void *ctx)
{
    struct running *r = ctx;

    r->settling = false;
    if (ok)
        forget(k->schedule, r);
    else
        r->lost = true;
}

/* The outcome is in the open batch: once, whoever reports it next. */
static void settle(struct keeper *k, struct running *r)
{
    r->lost = false;
    r->settling = true;
    batch_then(k, on_recorded, r);
}

void schedule_on_done(struct keeper *k, const struct frame *f)
{
    struct msg_done msg;
    struct running *r;
    struct err err = {""};
    int rc;

    if (message_read(f, &msg) < 0)
        return;
    r = running_find(&k->schedule->running, (int64_t)msg.run);
    if (r == NULL || r->settling || r->attempt != (int)msg.attempt)
        return;
    if (batch_begin(k) < 0) {
        r->lost = true;
        return;
    }
    settle(k, r);
    k->schedule->dirty = true;
    rc = record_outcome(k, &msg, &err);
    if (rc < 0)
        batch_spoil(k, rc, &err);
}

void schedule_on_progress(struct keeper *k, const struct frame *f)
{
    struct msg_progress msg;
    struct running *r;

    if (message_read(f, &msg) < 0)
        return;
    r = running_find(&k->schedule->running, (int64_t)msg.run);
    if (r == NULL)
        return;
    r->done = msg.done;
    r->total = msg.total;
    event_progress(k, r->task_id, r->hook, &msg);
}

void schedule_on_up(struct keeper *k)
{
    wake(k);
}

/* Ready again, at once: its attempt is counted, its side effect may have happened. */
static int requeue(struct keeper *k, const struct running *r, struct err *err)
{
    struct store_run run;
    int rc = k->store->ops->run_by_row(k->store, r->run, &run);

    if (rc < 0 || run.state != RUN_RUNNING)
        return rc == -ENOENT ? 0 : rc;
    log_warn("run.interrupted", LOG_I("run", run.row), LOG_S("task", r->task_id),
             LOG_S("hook", run.hook), LOG_I("attempt", run.attempt));
    run.state = RUN_READY;
    run.due_ms = clock_wall_ms();
    run.detail = "interrupted; made again";
    k->schedule->dirty = true;
    return k->store->ops->run_update(k->store, &run, err);
}

static void requeue_lost(struct keeper *k)
{
    const struct running_table *t = &k->schedule->running;
    struct err err = {""};
    size_t i = 0;
    int rc = 0;

    while (i < t->n && !t->rows[i]->lost)
        i++;
    if (i == t->n || batch_begin(k) < 0) /* which may end a batch, and with it some rows */
        return;
    for (i = 0; i < t->n && rc == 0; i++)
        if (t->rows[i]->lost) {
            rc = requeue(k, t->rows[i], &err);
            settle(k, t->rows[i]);
        }
    if (rc < 0)
        batch_spoil(k, rc, &err);
}

void schedule_on_gone(struct keeper *k, const struct room *room)
{
    const struct running_table *t = &k->schedule->running;

    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i]->room == room_id(room) && !t->rows[i]->settling)
            t->rows[i]->lost = true;
    requeue_lost(k);
}

/* The runner had its own time-out, and all the time it takes to enforce it. */
static void end_lease(struct keeper *k, struct running *r)
{
    struct room *room = supervise_by_id(k->supervise, r->room);
    struct msg_cancel msg = {.run = (uint64_t)r->run};

    if (room != NULL)
        channel_send(room_channel(room), MSG_CANCEL, (uint64_t)r->run, &msg);
    r->lost = true;
}

void schedule_tick(struct keeper *k)
{
    const struct running_table *t = &k->schedule->running;
    int64_t next = k->store->ops->run_next_due(k->store);
    int64_t now = clock_mono_ms();

    for (size_t i = 0; i < t->n; i++)
        if (!t->rows[i]->lost && !t->rows[i]->settling && now >= t->rows[i]->lease_ms)
            end_lease(k, t->rows[i]);
    requeue_lost(k);
    if (!k->stopping && next != 0 && next <= clock_wall_ms())
        wake(k);
}

size_t schedule_running(const struct keeper *k)
{
    return k->schedule->running.n;
}

bool schedule_progress(const struct keeper *k, int64_t run, uint64_t *done, uint64_t *total)
{
    const struct running *r = running_find(&k->schedule->running, run);

    if (r == NULL || r->done == 0)
        return false;
    *done = r->done;
    *total = r->total;
    return true;
}

int64_t schedule_task_of(const struct keeper *k, int64_t run)
{
    const struct running *r = running_find(&k->schedule->running, run);

    return r != NULL ? r->task : 0;
}

struct schedule *schedule_new(struct keeper *k)
{
    struct schedule *s = mem_calloc(1, sizeof(*s));

    s->k = k;
    s->due = evtimer_new(k->base, on_due, k);
    return s;
}

void schedule_free(struct schedule *s)
{
    if (s == NULL)
        return;
    running_clear(&s->running);
    event_free(s->due);
    free(s);
}
