/* SPDX-License-Identifier: MIT */
#include "keeper/operate.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/batch.h"
#include "keeper/calls.h"
#include "keeper/events.h"
#include "keeper/looks.h"
#include "keeper/pauses.h"
#include "keeper/reload.h"
#include "keeper/schedule.h"
#include "keeper/spend.h"
#include "vidu/crypto.h"
#include "wire/command.h"

#include <errno.h>
#include <string.h>

#define MAX_RETRIES 1000

static bool begin(struct keeper *k, const struct question *q)
{
    if (batch_begin(k) == 0)
        return true;
    query_refuse(k, q, EXIT_FAILED, "the store is not taking writes at the moment");
    return false;
}

/* -- retry -- */

struct dead {
    int64_t rows[MAX_RETRIES];
    size_t n;
};

static int on_dead(const struct store_run *r, void *ctx)
{
    struct dead *dead = ctx;

    dead->rows[dead->n++] = r->row;
    return dead->n == MAX_RETRIES;
}

static size_t wanted_runs(struct keeper *k, const struct question *q, struct dead *dead)
{
    struct store_filter filter = {
        .state = RUN_DEAD, .hook = query_text(q, "hook"), .limit = MAX_RETRIES};

    dead->n = 0;
    if (json_is_true(json_object_get(q->args, "all_dead")))
        k->store->ops->run_list(k->store, &filter, on_dead, dead);
    else if (json_is_integer(json_object_get(q->args, "run")))
        dead->rows[dead->n++] = json_integer_value(json_object_get(q->args, "run"));
    return dead->n;
}

/* In the story of its task it stands who had it made again. */
static int note_retry(struct keeper *k, int64_t row, struct err *err)
{
    struct news news = {.source = SOURCE_OPERATOR, .verdict = "retry"};
    autofree char *detail = NULL;
    struct store_run run;
    struct store_task t;
    int rc = k->store->ops->run_by_row(k->store, row, &run);

    if (rc < 0 || run.task == 0)
        return rc;
    detail = mem_printf("hook %s, run %lld is made again", run.hook, (long long)row);
    news.detail = detail;
    rc = k->store->ops->task_by_row(k->store, run.task, &t);
    return rc < 0 ? rc : event_task(k, &t, &news, err);
}

void operate_retry(struct keeper *k, const struct question *q)
{
    struct dead *dead = mem_calloc(1, sizeof(*dead));
    json_t *ids = json_array();
    struct err err = {""};
    int rc = 0;

    if (wanted_runs(k, q, dead) > 0 && !begin(k, q))
        goto out;
    for (size_t i = 0; i < dead->n && rc == 0; i++) {
        rc = schedule_retry(k, dead->rows[i], &err);
        if (rc == 0)
            rc = note_retry(k, dead->rows[i], &err);
        if (rc == 0)
            json_array_append_new(ids, json_integer(dead->rows[i]));
    }
    if (rc == -ENOENT || rc == -EALREADY) {
        query_refuse(k, q, rc == -ENOENT ? EXIT_NOT_FOUND : EXIT_FAILED, "%s", err.text);
        goto out;
    }
    if (rc < 0)
        batch_spoil(k, rc, &err);
    query_answer(k, q, json_pack("{s:O}", "runs", ids));
out:
    json_decref(ids);
    free(dead);
}

/* -- pause and resume -- */

void operate_pause(struct keeper *k, const struct question *q)
{
    const char *hook = query_text(q, "hook");
    bool pause = json_is_true(json_object_get(q->args, "paused"));
    struct err err = {""};
    int rc;

    if (hook == NULL || (conf_hook_find(k->conf, hook) == NULL && !pauses_has(k->pauses, hook))) {
        query_refuse(k, q, EXIT_NOT_FOUND, "there is no hook %s", str_or(hook, ""));
        return;
    }
    if (!begin(k, q))
        return;
    rc = pauses_set(k, hook, pause, &err);
    if (rc == -ENOSPC) {
        query_refuse(k, q, EXIT_FAILED, "%s", err.text);
        return;
    }
    if (rc < 0)
        batch_spoil(k, rc, &err);
    query_answer(k, q, json_pack("{s:s, s:b}", "hook", hook, "paused", pause));
}

/* -- trigger -- */

/* A task that never was at a provider, with data in the form real ones have. */
static struct store_task make_sample(const struct keeper *k, enum conf_event event)
{
    struct store_task t = (struct store_task){
        .provider = k->conf->providers[0].name,
        .endpoint = "img2video",
        .model = "viduq3-turbo",
        .prompt = "A paper boat crosses a puddle",
        .payload = "sample",
        .remote_id = "",
        .callback_path = "",
        .callback_query = "",
        .request = "{}",
        .tags = "{\"sample\":\"true\"}",
        .forward_url = "",
        .result = "[{\"id\":\"sample\",\"url\":\"https://media.example/sample.mp4\","
                  "\"cover_url\":\"https://media.example/sample.jpg\",\"watermarked_url\":\"\"}]",
        .err_code = event == EVENT_FAILED ? "CreationPolicyViolation" : "",
        .err_msg = "",
        .trace_id = "",
        .state = event == EVENT_FAILED      ? STATE_FAILED
                 : event == EVENT_CANCELLED ? STATE_CANCELLED
                 : event == EVENT_LOST      ? STATE_LOST
                                            : STATE_SUCCESS,
        .source = SOURCE_OPERATOR,
        .credits = 0,
        .created_ms = clock_wall_ms(),
    };
    t.pending = t.state;
    t.updated_ms = t.finished_ms = t.created_ms;
    id_new_task(t.id);
    return t;
}

static int insert_sample(struct keeper *k, struct store_task *t, struct err *err)
{
    struct news news = {
        .source = SOURCE_OPERATOR, .verdict = "sample", .detail = "made by `viduhook trigger`"};
    int rc = k->store->ops->task_insert(k->store, t, &t->row, err);
    return rc < 0 ? rc : event_task(k, t, &news, err);
}

static bool event_named(const char *name, enum conf_event *out)
{
    for (int e = 0; e < EVENT_COUNT; e++)
        if (str_eq(conf_event_name((enum conf_event)e), name)) {
            *out = (enum conf_event)e;
            return true;
        }
    return false;
}

/* Without a name those that the event would call if it were real; the sample of a test is a task
 * that has succeeded. */
static bool is_meant(const struct keeper *k, const struct conf_hook *h, const struct store_task *t,
                     const char *only, enum conf_event event)
{
    if (only != NULL)
        return str_eq(only, h->name);
    return calls_wants(k->conf, h, t, event) ||
           (event == EVENT_TEST && calls_wants(k->conf, h, t, EVENT_SUCCESS));
}

static bool any_is_meant(const struct keeper *k, const struct store_task *t, const char *only,
                         enum conf_event event)
{
    for (size_t i = 0; i < k->conf->n_hooks; i++)
        if (is_meant(k, &k->conf->hooks[i], t, only, event))
            return true;
    return false;
}

static int trigger_hooks(struct keeper *k, const struct store_task *t, const char *only,
                         enum conf_event event, json_t *ids, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < k->conf->n_hooks && rc == 0; i++) {
        const struct conf_hook *h = &k->conf->hooks[i];
        int64_t run;

        if (!is_meant(k, h, t, only, event))
            continue;
        rc = calls_replay(k, t, h, conf_event_name(event), &run, err);
        if (rc == 0)
            json_array_append_new(ids, json_integer(run));
    }
    return rc;
}

void operate_trigger(struct keeper *k, const struct question *q)
{
    const char *only = query_text(q, "hook");
    const char *name = str_or(query_text(q, "event"), "test");
    enum conf_event event;
    struct err err = {""};
    struct store_task t;
    json_t *ids;
    int rc;

    if (!event_named(name, &event)) {
        query_refuse(k, q, EXIT_USAGE, "there is no event %s", name);
        return;
    }
    if (k->conf->n_hooks == 0 || (only != NULL && conf_hook_find(k->conf, only) == NULL)) {
        query_refuse(k, q, EXIT_NOT_FOUND, "there is no hook %s in the configuration",
                     str_or(only, "at all"));
        return;
    }
    t = make_sample(k, event);
    if (!any_is_meant(k, &t, only, event)) {
        query_refuse(k, q, EXIT_NOT_FOUND,
                     "no hook is called for the sample by its `on` and `match`; --hook names one");
        return;
    }
    if (!begin(k, q))
        return;
    ids = json_array();
    rc = insert_sample(k, &t, &err);
    if (rc == 0)
        rc = trigger_hooks(k, &t, only, event, ids, &err);
    if (rc < 0)
        batch_spoil(k, rc, &err);
    query_answer(k, q, json_pack("{s:s, s:o}", "task", t.id, "runs", ids));
}

void operate_refresh(struct keeper *k, const struct question *q)
{
    struct store_task t;

    if (!query_task(k, q, &t))
        return;
    if (t.remote_id[0] == '\0')
        query_refuse(k, q, EXIT_FAILED, "task %s has no id at its provider", t.id);
    else
        looks_refresh(k, t.row, q->room, q->id);
}

/* -- cancel -- */

void operate_cancelled(struct keeper *k, const struct question *q)
{
    struct news news = {.source = SOURCE_OPERATOR,
                        .verdict = "cancel",
                        .detail = "the provider has agreed to cancel it"};
    struct err err = {""};
    struct store_task t;
    int rc;

    if (!begin(k, q) || !query_task(k, q, &t))
        return;
    if (!state_is_final(t.state)) {
        t.next_look_ms = clock_wall_ms();
        looks_expect(k, t.next_look_ms);
    }
    rc = event_task(k, &t, &news, &err);
    if (rc < 0)
        batch_spoil(k, rc, &err);
    query_answer(k, q, json_pack("{s:s}", "task", t.id));
}

/* -- reload -- */

struct reload_question {
    unsigned room;
    uint64_t id;
};

static json_t *lines_of(const char *text)
{
    json_t *lines = json_array();

    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1)
        json_array_append_new(lines, json_stringn(text, (size_t)(end - text))); /* if it is UTF-8 */
    return lines;
}

/* The gateway that asked may be draining by now; it still passes the answer on. */
static void on_reloaded(struct keeper *k, bool ok, const char *error, const char *findings,
                        void *ctx)
{
    struct reload_question *asked = ctx;
    struct question q = {.room = supervise_by_id(k->supervise, asked->room), .id = asked->id};
    json_t *answer;

    free(asked);
    if (ok)
        log_info("config.reloaded", LOG_S("file", k->conf->file));
    else
        log_error("config.kept", LOG_S("error", error));
    if (q.room == NULL)
        return;
    answer = ok ? json_pack("{s:b, s:o}", "reloaded", 1, "notes", lines_of(findings))
                : json_pack("{s:s, s:o}", "error", error, "findings", lines_of(findings));
    batch_result(k, q.room, q.id, ok ? EXIT_OK : EXIT_FAILED, json_dumps(answer, JSON_COMPACT));
    json_decref(answer);
}

void operate_reload(struct keeper *k, const struct question *q)
{
    struct reload_question *asked = mem_calloc(1, sizeof(*asked));

    *asked = (struct reload_question){.room = room_id(q->room), .id = q->id};
    reload_begin(k, on_reloaded, asked);
}

/* -- status -- */

static void add_room(const char *name, int pid, const char *phase, const char *counters, void *ctx)
{
    json_t *numbers = json_loads(counters, 0, NULL);

    json_array_append_new(ctx,
                          json_pack("{s:s, s:i, s:s, s:o}", "name", name, "pid", pid, "phase",
                                    phase, "counters", numbers != NULL ? numbers : json_object()));
}

static json_t *verdict_numbers(const struct keeper *k)
{
    json_t *numbers = json_object();

    for (int v = 0; v < VERDICT_COUNT; v++)
        json_object_set_new(numbers, verdict_name((enum verdict)v),
                            json_integer((json_int_t)k->verdicts[v]));
    return numbers;
}

static json_t *task_numbers(const struct store_counts *c)
{
    json_t *numbers = json_object();

    for (int s = 0; s < STATE_COUNT; s++)
        if (c->tasks[s] != 0)
            json_object_set_new(numbers, state_name((enum task_state)s), json_integer(c->tasks[s]));
    return numbers;
}

static json_t *run_numbers(const struct store_counts *c)
{
    json_t *numbers = json_object();

    for (int s = 0; s <= RUN_CANCELLED; s++)
        if (c->runs[s] != 0)
            json_object_set_new(numbers, run_state_name((enum run_state)s),
                                json_integer(c->runs[s]));
    return numbers;
}

void operate_status(struct keeper *k, const struct question *q)
{
    json_t *rooms = json_array();
    struct store_counts counts;
    char since[25];
    int rc = k->store->ops->counts(k->store, &counts);

    if (rc < 0) {
        json_decref(rooms);
        query_refuse(k, q, EXIT_FAILED, "the store could not be read");
        return;
    }
    clock_format_rfc3339(k->started_ms, since);
    supervise_each(k->supervise, add_room, rooms);
    query_answer(
        k, q,
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:{s:s, s:I, s:I}}",
                  "version", PACKAGE_VERSION, "since", since, "config", k->conf->file, "rooms",
                  rooms, "verdicts", verdict_numbers(k), "replaced", spend_replaced_numbers(k),
                  "tasks", task_numbers(&counts), "runs", run_numbers(&counts), "paused",
                  pauses_list(k->pauses), "switched_off", pauses_reasons(k->pauses), "low_space",
                  k->low_space, "store", "url", k->conf->store, "bytes", (json_int_t)counts.bytes,
                  "wal_bytes", (json_int_t)counts.wal_bytes));
}

void operate_config(struct keeper *k, const struct question *q)
{
    struct buf text = BUF_INIT(1U << 20);

    conf_show(k->conf, &text);
    query_answer(k, q, json_pack("{s:s, s:s}", "file", k->conf->file, "yaml", buf_text(&text)));
    buf_free(&text);
}
