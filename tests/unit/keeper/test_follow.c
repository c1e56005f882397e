/* SPDX-License-Identifier: MIT */
#include "keeper/follow.h"

#include "keeper/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Rooms 1 to 99 are gateways, each its own channel; 100 is the runner. */
static char rooms[101];
static bool gone[101];
static size_t queued; /* bytes in the channel of every gateway */
static unsigned passed[101];
static int told; /* what the runner heard last: followers, -1 nothing */
static struct running under_way = {.run = 7, .room = 100};

static struct room *room(unsigned id)
{
    return (struct room *)&rooms[id];
}

unsigned room_id(const struct room *r)
{
    return (unsigned)((const char *)r - rooms);
}

struct room *supervise_by_id(struct supervise *s, unsigned id)
{
    (void)s;
    return gone[id] ? NULL : room(id);
}

struct channel *room_channel(struct room *r)
{
    return (struct channel *)r;
}

const struct running *schedule_find(const struct keeper *k, int64_t run)
{
    (void)k;
    return run == under_way.run ? &under_way : NULL;
}

int channel_send(struct channel *ch, enum message_type type, uint64_t id, const void *msg)
{
    assert_int_equal(room_id((struct room *)ch), 100);
    assert_int_equal(type, MSG_FOLLOW);
    assert_int_equal(id, under_way.run);
    told = (int)((const struct msg_follow *)msg)->followers;
    return 0;
}

int channel_forward(struct channel *ch, const struct frame *f, uint64_t id)
{
    (void)f;
    (void)id;
    passed[room_id((struct room *)ch)]++;
    return 0;
}

size_t channel_queued(const struct channel *ch)
{
    (void)ch;
    return queued;
}

static int setup(void **state)
{
    struct keeper *k = mem_calloc(1, sizeof(*k));

    k->follows = follows_new();
    memset(gone, 0, sizeof(gone));
    memset(passed, 0, sizeof(passed));
    queued = 0;
    told = -1;
    *state = k;
    return 0;
}

static int teardown(void **state)
{
    struct keeper *k = *state;

    follows_free(k->follows);
    free(k);
    return 0;
}

static void follow(struct keeper *k, unsigned gateway, int64_t run, uint32_t followers)
{
    struct msg_follow msg = {.run = (uint64_t)run, .followers = followers};
    uint8_t payload[64];
    struct frame f = {.type = MSG_FOLLOW, .id = (uint64_t)run};

    assert_true(message_size(MSG_FOLLOW, &msg) <= sizeof(payload));
    message_write(MSG_FOLLOW, &msg, payload);
    f.payload = (struct slice){(const char *)payload, message_size(MSG_FOLLOW, &msg)};
    follow_on_message(k, room(gateway), &f);
}

static void output(struct keeper *k, int64_t run)
{
    struct msg_output msg = {.run = (uint64_t)run, .attempt = 1, .text = slice_str("x")};
    uint8_t payload[64];
    struct frame f = {.type = MSG_OUTPUT, .id = (uint64_t)run};

    assert_true(message_size(MSG_OUTPUT, &msg) <= sizeof(payload));
    message_write(MSG_OUTPUT, &msg, payload);
    f.payload = (struct slice){(const char *)payload, message_size(MSG_OUTPUT, &msg)};
    follow_on_output(k, room(100), &f);
}

static void subscribe(struct keeper *k, unsigned gateway, uint32_t watchers)
{
    struct msg_subscribe msg = {.watchers = watchers};
    uint8_t payload[16];
    struct frame f = {.type = MSG_SUBSCRIBE};

    assert_true(message_size(MSG_SUBSCRIBE, &msg) <= sizeof(payload));
    message_write(MSG_SUBSCRIBE, &msg, payload);
    f.payload = (struct slice){(const char *)payload, message_size(MSG_SUBSCRIBE, &msg)};
    follow_on_subscribe(k, room(gateway), &f);
}

static void a_gateway_that_never_takes_over_silences_no_watcher(void **state)
{
    struct keeper *k = *state;

    subscribe(k, 1, 0);
    subscribe(k, 1, 2);
    assert_int_equal(k->watchers, 2);
    subscribe(k, 2, 0); /* of a reload that fails */
    assert_int_equal(k->watchers, 2);
    subscribe(k, 1, 1);
    assert_int_equal(k->watchers, 1);
    gone[1] = true;
    subscribe(k, 3, 0);
    assert_int_equal(k->watchers, 0);
}

static void output_goes_to_whom_it_is_wanted_by(void **state)
{
    struct keeper *k = *state;

    follow(k, 1, 7, 1);
    assert_int_equal(told, 1);
    follow(k, 2, 7, 3);
    follow(k, 4, 7, 0);
    follow(k, 3, 8, 1);
    output(k, 7);
    assert_true(passed[1] == 1 && passed[2] == 1 && passed[3] + passed[4] == 0);
    follow(k, 1, 7, 0);
    assert_int_equal(told, 1); /* by the other gateway */
    follow(k, 3, 8, 1);        /* once more is no second one */
    output(k, 8);
    assert_int_equal(passed[3], 1);
    follow(k, 2, 7, 0);
    assert_int_equal(told, 0);
    output(k, 7);
    assert_true(passed[1] == 1 && passed[2] == 1);
}

static void who_is_4_mib_behind_misses_some(void **state)
{
    struct keeper *k = *state;

    follow(k, 1, 7, 1);
    queued = (4U << 20) - 1;
    output(k, 7);
    assert_int_equal(passed[1], 1);
    queued++;
    output(k, 7);
    assert_int_equal(passed[1], 1);
    gone[1] = true;
    queued = 0;
    output(k, 7);
    assert_int_equal(passed[1], 1);
}

static void no_more_than_64_are_kept(void **state)
{
    struct keeper *k = *state;

    for (unsigned i = 1; i <= 65; i++)
        follow(k, i, 7, 1);
    output(k, 7);
    assert_true(passed[64] == 1 && passed[65] == 0);
    follow(k, 3, 7, 0);
    follow(k, 65, 7, 1);
    output(k, 7);
    assert_true(passed[64] == 2 && passed[65] == 1 && passed[3] == 1);
}

static void those_of_a_gateway_that_is_gone_make_room(void **state)
{
    struct keeper *k = *state;

    for (unsigned i = 1; i <= 64; i++)
        follow(k, i, 7, 1);
    gone[1] = true;
    follow(k, 65, 7, 1);
    output(k, 7);
    assert_int_equal(passed[65], 1);
}

static void a_run_that_begins_is_told_if_it_is_waited_for(void **state)
{
    struct keeper *k = *state;

    follow_begun(k, 7, room(100));
    assert_int_equal(told, -1);
    follow(k, 1, 7, 1);
    told = -1;
    follow_begun(k, 7, room(100));
    assert_int_equal(told, 1);
}

#define ROOM_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        ROOM_TEST(a_gateway_that_never_takes_over_silences_no_watcher),
        ROOM_TEST(output_goes_to_whom_it_is_wanted_by),
        ROOM_TEST(who_is_4_mib_behind_misses_some),
        ROOM_TEST(no_more_than_64_are_kept),
        ROOM_TEST(those_of_a_gateway_that_is_gone_make_room),
        ROOM_TEST(a_run_that_begins_is_told_if_it_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
