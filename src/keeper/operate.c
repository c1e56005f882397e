/* SPDX-License-Identifier: MIT */
#include "keeper/operate.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/alarms.h"
#include "keeper/batch.h"
#include "keeper/events.h"
#include "keeper/looks.h"
#include "keeper/pauses.h"
#include "keeper/reload.h"
#include "keeper/spend.h"
#include "wire/command.h"

#include <errno.h>
#include <string.h>

static bool begin(struct keeper *k, const struct question *q)
{
    if (batch_begin(k) == 0)
        return true;
    query_refuse(k, q, EXIT_FAILED, "the store is not taking writes at the moment");
    return false;
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

    for (int s = 0; s < RUN_STATE_COUNT; s++)
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
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:{s:s, s:I, s:I}}",
                  "version", PACKAGE_VERSION, "since", since, "config", k->conf->file, "rooms",
                  rooms, "verdicts", verdict_numbers(k), "replaced", spend_replaced_numbers(k),
                  "tasks", task_numbers(&counts), "runs", run_numbers(&counts), "paused",
                  pauses_list(k->pauses), "switched_off", pauses_reasons(k->pauses), "alarms",
                  alarms_list(k->alarms), "low_space", k->low_space, "store", "url", k->conf->store,
                  "bytes", (json_int_t)counts.bytes, "wal_bytes", (json_int_t)counts.wal_bytes));
}

void operate_config(struct keeper *k, const struct question *q)
{
    struct buf text = BUF_INIT(1U << 20);

    conf_show(k->conf, &text);
    query_answer(k, q, json_pack("{s:s, s:s}", "file", k->conf->file, "yaml", buf_text(&text)));
    buf_free(&text);
}
