/* SPDX-License-Identifier: MIT */
#include "keeper/events.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/batch.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define LIVE_MAX 8192

static void add_member(struct buf *b, const char *name, const char *text)
{
    buf_addf(b, ",\"%s\":", name);
    buf_add_json(b, text, strlen(text));
}

static struct buf live_begin(const char *event)
{
    struct buf b = BUF_INIT(LIVE_MAX);
    char now[25];

    clock_format_rfc3339(clock_wall_ms(), now);
    buf_addf(&b, "{\"at\":\"%s\",\"event\":\"%s\"", now, event);
    return b;
}

static void live_send(struct keeper *k, const char *task, struct buf *b)
{
    buf_addc(b, '}');
    if (buf_ok(b))
        batch_event(k, task, buf_take(b));
    buf_free(b);
}

static void live_task(struct keeper *k, const struct store_task *t, const struct news *news)
{
    struct buf b = live_begin("task");

    add_member(&b, "task", t->id);
    add_member(&b, "state", state_name(t->state));
    add_member(&b, "source", store_source_name(news->source));
    add_member(&b, "verdict", news->verdict);
    add_member(&b, "err_code", t->err_code);
    live_send(k, t->id, &b);
}

int event_task(struct keeper *k, struct store_task *t, const struct news *news, struct err *err)
{
    struct store_event e = {
        .at_ms = clock_wall_ms(),
        .source = news->source,
        .verdict = news->verdict,
        .state = t->state,
        .detail = str_or(news->detail, ""),
        .nonce = news->nonce,
        .headers = news->headers,
        .body = news->body,
    };

    if (k->watchers > 0)
        live_task(k, t, news);
    return k->store->ops->event_insert(k->store, t, &e, err);
}

void event_run_live(struct keeper *k, const struct store_run *run, const char *state)
{
    struct buf b;

    if (k->watchers == 0)
        return;
    b = live_begin("run");
    buf_addf(&b, ",\"run\":%lld,\"attempt\":%d", (long long)run->row, run->attempt);
    add_member(&b, "task", run->task_id);
    add_member(&b, "hook", run->hook);
    add_member(&b, "state", state);
    add_member(&b, "detail", str_or(run->detail, ""));
    live_send(k, run->task_id, &b);
}

static char *describe_end(const struct store_run *run, int64_t took_ms)
{
    char took[24] = "";

    if (took_ms >= 0)
        str_from_ms(took_ms, took);
    return mem_printf("hook %s, run %lld, attempt %d%s%s%s%s", run->hook, (long long)run->row,
                      run->attempt, took_ms >= 0 ? ", took " : "", took,
                      str_empty(run->detail) ? "" : ": ", str_or(run->detail, ""));
}

int event_run(struct keeper *k, const struct store_run *run, const char *verdict, int64_t took_ms,
              struct err *err)
{
    autofree char *detail = describe_end(run, took_ms);
    struct store_event e = {
        .at_ms = clock_wall_ms(), .source = SOURCE_HOOK, .verdict = verdict, .detail = detail};
    struct store_task t;
    int rc;

    event_run_live(k, run, verdict);
    if (run->task == 0)
        return 0;
    rc = k->store->ops->task_by_row(k->store, run->task, &t);
    if (rc < 0)
        return rc;
    e.state = t.state;
    return k->store->ops->event_insert(k->store, &t, &e, err);
}

void event_progress(struct keeper *k, const char *task, const char *hook,
                    const struct msg_progress *msg)
{
    struct buf b;

    if (k->watchers == 0)
        return;
    b = live_begin("progress");
    buf_addf(&b, ",\"run\":%llu,\"done\":%llu,\"total\":%llu", (unsigned long long)msg->run,
             (unsigned long long)msg->done, (unsigned long long)msg->total);
    add_member(&b, "task", task);
    add_member(&b, "hook", hook);
    buf_adds(&b, ",\"name\":");
    buf_add_json(&b, msg->name.p, msg->name.n);
    live_send(k, task, &b);
}

static int add_file(struct keeper *k, const struct store_run *run, const json_t *row,
                    struct err *err)
{
    struct store_file f = {
        .task = run->task,
        .run = run->row,
        .path = json_string_value(json_object_get(row, "path")),
        .kind = json_string_value(json_object_get(row, "kind")),
        .sha256 = json_string_value(json_object_get(row, "sha256")),
        .bytes = json_integer_value(json_object_get(row, "bytes")),
        .created_ms = clock_wall_ms(),
    };

    if (f.path != NULL && json_is_true(json_object_get(row, "removed"))) {
        log_info("file.pruned", LOG_S("path", f.path), LOG_I("run", run->row));
        return k->store->ops->file_forget(k->store, f.path, err);
    }
    if (f.path == NULL || f.kind == NULL || f.sha256 == NULL)
        return 0;
    return k->store->ops->file_insert(k->store, &f, err);
}

int event_files(struct keeper *k, const struct store_run *run, struct slice files_json,
                struct err *err)
{
    json_t *files = json_loadb(files_json.p, files_json.n, 0, NULL);
    const json_t *row;
    size_t i;
    int rc = 0;

    json_array_foreach (files, i, row) {
        rc = add_file(k, run, row, err);
        if (rc < 0)
            break;
    }
    json_decref(files);
    return rc;
}
