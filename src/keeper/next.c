/* SPDX-License-Identifier: MIT */
#include "keeper/next.h"

#include "base/clock.h"
#include "keeper/looks.h"
#include "keeper/pace.h"
#include "keeper/pauses.h"
#include "keeper/rates.h"
#include "keeper/schedule.h"
#include "vidu/expiry.h"

#include <string.h>

#define RUNS_MOST   100 /* told of; each is compared with all runs of the task */
#define TEXT_MOST   1024
#define DETAIL_MOST 600 /* of that, what an attempt ended with */

struct story {
    struct keeper *k;
    const struct store_task *task;
    const json_t *runs; /* all of them, as the command line sees them */
    json_t *next;
    int64_t now_ms;
    size_t before; /* entries in front of those of runs, which come newest first */
    size_t told, left_out;
    int64_t fetches; /* a run that needs the result's links; 0: none */
};

struct step {
    const char *kind;
    int64_t at_ms; /* 0: not known */
    int attempt;
    struct buf what, why;
};

static struct step step_new(const char *kind, int64_t at_ms)
{
    return (struct step){
        .kind = kind, .at_ms = at_ms, .what = BUF_INIT(TEXT_MOST), .why = BUF_INIT(TEXT_MOST)};
}

static json_t *text_of(const struct buf *b)
{
    json_t *text = json_stringn(buf_text(b), b->len);

    return text != NULL ? text : json_string("");
}

/* The run: whose step it is, or NULL. Frees the step. */
static void tell(struct story *s, struct step *step, const struct store_run *r)
{
    char at[25] = "";
    json_t *entry;

    if (step->at_ms != 0)
        clock_format_rfc3339(step->at_ms, at);
    entry = json_pack("{s:s, s:o, s:s, s:o}", "kind", step->kind, "what", text_of(&step->what),
                      "at", at, "why", text_of(&step->why));
    if (r != NULL)
        json_object_update_new(entry, json_pack("{s:I, s:s, s:i}", "run", (json_int_t)r->row,
                                                "hook", r->hook, "attempt", step->attempt));
    if (r != NULL)
        json_array_insert_new(s->next, s->before, entry);
    else
        json_array_append_new(s->next, entry);
    buf_free(&step->what);
    buf_free(&step->why);
}

/* -- the task -- */

static void tell_callback(struct story *s)
{
    struct step step = step_new("callback", 0);

    if (state_is_final(s->task->state) || !s->task->expects_callback) {
        buf_free(&step.what);
        return;
    }
    buf_adds(&step.what, "a callback of the provider");
    tell(s, &step, NULL);
}

static const char *why_look(const struct story *s)
{
    const struct store_task *t = s->task;

    if (state_is_final(t->state))
        return "something contradicts the end of the task";
    if (state_is_final(t->pending))
        return "the end that was told is to be confirmed";
    if (t->remote_id[0] == '\0')
        return "its provider gave it no id, so that only a callback can tell";
    if (looks_paused(s->k, t) != 0)
        return "its provider wishes to be left alone until then";
    if (!t->expects_callback)
        return "its provider is polled, and calls nobody back";
    return pace_polls(s->k->conf, t) ? "its provider is polled as well"
                                     : "a callback is overdue by then";
}

static void tell_look(struct story *s)
{
    int64_t paused = looks_paused(s->k, s->task);
    int64_t at = s->task->next_look_ms;
    struct step step;

    if (at == 0)
        return;
    step = step_new("look", at > paused ? at : paused);
    buf_adds(&step.what, "a look at the provider");
    buf_adds(&step.why, why_look(s));
    tell(s, &step, NULL);
}

static void tell_lost(struct story *s)
{
    const struct store_task *t = s->task;
    struct step step;

    if (t->state == STATE_LOST || state_is_final(t->state) || state_is_final(t->pending))
        return;
    step = step_new("lost", t->created_ms + pace_lost_after(t));
    buf_adds(&step.what, "the task is given up as lost");
    if (t->misses > 0)
        buf_addf(&step.why, "or sooner: its provider has said %d of %d times that there is none",
                 t->misses, PACE_MISSES);
    else
        buf_adds(&step.why, "unless its end is told before");
    tell(s, &step, NULL);
}

/* -- runs -- */

static bool is_over(const char *state)
{
    enum run_state parsed;

    return run_state_from_name(state, &parsed) && parsed >= RUN_DONE;
}

/* The newest run of that hook below this one in number, or the one it waits for; 0: none. */
static int64_t find_run(const struct story *s, const char *hook, const char *event, int64_t below)
{
    int64_t found = 0;
    const json_t *run;
    size_t i;

    json_array_foreach (s->runs, i, run) {
        int64_t row = json_integer_value(json_object_get(run, "id"));

        if (!str_eq(json_string_value(json_object_get(run, "hook")), hook) ||
            (event != NULL && !str_eq(json_string_value(json_object_get(run, "event")), event)))
            continue;
        if (below != 0 &&
            (row >= below || is_over(json_string_value(json_object_get(run, "state")))))
            continue;
        if (row > found)
            found = row;
    }
    return found;
}

/* Why a ready run begins when it does; the first that applies counts. */
typedef bool reason(const struct story *s, const struct store_run *r, const struct conf_hook *h,
                    struct step *step);

static bool is_paused(const struct story *s, const struct store_run *r, const struct conf_hook *h,
                      struct step *step)
{
    json_t *reasons;
    const char *why;

    (void)h;
    if (!pauses_has(s->k->pauses, r->hook))
        return false;
    reasons = pauses_reasons(s->k->pauses);
    why = json_string_value(json_object_get(reasons, r->hook));
    step->at_ms = 0;
    if (why != NULL)
        buf_addf(&step->why, "the hook is switched off: %s; ", why);
    else
        buf_adds(&step->why, "the hook is paused; ");
    buf_addf(&step->why, "`viduhook resume %s` lets it go on", r->hook);
    json_decref(reasons);
    return true;
}

static bool is_unknown(const struct story *s, const struct store_run *r, const struct conf_hook *h,
                       struct step *step)
{
    (void)s;
    (void)r;
    if (h == NULL)
        buf_adds(&step->why, "its hook has left the configuration, so it fails for good");
    return h == NULL;
}

static bool is_behind(const struct story *s, const struct store_run *r, const struct conf_hook *h,
                      struct step *step)
{
    int64_t before = find_run(s, r->hook, NULL, r->row);

    (void)h;
    if (before != 0)
        buf_addf(&step->why, "runs of one hook keep their order: run %lld is not over",
                 (long long)before);
    return before != 0;
}

static bool is_held(const struct story *s, const struct store_run *r, const struct conf_hook *h,
                    struct step *step)
{
    const struct running *now = schedule_find(s->k, r->row);

    if (now == NULL || !now->held)
        return false;
    step->attempt = r->attempt; /* counted already */
    buf_addf(&step->why, "no more than %d of its hook, and %d of all hooks, run at once",
             h->concurrency, s->k->conf->limits.runs);
    return true;
}

static bool is_paced(const struct story *s, const struct store_run *r, const struct conf_hook *h,
                     struct step *step)
{
    int64_t at = s->now_ms + rates_wait_ms(s->k->rates, h);
    char per[24];

    if (at <= s->now_ms || at <= r->due_ms)
        return false;
    str_from_ms(h->rate.per_ms, per);
    step->at_ms = at;
    buf_addf(&step->why, "no more than %d of its hook may begin within %s", h->rate.n, per);
    return true;
}

/* Not every attempt has failed: some are only to be made again, for want of room, say. */
static void add_wait(const struct store_run *r, struct buf *why)
{
    buf_addf(why, "attempt %d: ", r->attempt);
    buf_add(why, r->detail, str_utf8_cut(r->detail, strlen(r->detail), DETAIL_MOST));
}

static bool is_again(const struct story *s, const struct store_run *r, const struct conf_hook *h,
                     struct step *step)
{
    (void)h;
    if (r->losses > 0)
        buf_addf(&step->why, "the runner or the daemon died during attempt %d", r->attempt);
    else if (r->attempt > r->failures && !str_empty(r->detail))
        add_wait(r, &step->why);
    else if (r->attempt > 0)
        buf_addf(&step->why, "attempt %d failed", r->attempt);
    else if (r->due_ms > s->now_ms)
        buf_adds(&step->why, "it is to begin then");
    else
        buf_adds(&step->why, "as soon as there is a place for it");
    return true;
}

static reason *const reasons[] = {is_unknown, is_paused, is_behind, is_held, is_paced, is_again};

static void tell_ready(struct story *s, const struct store_run *r, const struct conf_hook *h)
{
    struct step step = step_new("ready", r->due_ms > s->now_ms ? r->due_ms : s->now_ms);

    step.attempt = r->attempt + 1;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        if (reasons[i](s, r, h, &step))
            break;
    buf_addf(&step.what, "run %lld of %s begins attempt %d", (long long)r->row, r->hook,
             step.attempt);
    tell(s, &step, r);
}

static void tell_running(struct story *s, const struct store_run *r, const struct conf_hook *h)
{
    struct step step = step_new("running", h != NULL ? r->started_ms + h->timeout_ms : 0);
    char most[24];

    step.attempt = r->attempt;
    buf_addf(&step.what, "run %lld of %s ends attempt %d", (long long)r->row, r->hook, r->attempt);
    if (h != NULL) {
        str_from_ms(h->timeout_ms, most);
        buf_addf(&step.why, "it is under way, and may take %s at most", most);
    }
    tell(s, &step, r);
}

/* Its record is closed; the command has not gone yet. */
static void tell_cancelled(struct story *s, const struct store_run *r, const struct conf_hook *h)
{
    struct step step = step_new("running", 0);

    (void)h;
    step.attempt = r->attempt;
    buf_addf(&step.what, "run %lld of %s ends attempt %d", (long long)r->row, r->hook, r->attempt);
    buf_adds(&step.why, "it was cancelled and has not gone yet; a command gets KILL 10 seconds "
                        "after TERM");
    tell(s, &step, r);
}

static void tell_waiting(struct story *s, const struct store_run *r, const struct conf_hook *h)
{
    struct step step = step_new("waiting", 0);
    int64_t parent = find_run(s, r->after, r->trigger, 0);

    (void)h;
    step.attempt = 1;
    buf_addf(&step.what, "run %lld of %s begins attempt 1", (long long)r->row, r->hook);
    buf_adds(&step.why, "it waits for ");
    if (parent != 0)
        buf_addf(&step.why, "run %lld of ", (long long)parent);
    buf_addf(&step.why, "%s to %s", r->after, r->on_failure ? "fail for good" : "be done");
    tell(s, &step, r);
}

static void tell_dead(struct story *s, const struct store_run *r, const struct conf_hook *h)
{
    struct step step = step_new("dead", 0);

    (void)h;
    step.attempt = r->attempt;
    buf_addf(&step.what, "run %lld of %s stays a dead letter", (long long)r->row, r->hook);
    buf_addf(&step.why, "until `viduhook retry %lld`", (long long)r->row);
    tell(s, &step, r);
}

static void (*const tellers[RUN_STATE_COUNT])(struct story *s, const struct store_run *r,
                                              const struct conf_hook *h) = {
    [RUN_WAITING] = tell_waiting, [RUN_READY] = tell_ready,         [RUN_RUNNING] = tell_running,
    [RUN_DEAD] = tell_dead,       [RUN_CANCELLED] = tell_cancelled,
};

static bool is_told(const struct story *s, const struct store_run *r)
{
    return tellers[r->state] != NULL &&
           (r->state != RUN_CANCELLED || schedule_find(s->k, r->row) != NULL);
}

static int on_run(const struct store_run *r, void *ctx)
{
    struct story *s = ctx;
    const struct conf_hook *h = conf_hook_find(s->k->conf, r->hook);

    if (!is_told(s, r))
        return 0;
    if (h != NULL && h->action == ACTION_DOWNLOAD && r->state != RUN_CANCELLED)
        s->fetches = r->row; /* the oldest */
    if (s->told == RUNS_MOST) {
        s->left_out++;
        return 0;
    }
    s->told++;
    tellers[r->state](s, r, h);
    return 0;
}

static void tell_links(struct story *s)
{
    const struct store_task *t = s->task;
    int64_t at = s->fetches != 0 ? expiry_of_result(t->result, t->updated_ms) : 0;
    struct step step;

    if (at == 0)
        return;
    step = step_new("links", at);
    buf_addf(&step.what, "the links of the result %s", at > s->now_ms ? "end" : "ended");
    buf_addf(&step.why, "run %lld has not fetched all; it asks for fresh ones when they have ended",
             (long long)s->fetches);
    tell(s, &step, NULL);
}

static void tell_more(struct story *s)
{
    struct step step;

    if (s->left_out == 0)
        return;
    step = step_new("more", 0);
    buf_addf(&step.what, "%zu more runs; `viduhook runs --task %s` lists them", s->left_out,
             s->task->id);
    tell(s, &step, NULL);
}

int next_of_task(struct keeper *k, const struct store_task *t, const json_t *runs, json_t **out)
{
    struct story s = {
        .k = k, .task = t, .runs = runs, .next = json_array(), .now_ms = clock_wall_ms()};
    struct store_filter filter = {
        .state = -1, .task = t->row, .limit = (int)json_array_size(runs) + 1};
    int rc = 0;

    tell_callback(&s);
    tell_look(&s);
    tell_lost(&s);
    s.before = json_array_size(s.next);
    if (json_array_size(runs) > 0)
        rc = k->store->ops->run_list(k->store, &filter, on_run, &s);
    if (rc < 0) {
        json_decref(s.next);
        return rc;
    }
    tell_more(&s);
    tell_links(&s);
    *out = s.next;
    return 0;
}
