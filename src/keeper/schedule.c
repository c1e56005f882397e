/* SPDX-License-Identifier: MIT */
#include "keeper/schedule.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/batch.h"
#include "keeper/claim.h"
#include "keeper/events.h"
#include "keeper/outcome.h"
#include "keeper/schedule_inner.h"

#include <errno.h>
#include <event2/event.h>

void schedule_forget(struct schedule *s, struct running *r)
{
    running_remove(&s->running, r);
    s->dirty = true;
}

void schedule_look(struct keeper *k)
{
    k->schedule->dirty = true;
}

void schedule_wake(struct keeper *k)
{
    k->schedule->dirty = true;
    if (batch_begin(k) < 0)
        log_debug("schedule.waits", LOG_S("for", "the store"));
}

static void on_due(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    schedule_wake(ctx);
}

int schedule_retry(struct keeper *k, int64_t row, int64_t due_ms, struct err *err)
{
    struct running *r = running_find(&k->schedule->running, row);
    struct store_run run;
    int rc = k->store->ops->run_by_row(k->store, row, &run);

    if (rc < 0)
        return err_set(err, rc, "there is no run %lld", (long long)row);
    if (run.state == RUN_RUNNING || (r != NULL && !schedule_may_begin(r)))
        return err_set(err, -EALREADY, "run %lld is running", (long long)row);
    if (run.state == RUN_WAITING)
        return err_set(err, -EALREADY, "run %lld waits for the hook %s", (long long)row, run.after);
    rc = outcome_revive(k, &run, due_ms, err);
    if (rc < 0)
        return rc;
    if (r != NULL)
        schedule_forget(k->schedule, r);
    k->schedule->dirty = true;
    return 0;
}

static void end_run(struct keeper *k, const struct running *r)
{
    struct room *room = supervise_by_id(k->supervise, r->room);
    struct msg_cancel msg = {.run = (uint64_t)r->run};

    if (room != NULL)
        channel_send(room_channel(room), MSG_CANCEL, (uint64_t)r->run, &msg);
}

static void on_cancelled(struct keeper *k, bool ok, void *ctx)
{
    int64_t *row = ctx;
    const struct running *r = running_find(&k->schedule->running, *row);

    if (ok && r != NULL)
        end_run(k, r);
    free(row);
}

int schedule_cancel(struct keeper *k, int64_t row, bool *running, struct err *err)
{
    struct running *r = running_find(&k->schedule->running, row);
    struct store_run run;
    int64_t *copy;
    int rc = k->store->ops->run_by_row(k->store, row, &run);

    if (rc < 0)
        return err_set(err, rc, "there is no run %lld", (long long)row);
    if (run.state >= RUN_DONE || (r != NULL && r->settling))
        return err_set(err, -EALREADY, "run %lld is over: %s", (long long)row,
                       run.state >= RUN_DONE ? run_state_name(run.state) : "just now");
    if (r != NULL && schedule_may_begin(r)) {
        schedule_forget(k->schedule, r);
        r = NULL;
    }
    *running = r != NULL;
    if (r != NULL) { /* its place is free when the runner says so */
        copy = mem_calloc(1, sizeof(*copy));
        *copy = row;
        batch_then(k, on_cancelled, copy);
    }
    return outcome_cancel(k, &run, err);
}

/* -- outcomes -- */

static void on_recorded(struct keeper *k, bool ok, void *ctx)
{
    struct running *r = ctx;

    r->settling = false;
    if (ok)
        schedule_forget(k->schedule, r);
    else
        r->lost = true;
}

void schedule_settle(struct keeper *k, struct running *r)
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
    schedule_settle(k, r);
    k->schedule->dirty = true;
    rc = outcome_record(k, &msg, &err);
    if (rc < 0)
        batch_spoil(k, rc, &err);
    else
        claim_begin_held(k);
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
    schedule_wake(k);
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
            rc = outcome_lost(k, t->rows[i]->run, &err);
            schedule_settle(k, t->rows[i]);
            k->schedule->dirty = true;
        }
    if (rc < 0)
        batch_spoil(k, rc, &err);
}

bool schedule_on_gone(struct keeper *k, const struct room *room)
{
    const struct running_table *t = &k->schedule->running;
    bool lost = false;

    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i]->room == room_id(room) && !t->rows[i]->settling)
            lost = t->rows[i]->lost = true;
    requeue_lost(k);
    return lost;
}

/* What is held will not begin any more: its attempt is given back. */
static int give_back(struct keeper *k, struct running *r, struct err *err)
{
    struct store_run run;
    int rc = k->store->ops->run_by_row(k->store, r->run, &run);

    if (rc < 0)
        return err_sys(err, rc, "run %lld", (long long)r->run);
    run.attempt--;
    schedule_settle(k, r);
    return k->store->ops->run_update(k->store, &run, err);
}

void schedule_on_stop(struct keeper *k)
{
    const struct running_table *t = &k->schedule->running;
    struct err err = {""};
    int rc = 0;

    if (running_held(t, NULL) == 0 || batch_begin(k) < 0)
        return;
    for (size_t i = 0; i < t->n && rc == 0; i++)
        if (schedule_may_begin(t->rows[i]))
            rc = give_back(k, t->rows[i], &err);
    if (rc < 0)
        batch_spoil(k, rc, &err);
}

/* The runner had its own time-out, and all the time it takes to enforce it. */
static void end_lease(struct keeper *k, struct running *r)
{
    end_run(k, r);
    r->lost = true;
}

void schedule_tick(struct keeper *k)
{
    const struct running_table *t = &k->schedule->running;
    int64_t next = k->store->ops->run_next_due(k->store, 0);
    int64_t now = clock_mono_ms();

    for (size_t i = 0; i < t->n; i++)
        if (!t->rows[i]->lost && !t->rows[i]->settling && !t->rows[i]->held &&
            now >= t->rows[i]->lease_ms)
            end_lease(k, t->rows[i]);
    requeue_lost(k);
    if (!k->stopping && next != 0 && next <= clock_wall_ms())
        schedule_wake(k);
}

size_t schedule_running(const struct keeper *k)
{
    return k->schedule->running.n - running_held(&k->schedule->running, NULL);
}

const struct running *schedule_find(const struct keeper *k, int64_t run)
{
    return running_find(&k->schedule->running, run);
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
