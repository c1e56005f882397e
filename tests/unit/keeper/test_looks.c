/* SPDX-License-Identifier: MIT */
#include "keeper/looks.h"

#include "keeper/alarms.h"
#include "keeper/batch.h"
#include "keeper/events.h"
#include "keeper/judge.h"
#include "keeper/query.h"
#include "keeper/record.h"
#include "keeper/schedule.h"

#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The sweep at the start: no task is due by itself, and three steps find one each. */
static struct {
    struct conf conf;
    struct store store;
    struct keeper k;
    int begun, steps, batches;
    void (*then)(struct keeper *k, bool ok, void *ctx);
} stage;

struct room *supervise_room(struct supervise *s, enum room_kind kind)
{
    (void)s;
    return kind == ROOM_GATEWAY ? (struct room *)&stage : NULL;
}

int batch_begin(struct keeper *k)
{
    (void)k;
    stage.batches++;
    return 0;
}

void batch_then(struct keeper *k, void (*fn)(struct keeper *k, bool ok, void *ctx), void *ctx)
{
    (void)k;
    assert_null(ctx);
    stage.then = fn;
}

static int task_looks(struct store *s, int64_t now_ms, int limit, store_on_task *fn, void *ctx)
{
    (void)s;
    (void)now_ms;
    (void)limit;
    (void)fn;
    (void)ctx;
    return 0;
}

static int64_t task_next_look(struct store *s)
{
    (void)s;
    return 0;
}

static int task_sweep(struct store *s, struct store_sweep *sweep, int64_t now_ms, int limit,
                      struct err *err)
{
    (void)s;
    (void)now_ms;
    (void)limit;
    (void)err;
    if (!sweep->begun) {
        *sweep = (struct store_sweep){.begun = true};
        stage.begun++;
    }
    sweep->n = 1;
    sweep->over = ++sweep->at == 3;
    stage.steps++;
    return 0;
}

/* A look at what is due, and the end of its batch. */
static void wake(bool ok)
{
    stage.then = NULL;
    looks_wake(&stage.k);
    if (stage.then != NULL)
        stage.then(&stage.k, ok, NULL);
}

/* -- what no sweep needs -- */

struct room *supervise_by_id(struct supervise *s, unsigned id)
{
    (void)s;
    (void)id;
    return NULL;
}

unsigned room_id(const struct room *room)
{
    (void)room;
    return 1;
}

struct channel *room_channel(struct room *room)
{
    (void)room;
    return NULL;
}

int channel_send(struct channel *ch, enum message_type type, uint64_t id, const void *msg)
{
    (void)ch;
    (void)type;
    (void)id;
    (void)msg;
    return -EIO;
}

void batch_spoil(struct keeper *k, int code, const struct err *err)
{
    (void)k;
    fail_msg("%d: %s", code, err->text);
}

void batch_result(struct keeper *k, const struct room *room, uint64_t id, int exit_status,
                  char *json)
{
    (void)k;
    (void)room;
    (void)id;
    (void)exit_status;
    free(json);
}

void alarms_on_answer(struct keeper *k, const char *provider)
{
    (void)k;
    (void)provider;
}

void alarms_on_silence(struct keeper *k, const char *provider, const char *why)
{
    (void)k;
    (void)provider;
    (void)why;
}

int event_task(struct keeper *k, struct store_task *t, const struct news *news, struct err *err)
{
    (void)k;
    (void)t;
    (void)news;
    return err_set(err, -EIO, "no task is there");
}

int judge_poll(struct keeper *k, struct store_task *t, const struct msg_report *report,
               struct slice body, struct err *err)
{
    (void)k;
    (void)t;
    (void)report;
    (void)body;
    return err_set(err, -EIO, "no task is there");
}

int judge_lost(struct keeper *k, struct store_task *t, const char *why, struct err *err)
{
    (void)k;
    (void)t;
    (void)why;
    return err_set(err, -EIO, "no task is there");
}

int record_unanswered(struct keeper *k, struct store_task *t, struct err *err)
{
    (void)k;
    (void)t;
    return err_set(err, -EIO, "no task is there");
}

void query_refuse(struct keeper *k, const struct question *q, int exit_status, const char *fmt, ...)
{
    (void)k;
    (void)q;
    (void)exit_status;
    (void)fmt;
}

const struct running *schedule_find(const struct keeper *k, int64_t run)
{
    (void)k;
    (void)run;
    return NULL;
}

/* -- the sweep -- */

static int setup(void **state)
{
    static const struct store_ops ops = {
        .task_looks = task_looks, .task_next_look = task_next_look, .task_sweep = task_sweep};

    (void)state;
    memset(&stage, 0, sizeof(stage));
    stage.conf.limits.looks = 10;
    stage.store.ops = &ops;
    stage.k.conf = &stage.conf;
    stage.k.store = &stage.store;
    stage.k.base = event_base_new();
    stage.k.looks = looks_new(&stage.k);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    looks_free(stage.k.looks);
    event_base_free(stage.k.base);
    return 0;
}

static void a_sweep_that_is_over_costs_no_batch(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        wake(true);
    assert_int_equal(stage.begun, 1);
    assert_int_equal(stage.steps, 3);
    assert_int_equal(stage.batches, 3);
}

static void a_step_that_did_not_reach_the_disk_begins_the_sweep_anew(void **state)
{
    (void)state;
    wake(true);
    wake(true);
    wake(false); /* the last one */
    for (int i = 0; i < 5; i++)
        wake(true);
    assert_int_equal(stage.begun, 2);
    assert_int_equal(stage.steps, 3 + 3);
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STAGE_TEST(a_sweep_that_is_over_costs_no_batch),
        STAGE_TEST(a_step_that_did_not_reach_the_disk_begins_the_sweep_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
