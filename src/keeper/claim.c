/* SPDX-License-Identifier: MIT */
#include "keeper/claim.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/batch.h"
#include "keeper/describe.h"
#include "keeper/events.h"
#include "keeper/follow.h"
#include "keeper/orphans.h"
#include "keeper/outcome.h"
#include "keeper/pauses.h"
#include "keeper/places.h"
#include "keeper/rates.h"
#include "keeper/schedule_inner.h"

#include <event2/event.h>

#define LEASE_SLACK_MS 90000 /* the runner's own time-out, TERM, KILL and report come first */
#define MAX_CLAIM      64
#define MAX_HELD       64
#define CLAIM_SPARE    8 /* those of hooks that are gone, or that have to wait */

/* NULL: nothing may begin at the moment. */
static struct room *runner_of(const struct keeper *k)
{
    if (k->stopping || orphans_ending(k->orphans))
        return NULL;
    return supervise_room(k->supervise, ROOM_RUNNER);
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

static void send_run(struct keeper *k, struct running *r)
{
    struct room *room = supervise_by_id(k->supervise, r->room);
    struct msg_run msg = {
        .run = (uint64_t)r->run, .attempt = (uint32_t)r->attempt, .text = slice_str(r->text)};

    if (room == NULL || channel_send(room_channel(room), MSG_RUN, (uint64_t)r->run, &msg) < 0)
        r->lost = true; /* the runner has just died; the tick makes it ready again */
    else
        follow_begun(k, r->run, room);
    free(r->text);
    r->text = NULL;
}

static void hand_over(struct keeper *k, bool ok, void *ctx)
{
    if (ok)
        send_run(k, ctx);
    else /* the claim was not written, so there is none */
        schedule_forget(k->schedule, ctx);
}

static bool has_place(const struct keeper *k, const struct conf_hook *h)
{
    return !pauses_has(k->pauses, h->name) && rates_wait_ms(k->rates, h) == 0 &&
           places_has(k->conf, &k->schedule->running, h);
}

/* With a rate, what begins next is not known yet. */
static bool may_hold(const struct keeper *k, const struct conf_hook *h)
{
    const struct running_table *t = &k->schedule->running;

    return h->rate.n == 0 && !pauses_has(k->pauses, h->name) &&
           running_held(t, h->name) < (size_t)h->concurrency && running_held(t, NULL) < MAX_HELD;
}

/* In the open batch: the run has a place. r->text is what the runner will be told. */
static int begin_run(struct keeper *k, const struct conf_hook *h, struct running *r,
                     struct store_run *run, struct err *err)
{
    run->state = RUN_RUNNING;
    run->started_ms = clock_wall_ms();
    run->lease_ms = run->started_ms + h->timeout_ms + LEASE_SLACK_MS;
    r->held = false;
    r->room = room_id(supervise_room(k->supervise, ROOM_RUNNER));
    r->lease_ms = clock_mono_ms() + h->timeout_ms + LEASE_SLACK_MS;
    rates_spend(k->rates, h);
    event_run_live(k, run, "running");
    return k->store->ops->run_update(k->store, run, err);
}

/* What has to be so at the time of handing over; *why: it can never be made, and *json is NULL. */
static int prepare(struct keeper *k, const struct conf_hook *h, const struct store_run *run,
                   char **json, const char **why, struct err *err)
{
    *why = h == NULL                           ? "its hook is no longer in the configuration"
           : run->losses >= OUTCOME_LOSSES_MAX ? OUTCOME_LOST_WHY
                                               : NULL;
    return *why != NULL ? 0 : describe_run(k, h, run, json, why, err);
}

/* Its attempt was counted by an earlier commit, so it need not wait for this one. */
static int begin_held(struct keeper *k, struct running *r, struct err *err)
{
    const struct conf_hook *h = conf_hook_find(k->conf, r->hook);
    const char *why;
    struct store_run run;
    int rc = k->store->ops->run_by_row(k->store, r->run, &run);

    if (rc < 0)
        return err_sys(err, rc, "run %lld", (long long)r->run);
    rc = prepare(k, h, &run, &r->text, &why, err);
    if (rc < 0)
        return rc;
    if (why != NULL) {
        schedule_settle(k, r);
        return outcome_bury(k, &run, why, err);
    }
    rc = begin_run(k, h, r, &run, err);
    if (rc == 0)
        send_run(k, r);
    return rc;
}

void claim_begin_held(struct keeper *k)
{
    const struct running_table *t = &k->schedule->running;
    struct err err = {""};
    int rc = 0;

    if (runner_of(k) == NULL)
        return;
    for (size_t i = 0; i < t->n && rc == 0; i++) {
        const struct conf_hook *h = conf_hook_find(k->conf, t->rows[i]->hook);

        if (schedule_may_begin(t->rows[i]) && (h == NULL || has_place(k, h)))
            rc = begin_held(k, t->rows[i], &err);
    }
    if (rc < 0)
        batch_spoil(k, rc, &err);
}

static void hold(struct keeper *k, bool ok, void *ctx)
{
    struct running *r = ctx;
    const struct conf_hook *h = conf_hook_find(k->conf, r->hook);

    if (!ok) {
        schedule_forget(k->schedule, r);
        return;
    }
    r->counted = true;
    if (k->stopping)
        schedule_on_stop(k);
    else if (h == NULL || has_place(k, h))
        schedule_wake(k);
}

/* A suspect needs a place, and no other suspect beside it: when the runner dies again, it was not
 * the fault of one that only happened to be there. */
static bool may_claim(const struct keeper *k, const struct conf_hook *h,
                      const struct store_run *run, bool place)
{
    if (run->losses > 0)
        return place && !running_suspect(&k->schedule->running);
    return place || may_hold(k, h);
}

/* 1 when it is claimed, or dead; 0 when it stays. */
static int claim_one(struct keeper *k, int64_t row, struct err *err)
{
    const struct conf_hook *h;
    const char *why = NULL;
    struct store_run run;
    struct running *r;
    char *json = NULL;
    bool place;
    int rc = k->store->ops->run_by_row(k->store, row, &run);

    if (rc < 0)
        return err_sys(err, rc, "run %lld", (long long)row);
    h = conf_hook_find(k->conf, run.hook);
    place = h == NULL || has_place(k, h);
    if (!may_claim(k, h, &run, place))
        return 0;
    run.attempt++;
    rc = place ? prepare(k, h, &run, &json, &why, err) : 0;
    if (rc < 0)
        return rc;
    if (why != NULL) {
        run.attempt--;
        rc = outcome_bury(k, &run, why, err);
        return rc < 0 ? rc : 1;
    }
    r = running_add(&k->schedule->running, &run);
    r->text = json;
    r->held = !place;
    batch_then(k, place ? hand_over : hold, r);
    rc = place ? begin_run(k, h, r, &run, err) : k->store->ops->run_update(k->store, &run, err);
    return rc < 0 ? rc : 1;
}

/* A look at what is due costs as much as several claims, so what is held is filled up by halves. */
static bool is_busy(const struct keeper *k, const struct conf_hook *h)
{
    size_t held = running_held(&k->schedule->running, h->name);

    return !has_place(k, h) && (!may_hold(k, h) || held > (size_t)h->concurrency / 2);
}

/* Hooks that have all the runs they may have at once; *room: about how many the others may claim.
 */
static size_t busy_hooks(const struct keeper *k, const char *names[CONF_MAX_HOOKS], size_t *room)
{
    size_t n = 0;

    *room = CLAIM_SPARE;
    for (size_t i = 0; i < k->conf->n_hooks; i++) {
        const struct conf_hook *h = &k->conf->hooks[i];

        if (is_busy(k, h))
            names[n++] = h->name;
        else
            *room += places_most(h) + (size_t)h->concurrency;
    }
    return n;
}

/* One look at what is due. *more: it showed as much as was asked for, and a hook that has become
 * busy, or suspects behind one that begins, may have hidden others. */
static int claim_some(struct keeper *k, size_t slots, bool *more, struct err *err)
{
    const struct running_table *t = &k->schedule->running;
    const char *busy[CONF_MAX_HOOKS];
    int64_t rows[MAX_CLAIM + MAX_HELD];
    size_t room;
    size_t n_busy = busy_hooks(k, busy, &room);
    size_t limit = running_held(t, NULL) + (room < slots ? room : slots);
    int seen;
    int claimed = 0, rc = 0;

    if (limit > ARRAY_LEN(rows))
        limit = ARRAY_LEN(rows);
    seen = k->store->ops->run_due(k->store, clock_wall_ms(), busy, n_busy, !running_suspect(t),
                                  rows, (int)limit);
    if (seen < 0)
        return err_sys(err, seen, "runs that are due");
    *more = (size_t)seen == limit;
    for (int i = 0; i < seen && rc >= 0; i++) {
        if (running_find(t, rows[i]) != NULL) /* it is held already */
            continue;
        rc = claim_one(k, rows[i], err);
        claimed += rc > 0;
        if (rc == 0 && busy_hooks(k, busy, &room) == k->conf->n_hooks) {
            *more = false;
            break;
        }
    }
    *more = *more && claimed > 0;
    return rc < 0 ? rc : 0;
}

/* Places, and then as many more as may be held. */
static size_t free_slots(const struct keeper *k)
{
    const struct running_table *t = &k->schedule->running;

    return places_free(k->conf, t) + MAX_HELD - running_held(t, NULL);
}

/* When the next run is due, or a hook may go on that has to keep its rate. What is due already
 * waits for something else, and must not hide what comes after it. now: before the looks. */
static void arm_next(struct schedule *s, int64_t now)
{
    struct store *store = s->k->store;
    int64_t next = store->ops->run_next_due(store, now);
    int64_t wait = rates_next_ms(s->k->rates, s->k->conf);

    if (wait != 0 && (next == 0 || now + wait < next) && store->ops->run_next_due(store, 0) != 0)
        next = now + wait;
    if (next != 0)
        arm(s, next);
}

void claim_due(struct keeper *k)
{
    struct schedule *s = k->schedule;
    int64_t now = clock_wall_ms();
    struct err err = {""};
    bool more = true;
    int rc = 0;

    if (!s->dirty || runner_of(k) == NULL)
        return;
    s->dirty = false;
    claim_begin_held(k);
    while (rc == 0 && more && !batch_spoiled(k)) {
        size_t slots = free_slots(k);

        if (slots == 0)
            return; /* until one ends */
        rc = claim_some(k, slots, &more, &err);
    }
    if (rc < 0) {
        batch_spoil(k, rc, &err);
        return;
    }
    arm_next(s, now);
}
