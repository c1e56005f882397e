/* SPDX-License-Identifier: MIT */
#include "keeper/redo.h"

#include "base/clock.h"
#include "keeper/batch.h"
#include "keeper/events.h"
#include "keeper/schedule.h"
#include "wire/command.h"

#include <errno.h>

#define MAX_RETRIES  1000 /* a question; who wants more asks again */
#define DEFAULT_RATE 10   /* a second */

static bool begin(struct keeper *k, const struct question *q)
{
    if (batch_begin(k) == 0)
        return true;
    query_refuse(k, q, EXIT_FAILED, "the store is not taking writes at the moment");
    return false;
}

static json_int_t number(const struct question *q, const char *name)
{
    return json_integer_value(json_object_get(q->args, name));
}

/* In the story of its task it stands who did it. */
static int note(struct keeper *k, int64_t row, const char *verdict, const char *what,
                struct err *err)
{
    struct news news = {.source = SOURCE_OPERATOR, .verdict = verdict};
    autofree char *detail = NULL;
    struct store_run run;
    struct store_task t;
    int rc = k->store->ops->run_by_row(k->store, row, &run);

    if (rc < 0 || run.task == 0)
        return rc;
    detail = mem_printf("hook %s, run %lld %s", run.hook, (long long)row, what);
    news.detail = detail;
    rc = k->store->ops->task_by_row(k->store, run.task, &t);
    return rc < 0 ? rc : event_task(k, &t, &news, err);
}

/* What went wrong with a run that was named: for people, or for the batch. */
static void fail(struct keeper *k, const struct question *q, int rc, const struct err *err)
{
    if (rc != -ENOENT && rc != -EALREADY)
        batch_spoil(k, rc, err);
    query_refuse(k, q, rc == -ENOENT ? EXIT_NOT_FOUND : EXIT_FAILED, "%s", err->text);
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

static int wanted_runs(struct keeper *k, const struct question *q, struct dead *dead)
{
    struct store_filter filter = {.state = RUN_DEAD,
                                  .hook = query_text(q, "hook"),
                                  .since_ms = number(q, "since"),
                                  .before = number(q, "before"),
                                  .limit = MAX_RETRIES};

    dead->n = 0;
    if (json_is_true(json_object_get(q->args, "all_dead")))
        return k->store->ops->run_list(k->store, &filter, on_dead, dead);
    if (json_is_integer(json_object_get(q->args, "run")))
        dead->rows[dead->n++] = number(q, "run");
    return 0;
}

/* One that is no longer configured may have dead runs. */
static bool knows_hook(struct keeper *k, const struct question *q, const struct dead *dead)
{
    const char *hook = query_text(q, "hook");

    if (hook == NULL || dead->n != 0 || number(q, "before") != 0 ||
        conf_hook_find(k->conf, hook) != NULL)
        return true;
    query_refuse(k, q, EXIT_NOT_FOUND, "there is no hook %s in the configuration", hook);
    return false;
}

/* The first one now, the others a moment apart, so that what they call is not run over. */
static int retry_all(struct keeper *k, const struct question *q, const struct dead *dead,
                     json_t *ids, struct err *err)
{
    int64_t rate = number(q, "rate") > 0 ? number(q, "rate") : DEFAULT_RATE;
    int64_t offset = number(q, "offset");
    int64_t now = clock_wall_ms();
    int rc = 0;

    if (offset < 0 || offset > INT32_MAX)
        offset = 0;
    for (size_t i = 0; i < dead->n && rc == 0; i++) {
        rc = schedule_retry(k, dead->rows[i], now + (offset + (int64_t)i) * 1000 / rate, err);
        if (rc == 0)
            rc = note(k, dead->rows[i], "retry", "is made again", err);
        if (rc == 0)
            json_array_append_new(ids, json_integer(dead->rows[i]));
    }
    return rc;
}

void redo_retry(struct keeper *k, const struct question *q)
{
    struct dead *dead = mem_calloc(1, sizeof(*dead));
    json_t *ids = json_array();
    struct err err = {""};
    int rc = 0;

    if (query_could_read(k, q, wanted_runs(k, q, dead)) && knows_hook(k, q, dead) &&
        (dead->n == 0 || begin(k, q))) {
        rc = retry_all(k, q, dead, ids, &err);
        if (rc < 0)
            fail(k, q, rc, &err);
        else
            query_answer(k, q,
                         json_pack("{s:O, s:b}", "runs", ids, "more", dead->n == MAX_RETRIES));
    }
    json_decref(ids);
    free(dead);
}

/* -- cancel-run -- */

void redo_cancel(struct keeper *k, const struct question *q)
{
    int64_t row = number(q, "run");
    struct err err = {""};
    bool running = false;
    int rc;

    if (!begin(k, q))
        return;
    rc = schedule_cancel(k, row, &running, &err);
    if (rc == 0)
        rc = note(k, row, "cancel", running ? "is cancelled, and is being ended" : "is cancelled",
                  &err);
    if (rc < 0)
        fail(k, q, rc, &err);
    else
        query_answer(k, q, json_pack("{s:I, s:b}", "run", (json_int_t)row, "running", running));
}
