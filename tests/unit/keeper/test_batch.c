/* SPDX-License-Identifier: MIT */
#include "keeper/batch.h"

#include "keeper/claim.h"

#include <errno.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A store that takes everything, and a gateway that hears what was recorded. */
static struct {
    struct keeper k;
    struct store store;
    int commits, rollbacks, recorded;
    char error[sizeof(struct err)]; /* of the last MSG_RECORDED */
} stage;

struct room *supervise_room(struct supervise *s, enum room_kind kind)
{
    (void)s;
    (void)kind;
    return (struct room *)&stage;
}

struct room *supervise_by_id(struct supervise *s, unsigned id)
{
    (void)s;
    (void)id;
    return (struct room *)&stage;
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
    const struct msg_recorded *recorded = msg;

    (void)ch;
    (void)id;
    assert_int_equal(type, MSG_RECORDED);
    stage.recorded++;
    mem_copy_text(stage.error, sizeof(stage.error), recorded->error.p);
    return 0;
}

void claim_due(struct keeper *k)
{
    (void)k;
}

void keeper_fail(struct keeper *k, int exit_status)
{
    k->exit_status = exit_status;
}

static int begin(struct store *s, struct err *err)
{
    (void)s;
    (void)err;
    return 0;
}

static int commit(struct store *s, struct err *err)
{
    (void)s;
    (void)err;
    stage.commits++;
    return 0;
}

static void rollback(struct store *s)
{
    (void)s;
    stage.rollbacks++;
}

static int setup(void **state)
{
    static const struct store_ops ops = {.begin = begin, .commit = commit, .rollback = rollback};

    (void)state;
    memset(&stage, 0, sizeof(stage));
    stage.store.ops = &ops;
    stage.k.store = &stage.store;
    stage.k.base = event_base_new();
    event_base_priority_init(stage.k.base, 3);
    stage.k.batch = batch_new(&stage.k);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    batch_free(stage.k.batch);
    event_base_free(stage.k.base);
    return 0;
}

static void what_is_recorded_is_told_after_the_commit(void **state)
{
    (void)state;
    assert_int_equal(batch_begin(&stage.k), 0);
    batch_recorded(&stage.k, NULL, 7, "t1");
    assert_int_equal(stage.recorded, 0);
    batch_flush(&stage.k);
    assert_int_equal(stage.commits, 1);
    assert_int_equal(stage.recorded, 1);
    assert_string_equal(stage.error, "");
}

/* Else the gateway would take the task for registered, and send its request. */
static void a_batch_that_failed_never_looks_like_one_that_did_not(void **state)
{
    (void)state;
    assert_int_equal(batch_begin(&stage.k), 0);
    batch_recorded(&stage.k, NULL, 7, "t1");
    batch_spoil(&stage.k, -ENOENT, &(struct err){""});
    assert_int_equal(batch_begin(&stage.k), -EBUSY);
    batch_flush(&stage.k);
    assert_int_equal(stage.commits, 0);
    assert_int_equal(stage.rollbacks, 1);
    assert_int_equal(stage.recorded, 1);
    assert_string_not_equal(stage.error, "");
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STAGE_TEST(what_is_recorded_is_told_after_the_commit),
        STAGE_TEST(a_batch_that_failed_never_looks_like_one_that_did_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
