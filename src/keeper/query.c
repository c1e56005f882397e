/* SPDX-License-Identifier: MIT */
#include "keeper/query.h"

#include "keeper/batch.h"
#include "keeper/files.h"
#include "keeper/lookup.h"
#include "keeper/next.h"
#include "keeper/operate.h"
#include "keeper/redo.h"
#include "keeper/replay.h"
#include "keeper/schedule.h"
#include "keeper/spend.h"
#include "keeper/trigger.h"
#include "store/store_json.h"
#include "wire/command.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

#define MAX_LIMIT  10000
#define MAX_ANSWER (23U << 20) /* leaves room in FRAME_MAX_CONTROL */

/* -- answering -- */

void query_refuse(struct keeper *k, const struct question *q, int exit_status, const char *fmt, ...)
{
    struct buf text = BUF_INIT(4096);
    struct buf json = BUF_INIT(16384);
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&text, fmt, ap);
    va_end(ap);
    buf_adds(&json, "{\"error\":");
    buf_add_json(&json, buf_text(&text), text.len);
    buf_addc(&json, '}');
    batch_result(k, q->room, q->id, exit_status, buf_take(&json));
    buf_free(&text);
}

/* What does not fit into a frame of the control socket is said, rather than lost on the way. */
void query_answer(struct keeper *k, const struct question *q, json_t *answer)
{
    char *json = json_dumps(answer, JSON_COMPACT);

    json_decref(answer);
    if (json == NULL || strlen(json) <= MAX_ANSWER) {
        batch_result(k, q->room, q->id, EXIT_OK, json);
        return;
    }
    free(json);
    query_refuse(k, q, EXIT_FAILED, "the answer is over %u MiB; ask for fewer with --limit",
                 MAX_ANSWER >> 20);
}

const char *query_text(const struct question *q, const char *name)
{
    return json_string_value(json_object_get(q->args, name));
}

bool query_could_read(struct keeper *k, const struct question *q, int rc)
{
    if (rc < 0)
        query_refuse(k, q, EXIT_FAILED, "the store could not be read");
    return rc >= 0;
}

bool query_task(struct keeper *k, const struct question *q, struct store_task *out)
{
    const char *name = query_text(q, "task");
    int rc;

    if (str_empty(name)) {
        query_refuse(k, q, EXIT_USAGE, "which task? give its id or the beginning of it");
        return false;
    }
    rc = k->store->ops->task_by_prefix(k->store, name, out);
    if (rc == -ENOTUNIQ)
        query_refuse(k, q, EXIT_NOT_FOUND, "several tasks begin with %s; give more of the id",
                     name);
    else if (rc == -ENOENT)
        query_refuse(k, q, EXIT_NOT_FOUND, "there is no task %s", name);
    else
        (void)query_could_read(k, q, rc);
    return rc == 0;
}

/* -- rows as JSON -- */

static json_t *run_json(const struct keeper *k, const struct store_run *r)
{
    const struct running *now = schedule_find(k, r->row);
    json_t *run = store_json_run(r);

    if (r->state == RUN_RUNNING && now != NULL && now->done > 0)
        json_object_set_new(run, "progress",
                            json_pack("{s:I, s:I}", "done", (json_int_t)now->done, "total",
                                      (json_int_t)now->total));
    return run;
}

/* What a row callback appends to, until it is more than can be sent. */
struct rows {
    const struct keeper *k;
    json_t *array;
    size_t bytes; /* of what may be long */
};

static int on_task(const struct store_task *t, void *ctx)
{
    struct rows *rows = ctx;

    json_array_append_new(rows->array, store_json_task(t));
    rows->bytes += strlen(t->prompt);
    return rows->bytes > MAX_ANSWER;
}

static int on_run(const struct store_run *r, void *ctx)
{
    struct rows *rows = ctx;

    json_array_append_new(rows->array, run_json(rows->k, r));
    rows->bytes += strlen(r->output) + strlen(r->detail);
    return rows->bytes > MAX_ANSWER;
}

static int on_event(const struct store_event *e, void *ctx)
{
    json_t *events = ((struct rows *)ctx)->array;

    return json_array_append_new(events, store_json_event(e, json_array_size(events) + 1));
}

static int on_file(const struct store_file *f, void *ctx)
{
    return json_array_append_new(((struct rows *)ctx)->array, store_json_file(f));
}

/* -- questions -- */

static void answer_if_read(struct keeper *k, const struct question *q, int rc, json_t *answer)
{
    if (query_could_read(k, q, rc))
        query_answer(k, q, answer);
    else
        json_decref(answer);
}

static bool filter_of(struct keeper *k, const struct question *q, bool runs,
                      struct store_filter *out)
{
    const char *state = query_text(q, "state");
    enum task_state task_state;
    enum run_state run_state;
    json_int_t limit = json_integer_value(json_object_get(q->args, "limit"));

    *out = (struct store_filter){.state = -1,
                                 .provider = query_text(q, "provider"),
                                 .tag = query_text(q, "tag"),
                                 .hook = query_text(q, "hook"),
                                 .since_ms = json_integer_value(json_object_get(q->args, "since")),
                                 .limit = limit > 0 && limit < MAX_LIMIT ? (int)limit : 0};
    if (state == NULL)
        return true;
    if (runs ? !run_state_from_name(state, &run_state) : !state_from_name(state, &task_state)) {
        query_refuse(k, q, EXIT_USAGE, "there is no %s state %s", runs ? "run" : "task", state);
        return false;
    }
    out->state = runs ? (int)run_state : (int)task_state;
    return true;
}

static void on_list(struct keeper *k, const struct question *q)
{
    struct rows rows = {.k = k, .array = json_array()};
    struct store_filter filter;

    if (!filter_of(k, q, false, &filter)) {
        json_decref(rows.array);
        return;
    }
    answer_if_read(k, q, k->store->ops->task_list(k->store, &filter, on_task, &rows),
                   json_pack("{s:o}", "tasks", rows.array));
}

static int add_files(struct keeper *k, int64_t task, json_t *answer)
{
    struct rows rows = {.k = k, .array = json_array()};

    json_object_set_new(answer, "files", rows.array);
    return k->store->ops->file_list(k->store, task, on_file, &rows);
}

static int add_runs(struct keeper *k, int64_t task, json_t *answer)
{
    struct store_filter filter = {.state = -1, .task = task, .limit = MAX_LIMIT};
    struct rows rows = {.k = k, .array = json_array()};

    json_object_set_new(answer, "runs", rows.array);
    return k->store->ops->run_list(k->store, &filter, on_run, &rows);
}

static int add_events(struct keeper *k, int64_t task, json_t *answer)
{
    struct rows rows = {.k = k, .array = json_array()};

    json_object_set_new(answer, "events", rows.array);
    return k->store->ops->event_list(k->store, task, on_event, &rows);
}

static int add_next(struct keeper *k, const struct store_task *t, json_t *answer)
{
    json_t *next = NULL;
    int rc = next_of_task(k, t, json_object_get(answer, "runs"), &next);

    return rc < 0 ? rc : json_object_set_new(answer, "next", next);
}

static void on_show(struct keeper *k, const struct question *q)
{
    struct store_task t;
    json_t *answer;
    int rc;

    if (!query_task(k, q, &t))
        return;
    answer = json_pack("{s:o}", "task", store_json_whole_task(&t));
    rc = add_files(k, t.row, answer);
    if (rc >= 0)
        rc = add_runs(k, t.row, answer);
    answer_if_read(k, q, rc, answer);
}

static void on_explain(struct keeper *k, const struct question *q)
{
    struct store_task t;
    json_t *answer;
    int rc;

    if (!query_task(k, q, &t))
        return;
    answer = json_pack("{s:o}", "task", store_json_whole_task(&t));
    rc = add_events(k, t.row, answer);
    if (rc >= 0)
        rc = add_files(k, t.row, answer);
    if (rc >= 0)
        rc = add_runs(k, t.row, answer);
    if (rc >= 0)
        rc = add_next(k, &t, answer);
    answer_if_read(k, q, rc, answer);
}

static void on_runs(struct keeper *k, const struct question *q)
{
    struct rows rows = {.k = k};
    struct store_filter filter;
    struct store_task t;

    if (!filter_of(k, q, true, &filter))
        return;
    if (query_text(q, "task") != NULL) {
        if (!query_task(k, q, &t))
            return;
        filter.task = t.row;
    }
    rows.array = json_array();
    answer_if_read(k, q, k->store->ops->run_list(k->store, &filter, on_run, &rows),
                   json_pack("{s:o}", "runs", rows.array));
}

static void on_one_run(struct keeper *k, const struct question *q)
{
    json_int_t row = json_integer_value(json_object_get(q->args, "run"));
    struct store_run run;
    int rc = k->store->ops->run_by_row(k->store, row, &run);

    if (rc == -ENOENT)
        query_refuse(k, q, EXIT_NOT_FOUND, "there is no run %lld", (long long)row);
    else if (query_could_read(k, q, rc))
        query_answer(k, q, json_pack("{s:o}", "run", run_json(k, &run)));
}

/* -- dispatch -- */

static const struct {
    const char *name;
    void (*fn)(struct keeper *k, const struct question *q);
} commands[] = {
    {"list", on_list},
    {"show", on_show},
    {"explain", on_explain},
    {"runs", on_runs},
    {"run", on_one_run},
    {"files", files_question},
    {"lookup", lookup_tasks},
    {"replay", replay_question},
    {"received", replay_received},
    {"retry", redo_retry},
    {"cancel-run", redo_cancel},
    {"pause", operate_pause},
    {"trigger", trigger_question},
    {"refresh", operate_refresh},
    {"cancelled", operate_cancelled},
    {"reload", operate_reload},
    {"status", operate_status},
    {"spend", spend_answer},
    {"pay", spend_pay},
    {"config", operate_config},
};

void query_on_command(struct keeper *k, struct room *gateway, const struct frame *f)
{
    struct question q = {.room = gateway, .id = f->id};
    struct msg_command msg;
    const char *name;
    json_t *args;

    if (message_read(f, &msg) < 0)
        return;
    args = json_loadb(msg.json.p, msg.json.n, JSON_REJECT_DUPLICATES, NULL);
    q.args = args;
    q.blob = msg.blob;
    name = query_text(&q, "command");
    for (size_t i = 0; i < ARRAY_LEN(commands); i++)
        if (str_eq(name, commands[i].name)) {
            commands[i].fn(k, &q);
            json_decref(args);
            return;
        }
    query_refuse(k, &q, EXIT_USAGE, "this daemon does not know the command %s",
                 str_or(name, "(none)"));
    json_decref(args);
}
