/* SPDX-License-Identifier: MIT */
#include "keeper/looks.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/alarms.h"
#include "keeper/batch.h"
#include "keeper/events.h"
#include "keeper/judge.h"
#include "keeper/pace.h"
#include "keeper/query.h"
#include "keeper/record.h"
#include "keeper/schedule.h"
#include "wire/command.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>

#define MAX_ASKED          32
#define SWEEP_SECONDS      5      /* how many seconds of looks one step of the sweep is for */
#define ANSWER_DEADLINE_MS 120000 /* the gateway's own, for all that may be before it */
#define MAX_REFRESHES      64
#define UNANSWERED_MS      (7 * 24 * 3600000LL) /* longer, when the provider cannot be asked */
#define ORPHAN_AFTER_MS    (3600 * 1000LL)

struct asked {
    int64_t task;     /* 0: free */
    unsigned room;    /* the gateway */
    int64_t asked_ms; /* wall clock */
    int64_t deadline_ms;
};

/* Who waits for fresh links: a run, or a question of the command line. */
struct refresh {
    int64_t task; /* 0: free */
    uint64_t run; /* 0: the command line's */
    unsigned room;
    uint64_t id;
};

struct looks {
    struct event *timer;
    struct asked asked[MAX_ASKED];
    struct refresh refreshes[MAX_REFRESHES];
    struct pace pace;
    struct store_sweep sweep; /* over what was unfinished when the daemon started */
};

int64_t look_later(const struct keeper *k, const struct store_task *t)
{
    return pace_later(k->conf, t);
}

int64_t looks_paused(const struct keeper *k, const struct store_task *t)
{
    return pace_paused(&k->looks->pace, t->provider);
}

static void arm(struct looks *l, int64_t ms)
{
    struct timeval tv;

    if (ms < 1)
        ms = 1;
    if (ms > 3600000)
        ms = 3600000;
    tv = (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    evtimer_add(l->timer, &tv);
}

void looks_expect(struct keeper *k, int64_t wall_ms)
{
    int64_t ms = wall_ms - clock_wall_ms();
    struct timeval armed;
    struct timeval now;

    if (wall_ms == 0)
        return;
    event_base_gettimeofday_cached(k->base, &now);
    if (!evtimer_pending(k->looks->timer, &armed) ||
        (armed.tv_sec - now.tv_sec) * 1000 + (armed.tv_usec - now.tv_usec) / 1000 > ms)
        arm(k->looks, ms);
}

static struct asked *find_asked(struct looks *l, int64_t task)
{
    for (size_t i = 0; i < MAX_ASKED; i++)
        if (l->asked[i].task == task)
            return &l->asked[i];
    return NULL;
}

static void answer_refresh(struct keeper *k, const struct refresh *r, const char *result,
                           const char *error)
{
    struct room *room = supervise_by_id(k->supervise, r->room);
    struct msg_fresh msg = {.run = r->run, .result = slice_str(result), .error = slice_str(error)};

    if (room == NULL)
        return;
    if (r->run != 0)
        channel_send(room_channel(room), MSG_FRESH, r->id, &msg);
    else if (error == NULL)
        batch_result(k, room, r->id, 0, mem_printf("{\"result\":%s}", result));
    else
        query_refuse(k, &(struct question){.room = room, .id = r->id}, EXIT_FAILED, "%s", error);
}

/* Fresh links, or word that there are none, to everyone who waits for this task's. */
static void answer_refreshes(struct keeper *k, int64_t task, const char *result, const char *error)
{
    for (size_t i = 0; i < MAX_REFRESHES; i++) {
        struct refresh *r = &k->looks->refreshes[i];

        if (r->task != task)
            continue;
        answer_refresh(k, r, result, error);
        r->task = 0;
    }
}

/* Nobody will tell any more. */
static void give_up(struct keeper *k, struct asked *asked, const char *why)
{
    int64_t task = asked->task;

    asked->task = 0;
    answer_refreshes(k, task, NULL, why);
}

static bool waits_for_fresh(const struct looks *l, int64_t task)
{
    for (size_t i = 0; i < MAX_REFRESHES; i++)
        if (l->refreshes[i].task == task)
            return true;
    return false;
}

/* -- asking -- */

static int ask(struct keeper *k, const struct store_task *t)
{
    struct room *gateway = supervise_room(k->supervise, ROOM_GATEWAY);
    struct asked *slot = find_asked(k->looks, 0);
    struct msg_poll msg = {.task = slice_str(t->id),
                           .provider = slice_str(t->provider),
                           .endpoint = slice_str(t->endpoint),
                           .remote_id = slice_str(t->remote_id)};

    if (gateway == NULL || slot == NULL)
        return -EAGAIN;
    slot->task = t->row;
    slot->room = room_id(gateway);
    slot->asked_ms = clock_wall_ms();
    slot->deadline_ms = clock_mono_ms() + ANSWER_DEADLINE_MS;
    if (channel_send(room_channel(gateway), MSG_POLL, (uint64_t)t->row, &msg) == 0)
        return 0;
    slot->task = 0;
    return -EAGAIN;
}

struct due {
    struct keeper *k;
    int64_t rows[MAX_ASKED];
    size_t n, most;
};

static int on_due_task(const struct store_task *t, void *ctx)
{
    struct due *due = ctx;

    if (find_asked(due->k->looks, t->row) == NULL)
        due->rows[due->n++] = t->row;
    return due->n == due->most;
}

static bool is_lost(const struct store_task *t, int64_t more_ms)
{
    return !state_is_final(t->state) &&
           clock_wall_ms() - t->created_ms > pace_lost_after(t) + more_ms;
}

/* The gateway that submitted it has ended, or has long given up. */
static bool is_orphan(const struct keeper *k, const struct store_task *t)
{
    return t->state == STATE_REGISTERED &&
           (t->created_ms < k->started_ms || clock_wall_ms() - t->created_ms > ORPHAN_AFTER_MS);
}

/* Its provider wishes to be left alone: it comes again when that is over. */
static int postpone(struct keeper *k, struct store_task *t, int64_t until_ms, struct err *err)
{
    int64_t later = look_later(k, t);

    t->next_look_ms = later > until_ms ? later : until_ms + later % 1000;
    return k->store->ops->task_update(k->store, t, err);
}

/* A task without a remote id cannot be looked at: it waits for its callback, or is lost. Any other
 * is asked for before it is: it may have ended while we were down. */
static int look_at(struct keeper *k, int64_t row, struct err *err)
{
    struct store_task t;
    int64_t paused;
    int rc;

    if (batch_begin(k) < 0) /* it may end a batch, so the task is read after it */
        return -EAGAIN;
    rc = k->store->ops->task_by_row(k->store, row, &t);
    if (rc < 0)
        return err_sys(err, rc, "a task whose look is due");
    paused = looks_paused(k, &t);
    if (t.remote_id[0] != '\0' && paused != 0)
        return postpone(k, &t, paused, err);
    if (t.remote_id[0] != '\0')
        return ask(k, &t);
    if (is_orphan(k, &t))
        return record_unanswered(k, &t, err);
    if (is_lost(&t, 0))
        return judge_lost(k, &t, NULL, err);
    t.looks++;
    t.next_look_ms = look_later(k, &t);
    return k->store->ops->task_update(k->store, &t, err);
}

static size_t room_for(struct looks *l, const struct conf *c)
{
    int allowed = pace_allowance(&l->pace, c->limits.looks);
    size_t room = 0;

    for (size_t i = 0; i < MAX_ASKED; i++)
        room += l->asked[i].task == 0;
    return allowed <= 0 ? 0 : (size_t)allowed < room ? (size_t)allowed : room;
}

/* A step that did not reach the disk: what it made due is not, so the walk begins anew. */
static void on_swept(struct keeper *k, bool ok, void *ctx)
{
    (void)ctx;
    if (!ok)
        k->looks->sweep = (struct store_sweep){.begun = false};
}

/* Only when fewer are due by themselves than may be asked for: nobody waits for the sweep. */
static int sweep(struct keeper *k, struct err *err)
{
    struct looks *l = k->looks;
    int rc;

    if (l->sweep.over)
        return 0;
    if (batch_begin(k) < 0)
        return -EAGAIN;
    rc = k->store->ops->task_sweep(k->store, &l->sweep, clock_wall_ms(),
                                   k->conf->limits.looks * SWEEP_SECONDS, err);
    if (rc == 0 && l->sweep.n > 0)
        batch_then(k, on_swept, NULL);
    if (rc == 0 && l->sweep.n > 0)
        log_info("looks.at_start", LOG_I("tasks", l->sweep.n), LOG_I("all", l->sweep.over));
    return rc;
}

/* The tasks that are to be asked for now. */
static int find_due(struct keeper *k, struct due *due, struct err *err)
{
    int rc = 0;

    for (int round = 0; round < 2; round++) {
        due->n = 0;
        rc = k->store->ops->task_looks(k->store, clock_wall_ms(), MAX_ASKED + (int)due->most,
                                       on_due_task, due);
        if (rc < 0)
            return err_sys(err, rc, "looks that are due");
        if (due->n == due->most || round == 1)
            break;
        rc = sweep(k, err);
        if (rc < 0)
            break;
    }
    return rc;
}

void looks_wake(struct keeper *k)
{
    struct looks *l = k->looks;
    struct due due = {.k = k};
    struct err err = {""};
    int64_t next;
    int rc;

    if (k->stopping || supervise_room(k->supervise, ROOM_GATEWAY) == NULL)
        return;
    due.most = room_for(l, k->conf);
    if (due.most == 0) {
        arm(l, pace_rest_ms(&l->pace));
        return;
    }
    rc = find_due(k, &due, &err);
    for (size_t i = 0; rc == 0 && i < due.n; i++) {
        pace_spend(&l->pace);
        rc = look_at(k, due.rows[i], &err);
    }
    if (rc < 0 && rc != -EAGAIN)
        batch_spoil(k, rc, &err);
    next = k->store->ops->task_next_look(k->store);
    if (next != 0) /* due, but not to be asked yet: try again in a second */
        arm(l, next > clock_wall_ms() && l->sweep.over ? next - clock_wall_ms()
                                                       : pace_rest_ms(&l->pace));
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    looks_wake(ctx);
}

void looks_tick(struct keeper *k)
{
    int64_t now = clock_mono_ms();

    for (size_t i = 0; i < MAX_ASKED; i++) {
        struct asked *asked = &k->looks->asked[i];

        if (asked->task != 0 && now > asked->deadline_ms)
            give_up(k, asked, "the gateway gives no answer");
    }
}

/* -- answers -- */

static bool is_answered(const struct msg_polled *msg)
{
    return msg->report.understood && msg->error.n == 0;
}

/* A final state that is about to be confirmed is not lost, and neither is a task of which its
 * provider says nothing at all: not for some days. */
static int record_lost(struct keeper *k, struct store_task *t, const struct msg_polled *msg,
                       struct err *err)
{
    bool said = (is_answered(msg) && !state_is_final(t->pending)) || msg->http_status == 404;

    return is_lost(t, said ? 0 : UNANSWERED_MS) ? judge_lost(k, t, NULL, err) : 0;
}

/* The first, second, fourth, eighth ... look that failed stands in the story of its task: one that
 * fails for a week does not fill the store. */
static int record_failed_look(struct keeper *k, struct store_task *t, const struct msg_polled *msg,
                              struct err *err)
{
    autofree char *why = msg->error.n != 0 ? mem_strndup(msg->error.p, msg->error.n)
                                           : mem_strdup("its answer is not understood");
    autofree char *detail = mem_printf("look %d: %s", t->looks, why);
    struct news news = {.source = SOURCE_POLL, .verdict = "failed", .detail = detail};

    if (msg->http_status < 400 || msg->http_status >= 500)
        alarms_on_silence(k, t->provider, why);
    log_warn("look.failed", LOG_S("task", t->id), LOG_S("provider", t->provider),
             LOG_I("status", msg->http_status), LOG_B("why", msg->error.p, msg->error.n));
    return (t->looks & (t->looks - 1)) == 0 ? event_task(k, t, &news, err)
                                            : k->store->ops->task_update(k->store, t, err);
}

/* What the answer means for the looks to come; true: the task does not exist, finally. */
static bool note_answer(struct keeper *k, struct store_task *t, const struct msg_polled *msg)
{
    if (msg->retry_after_ms > 0)
        pace_pause(&k->looks->pace, t->provider, clock_wall_ms() + msg->retry_after_ms);
    if (is_answered(msg) || (msg->http_status >= 400 && msg->http_status < 500))
        alarms_on_answer(k, t->provider);
    if (is_answered(msg))
        t->misses = 0;
    return msg->http_status == 404 && pace_miss(t) && !state_is_final(t->pending);
}

/* A look that was wished for after this one had begun is still to be made. */
static int record_look(struct keeper *k, struct store_task *t, int64_t asked_ms,
                       const struct msg_polled *msg, struct err *err)
{
    int64_t earliest = clock_wall_ms() + (msg->retry_after_ms > 0 ? msg->retry_after_ms : 0);
    bool gone = note_answer(k, t, msg);
    int rc;

    t->looks++;
    if (t->next_look_ms <= asked_ms)
        t->next_look_ms = state_is_final(t->state) ? 0 : look_later(k, t);
    if (t->next_look_ms != 0 && t->next_look_ms < earliest)
        t->next_look_ms = earliest;
    rc = is_answered(msg) ? judge_poll(k, t, &msg->report, msg->body, err)
                          : record_failed_look(k, t, msg, err);
    if (rc == 0 && gone && !state_is_final(t->state))
        return judge_lost(k, t, "its provider has said three times that there is no such task",
                          err);
    return rc < 0 ? rc : record_lost(k, t, msg, err);
}

static void tell_waiting(struct keeper *k, const struct store_task *t, const struct msg_polled *msg)
{
    if (is_answered(msg) && !str_empty(t->result))
        answer_refreshes(k, t->row, t->result, NULL);
    else
        answer_refreshes(k, t->row, NULL, "the provider gave no fresh links");
}

void looks_on_polled(struct keeper *k, const struct frame *f)
{
    struct asked *asked = find_asked(k->looks, (int64_t)f->id);
    struct err err = {""};
    struct msg_polled msg;
    struct store_task t;
    bool full;
    int rc;

    if (message_read(f, &msg) < 0 || asked == NULL || f->id == 0)
        return;
    full = find_asked(k->looks, 0) == NULL;
    asked->task = 0;
    if (batch_begin(k) < 0) {
        answer_refreshes(k, (int64_t)f->id, NULL, "the store is not taking writes");
        return;
    }
    rc = k->store->ops->task_by_row(k->store, (int64_t)f->id, &t);
    if (rc == -ENOENT) {
        answer_refreshes(k, (int64_t)f->id, NULL, "the task is gone");
        return;
    }
    rc = rc == 0 ? record_look(k, &t, asked->asked_ms, &msg, &err)
                 : err_sys(&err, rc, "a task that was looked at");
    if (rc < 0) {
        batch_spoil(k, rc, &err);
        answer_refreshes(k, (int64_t)f->id, NULL, "the store is not taking writes");
        return;
    }
    tell_waiting(k, &t, &msg);
    looks_expect(k, t.next_look_ms);
    if (full) /* others wait for the place */
        arm(k->looks, 1);
}

void looks_on_gone(struct keeper *k, const struct room *gateway)
{
    for (size_t i = 0; i < MAX_ASKED; i++) {
        struct asked *asked = &k->looks->asked[i];

        if (asked->task != 0 && asked->room == room_id(gateway))
            give_up(k, asked, "the gateway was restarted");
    }
}

/* -- refreshing -- */

static void refresh(struct keeper *k, const struct refresh *wish)
{
    struct looks *l = k->looks;
    bool asked = waits_for_fresh(l, wish->task) || find_asked(l, wish->task) != NULL;
    struct store_task t;
    int rc = 0;

    for (size_t i = 0; i < MAX_REFRESHES; i++) {
        if (l->refreshes[i].task != 0)
            continue;
        l->refreshes[i] = *wish;
        if (!asked)
            rc = k->store->ops->task_by_row(k->store, wish->task, &t);
        if (!asked && rc == 0)
            rc = ask(k, &t);
        if (rc < 0)
            answer_refreshes(k, wish->task, NULL, "the provider cannot be asked now");
        return;
    }
    log_warn("refresh.too_many", LOG_I("waiting", MAX_REFRESHES));
    answer_refresh(k, wish, NULL, "too many wait for fresh links already");
}

void looks_on_refresh(struct keeper *k, struct room *runner, const struct frame *f)
{
    struct msg_refresh msg;
    const struct running *run;

    if (message_read(f, &msg) < 0)
        return;
    run = schedule_find(k, (int64_t)msg.run);
    if (run == NULL)
        return;
    refresh(k, &(struct refresh){
                   .task = run->task, .run = msg.run, .room = room_id(runner), .id = f->id});
}

void looks_refresh(struct keeper *k, int64_t task, const struct room *room, uint64_t id)
{
    refresh(k, &(struct refresh){.task = task, .room = room_id(room), .id = id});
}

struct looks *looks_new(struct keeper *k)
{
    struct looks *l = mem_calloc(1, sizeof(*l));

    l->timer = evtimer_new(k->base, on_timer, k);
    return l;
}

void looks_free(struct looks *l)
{
    if (l == NULL)
        return;
    event_free(l->timer);
    free(l);
}
