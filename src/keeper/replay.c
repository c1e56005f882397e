/* SPDX-License-Identifier: MIT */
#include "keeper/replay.h"

#include "base/clock.h"
#include "keeper/batch.h"
#include "keeper/calls.h"
#include "keeper/events.h"
#include "keeper/given.h"
#include "keeper/judge.h"
#include "wire/command.h"

#include <errno.h>
#include <string.h>

/* What is to be done, and what has been. */
struct replay {
    struct store_task task;
    const char *hook; /* the only one; NULL: those that are called for */
    struct calls_wish wish;
    enum conf_event event;
    json_t *runs;
};

/* -- which entry of the timeline -- */

struct entry {
    int64_t wanted, seen; /* by its place in the timeline from 1; 0: the best one */
    int rank;
    int64_t row, at_ms;
    enum store_source source;
    enum task_state state;
    struct buf body;
};

/* The last accepted callback, else the last one that was kept, else what a look said. */
static int rank_of(const struct store_event *e, bool wanted)
{
    if (e->body.n == 0)
        return 0;
    if (wanted)
        return 4;
    if (e->source == SOURCE_CALLBACK)
        return str_eq(e->verdict, "accepted") ? 3 : 2;
    return e->source == SOURCE_POLL;
}

static int on_event(const struct store_event *e, void *ctx)
{
    struct entry *best = ctx;
    bool named = ++best->seen == best->wanted;
    int rank = best->wanted == 0 || named ? rank_of(e, named) : 0;

    if (rank == 0 || rank < best->rank)
        return named;
    best->rank = rank;
    best->row = e->row;
    best->at_ms = e->at_ms;
    best->source = e->source;
    best->state = e->state;
    buf_reset(&best->body);
    buf_add(&best->body, e->body.p, e->body.n);
    return named;
}

static bool find_entry(struct keeper *k, const struct question *q, const struct store_task *t,
                       struct entry *out)
{
    *out = (struct entry){.body = BUF_INIT(FRAME_MAX),
                          .wanted = json_integer_value(json_object_get(q->args, "entry"))};
    if (!query_could_read(k, q, k->store->ops->event_list(k->store, t->row, on_event, out))) {
        buf_free(&out->body);
        return false;
    }
    if (out->rank != 0)
        return true;
    if (out->wanted != 0)
        query_refuse(k, q, EXIT_NOT_FOUND, "entry %lld in the timeline of task %s holds no body",
                     (long long)out->wanted, t->id);
    else
        query_refuse(k, q, EXIT_NOT_FOUND, "nothing that a provider said of task %s is kept",
                     t->id);
    return false;
}

/* -- runs -- */

static bool is_meant(const struct keeper *k, const struct replay *r, const struct conf_hook *h)
{
    return r->hook != NULL ? str_eq(r->hook, h->name) : calls_wants(k->conf, h, &r->task, r->event);
}

static bool any_is_meant(const struct keeper *k, const struct replay *r)
{
    for (size_t i = 0; i < k->conf->n_hooks; i++)
        if (is_meant(k, r, &k->conf->hooks[i]))
            return true;
    return false;
}

/* The hook that was named does not wait for another; the others keep their order. */
static int make_runs(struct keeper *k, struct replay *r, struct err *err)
{
    int rc = 0;

    r->wish.trigger = conf_event_name(r->event);
    for (size_t i = 0; i < k->conf->n_hooks && rc == 0; i++) {
        const struct conf_hook *h = &k->conf->hooks[i];
        int64_t run;

        if (!is_meant(k, r, h))
            continue;
        r->wish.chained = r->hook == NULL && conf_hook_before(h) != NULL;
        rc = calls_replay(k, &r->task, h, &r->wish, &run, err);
        if (rc == 0)
            json_array_append_new(r->runs, json_integer(run));
    }
    return rc;
}

static bool find_event(struct keeper *k, const struct question *q, struct replay *r)
{
    if (!conf_event_from_state(r->task.state, &r->event)) {
        query_refuse(k, q, EXIT_FAILED, "task %s: no hook is ever called for %s", r->task.id,
                     state_name(r->task.state));
        return false;
    }
    if (any_is_meant(k, r))
        return true;
    query_refuse(k, q, EXIT_NOT_FOUND,
                 "task %s: no hook is called for %s by its `on` and `match`; --hook names one",
                 r->task.id, conf_event_name(r->event));
    return false;
}

static int note(struct keeper *k, struct replay *r, const char *detail, struct slice body,
                struct err *err)
{
    struct news news = {
        .source = SOURCE_OPERATOR, .verdict = "replay", .detail = detail, .body = body};

    return event_task(k, &r->task, &news, err);
}

static void answer(struct keeper *k, const struct question *q, const struct replay *r,
                   const char *verdict)
{
    query_answer(k, q,
                 json_pack("{s:s, s:s, s:s, s:O}", "task", r->task.id, "event",
                           conf_event_name(r->event), "verdict", verdict, "runs", r->runs));
}

static bool begin(struct keeper *k, const struct question *q)
{
    if (batch_begin(k) == 0)
        return true;
    query_refuse(k, q, EXIT_FAILED, "the store is not taking writes at the moment");
    return false;
}

/* -- the three ways -- */

static void replay_task(struct keeper *k, const struct question *q, struct replay *r)
{
    struct err err = {""};
    int rc;

    if (!find_event(k, q, r) || !begin(k, q))
        return;
    rc = note(k, r, "its hooks are called again", (struct slice){NULL, 0}, &err);
    if (rc == 0)
        rc = make_runs(k, r, &err);
    if (rc < 0)
        batch_spoil(k, rc, &err);
    answer(k, q, r, "");
}

/* The task stays what it is; the runs are told what was given. */
static int call_with(struct keeper *k, struct replay *r, const struct given *g, struct err *err)
{
    given_apply(g, &r->task);
    return make_runs(k, r, err);
}

static bool given_event(struct keeper *k, const struct question *q, const struct replay *r,
                        const struct given *g, enum conf_event *out)
{
    struct replay as_given = *r;

    given_apply(g, &as_given.task);
    if (!find_event(k, q, &as_given))
        return false;
    *out = as_given.event;
    return true;
}

static void replay_edited(struct keeper *k, const struct question *q, struct replay *r)
{
    struct given given = GIVEN_INIT;
    struct err err = {""};
    int rc = given_parse(k, &r->task, SOURCE_OPERATOR, q->blob, &given, &err);

    if (rc < 0) {
        query_refuse(k, q, EXIT_USAGE, "the edited payload is not understood: %s", err.text);
    } else if (!given.report.state_known) {
        query_refuse(
            k, q, EXIT_USAGE,
            "the edited payload is not understood: there is no state %s; there are queued, "
            "processing, success, failed, cancelled and the words of providers for these",
            str_or(given.report.state_word.p, ""));
    } else if (given_event(k, q, r, &given, &r->event) && begin(k, q)) {
        rc = note(k, r, "its hooks are called again with an edited payload", q->blob, &err);
        r->wish.event = r->task.last_event;
        if (rc == 0)
            rc = call_with(k, r, &given, &err);
        if (rc < 0)
            batch_spoil(k, rc, &err);
        answer(k, q, r, "edited");
    }
    given_clear(&given);
}

static char *describe_entry(const struct given *g)
{
    char at[25];

    clock_format_rfc3339(g->at_ms, at);
    return mem_printf("what the %s of %s said, as received",
                      g->source == SOURCE_POLL ? "look" : "callback", at);
}

/* News have called the hooks by themselves. */
static void replay_given(struct keeper *k, const struct question *q, struct replay *r,
                         const struct given *g)
{
    autofree char *detail = describe_entry(g);
    const char *why = NULL;
    enum verdict verdict = judge_foresee(k, &r->task, &g->report, g->proven, &why);
    struct err err = {""};
    int rc = 0;

    if (verdict == VERDICT_QUARANTINED)
        query_refuse(k, q, EXIT_FAILED, "task %s: %s %s", r->task.id, detail, why);
    else if (verdict == VERDICT_ACCEPTED && r->hook != NULL)
        query_refuse(k, q, EXIT_USAGE,
                     "task %s: %s, is news: the task moves on and calls all its hooks, not %s "
                     "alone; leave --hook out",
                     r->task.id, detail, r->hook);
    if (verdict == VERDICT_QUARANTINED || (verdict == VERDICT_ACCEPTED && r->hook != NULL) ||
        (verdict == VERDICT_DUPLICATE && !given_event(k, q, r, g, &r->event)) || !begin(k, q))
        return;
    if (verdict == VERDICT_ACCEPTED)
        rc = judge_again(k, &r->task, &g->report, g->proven, &err);
    if (rc == 0)
        rc = note(k, r, detail, (struct slice){NULL, 0}, &err);
    if (rc == 0 && verdict == VERDICT_DUPLICATE)
        rc = call_with(k, r, g, &err);
    if (rc < 0)
        batch_spoil(k, rc, &err);
    answer(k, q, r, verdict_name(verdict));
}

static void replay_as_received(struct keeper *k, const struct question *q, struct replay *r)
{
    struct given given = GIVEN_INIT;
    struct err err = {""};
    struct entry entry;

    if (!find_entry(k, q, &r->task, &entry))
        return;
    r->wish.event = entry.row;
    if (given_read(k, &r->task, entry.row, &given, &err) < 0)
        query_refuse(k, q, EXIT_FAILED, "task %s: what was received is not understood: %s",
                     r->task.id, err.text);
    else
        replay_given(k, q, r, &given);
    given_clear(&given);
    buf_free(&entry.body);
}

static const struct {
    const char *as;
    void (*fn)(struct keeper *k, const struct question *q, struct replay *r);
} ways[] = {{"task", replay_task}, {"received", replay_as_received}, {"edited", replay_edited}};

/* -- questions -- */

void replay_question(struct keeper *k, const struct question *q)
{
    struct replay r = {.hook = query_text(q, "hook")};
    const char *as = str_or(query_text(q, "as"), "task");

    if (!query_task(k, q, &r.task))
        return;
    if (r.hook != NULL && conf_hook_find(k->conf, r.hook) == NULL) {
        query_refuse(k, q, EXIT_NOT_FOUND, "there is no hook %s in the configuration", r.hook);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        if (str_eq(ways[i].as, as)) {
            r.runs = json_array();
            ways[i].fn(k, q, &r);
            json_decref(r.runs);
            return;
        }
    query_refuse(k, q, EXIT_USAGE, "a task is replayed as task, received or edited, not as %s", as);
}

void replay_received(struct keeper *k, const struct question *q)
{
    struct entry entry;
    struct store_task t;
    json_t *body;
    char at[25];

    if (!query_task(k, q, &t) || !find_entry(k, q, &t, &entry))
        return;
    clock_format_rfc3339(entry.at_ms, at);
    body = json_stringn(buf_text(&entry.body), entry.body.len);
    if (body == NULL)
        query_refuse(k, q, EXIT_FAILED, "task %s: what was received is no text", t.id);
    else
        query_answer(k, q,
                     json_pack("{s:s, s:s, s:s, s:s, s:o}", "task", t.id, "at", at, "source",
                               store_source_name(entry.source), "state", state_name(entry.state),
                               "body", body));
    buf_free(&entry.body);
}
