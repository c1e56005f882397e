/*
 * The rooms are this program again: what is to become of one stands in its HELLO, a word each
 *
 *   serve    ready, answers pings, leaves when drained     refuse   cannot start
 *   mute     ready, answers no ping                        never    says nothing at all
 *
 * and what a room wants to be known it says with MSG_SUBSCRIBE.
 *
 * SPDX-License-Identifier: MIT
 */
#include "keeper/supervise.h"

#include "base/clock.h"
#include "wire/hello.h"

#include <event2/event.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_MS 10000
#define DRAINED     77 /* in MSG_SUBSCRIBE */
#define ANSWERED    78

/* -- a room -- */

static int read_frame(struct frame *f, char **memory)
{
    return channel_read_blocking(ROOM_CHANNEL_FD, FRAME_MAX, -1, f, memory);
}

static int say(enum message_type type, const void *msg)
{
    return channel_write_blocking(ROOM_CHANNEL_FD, type, 0, msg);
}

static bool obey(const struct frame *f, const char *kind)
{
    struct msg_pong pong = {.json = SLICE_LIT("{}")};
    struct msg_subscribe drained = {.watchers = DRAINED};
    struct msg_subscribe answered = {.watchers = ANSWERED};

    if (f->type == MSG_DRAIN) {
        (void)!say(MSG_SUBSCRIBE, &drained);
        return false;
    }
    if (f->type == MSG_PING && !str_eq(kind, "mute"))
        return say(MSG_PONG, &pong) == 0 && say(MSG_SUBSCRIBE, &answered) == 0;
    return true;
}

static int room_main(void)
{
    struct msg_ready ready = {.error = {"", 0}};
    struct msg_hello hello;
    char *memory = NULL;
    char *kind = NULL;
    struct frame f;

    if (read_frame(&f, &memory) < 0 || message_read(&f, &hello) < 0)
        return 2;
    kind = mem_strndup(hello.json.p, hello.json.n);
    if (str_eq(kind, "refuse"))
        ready.error = SLICE_LIT("not today");
    if (str_eq(kind, "never") || say(MSG_READY, &ready) < 0)
        pause();
    for (bool go_on = true; go_on;) {
        free(memory);
        memory = NULL;
        go_on = read_frame(&f, &memory) == 0 && obey(&f, kind);
    }
    free(memory);
    free(kind);
    return 0;
}

/* -- its parent -- */

struct world {
    struct event_base *base;
    struct supervise *s;
    int started, failed, ups, gone, drained, answered, stopped, hopeless;
    char why[128];
};

static void on_frame(struct room *room, const struct frame *f, void *ctx)
{
    struct world *w = ctx;
    struct msg_subscribe msg;

    (void)room;
    if (f->type != MSG_SUBSCRIBE || message_read(f, &msg) < 0)
        return;
    w->drained += msg.watchers == DRAINED;
    w->answered += msg.watchers == ANSWERED;
}

static void on_up(struct room *room, void *ctx)
{
    (void)room;
    ((struct world *)ctx)->ups++;
}

static bool on_gone(struct room *room, void *ctx)
{
    (void)room;
    ((struct world *)ctx)->gone++;
    return false;
}

static void on_hopeless(const char *why, void *ctx)
{
    (void)why;
    ((struct world *)ctx)->hopeless++;
}

static const struct supervise_ops ops = {
    .on_frame = on_frame, .on_up = on_up, .on_gone = on_gone, .on_hopeless = on_hopeless};

static void on_started(bool ok, const char *error, void *ctx)
{
    struct world *w = ctx;

    *(ok ? &w->started : &w->failed) += 1;
    mem_copy_text(w->why, sizeof(w->why), str_or(error, ""));
}

static void on_stopped(void *ctx)
{
    ((struct world *)ctx)->stopped++;
}

static int set_up(void **state)
{
    struct world *w = mem_calloc(1, sizeof(*w));

    w->base = event_base_new();
    event_base_priority_init(w->base, 3);
    w->s = supervise_new(w->base, &ops, w);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    clock_freeze(-1, -1);
    supervise_free(w->s);
    event_base_free(w->base);
    free(w);
    return 0;
}

static void start(struct world *w, const char *gateway, const char *runner)
{
    struct room_plan plans[] = {
        {.kind = ROOM_GATEWAY, .hello = mem_strdup(gateway)},
        {.kind = ROOM_RUNNER, .hello = mem_strdup(runner)},
    };

    assert_int_equal(supervise_start(w->s, plans, 2, on_started, w), 0);
}

/* Turns the loop until *count is n. */
static void turn_until(struct world *w, const int *count, int n)
{
    const struct timeval step = {.tv_usec = 10000};
    int64_t deadline = clock_mono_ms() + DEADLINE_MS;

    while (*count < n && clock_mono_ms() < deadline) {
        event_base_loopexit(w->base, &step);
        event_base_dispatch(w->base);
    }
    assert_int_equal(*count, n);
}

struct tally {
    int up, starting_pid;
};

static void count_room(const char *name, int pid, const char *phase, const char *counters,
                       void *ctx)
{
    struct tally *t = ctx;

    (void)name;
    (void)counters;
    t->up += strcmp(phase, "up") == 0;
    if (strcmp(phase, "starting") == 0)
        t->starting_pid = pid;
}

static struct tally count_rooms(struct world *w)
{
    struct tally t = {0};

    supervise_each(w->s, count_room, &t);
    return t;
}

/* -- tests -- */

static void rooms_take_over_when_all_of_them_are_ready(void **state)
{
    struct world *w = *state;

    start(w, "serve", "serve");
    assert_true(supervise_starting(w->s));
    turn_until(w, &w->ups, 2);
    assert_int_equal(w->started, 1);
    assert_false(supervise_starting(w->s));
    start(w, "serve", "serve");
    turn_until(w, &w->gone, 2); /* the old ones, drained */
    assert_int_equal(w->drained, 2);
    assert_int_equal(count_rooms(w).up, 2);
}

static void one_that_refuses_changes_nothing(void **state)
{
    struct world *w = *state;

    start(w, "serve", "serve");
    turn_until(w, &w->ups, 2);
    start(w, "refuse", "serve");
    turn_until(w, &w->failed, 1);
    assert_string_equal(w->why, "gateway: not today");
    turn_until(w, &w->gone, 2);
    assert_int_equal(count_rooms(w).up, 2);
    assert_int_equal(w->ups, 2);
}

static void one_that_cannot_be_told_its_settings_changes_nothing(void **state)
{
    struct world *w = *state;
    char *large = mem_calloc(FRAME_MAX + 1, 1);

    memset(large, 'x', FRAME_MAX);
    start(w, "serve", "serve");
    turn_until(w, &w->ups, 2);
    start(w, large, "serve");
    free(large);
    turn_until(w, &w->failed, 1);
    turn_until(w, &w->gone, 2); /* both were reaped */
    assert_int_equal(count_rooms(w).up, 2);
}

/* A receiver may have accepted connections by then. */
static void a_room_that_was_ready_is_drained_when_another_fails(void **state)
{
    struct world *w = *state;
    struct tally t = {0};

    start(w, "serve", "serve");
    turn_until(w, &w->ups, 2);
    start(w, "never", "serve");
    for (int64_t deadline = clock_mono_ms() + DEADLINE_MS; t.up < 3 && clock_mono_ms() < deadline;
         t = count_rooms(w))
        event_base_loop(w->base, EVLOOP_ONCE);
    assert_int_equal(t.up, 3);
    kill(t.starting_pid, SIGKILL);
    turn_until(w, &w->failed, 1);
    turn_until(w, &w->gone, 2);
    assert_int_equal(w->drained, 1);
}

static void a_stop_ends_a_start_that_is_under_way(void **state)
{
    struct world *w = *state;

    start(w, "serve", "serve");
    turn_until(w, &w->ups, 2);
    start(w, "never", "never");
    supervise_stop(w->s, 1000, on_stopped);
    assert_int_equal(w->failed, 1);
    assert_string_equal(w->why, "the daemon stops");
    turn_until(w, &w->stopped, 1);
    assert_int_equal(w->gone, 4);
    assert_int_equal(w->drained, 2);
}

static void only_one_start_at_a_time(void **state)
{
    struct world *w = *state;
    struct room_plan plan = {.kind = ROOM_RUNNER, .hello = mem_strdup("serve")};

    start(w, "serve", "serve");
    assert_int_equal(supervise_start(w->s, &plan, 1, on_started, w), -EBUSY);
    assert_null(plan.hello);
}

static void a_room_that_answers_no_ping_is_replaced(void **state)
{
    struct world *w = *state;

    start(w, "mute", "serve");
    turn_until(w, &w->ups, 2);
    for (int i = 1; i <= 6; i++) {
        supervise_ping(w->s);
        turn_until(w, &w->answered, i);
    }
    assert_false(supervise_alive(w->s));
    assert_int_equal(w->gone, 0);
    supervise_ping(w->s);
    turn_until(w, &w->ups, 3);
    assert_int_equal(w->gone, 1);
    assert_true(supervise_alive(w->s));
}

/* A slow disk, a machine that slept: nobody was asked, so nobody was silent. */
static void time_without_pings_is_not_held_against_the_rooms(void **state)
{
    struct world *w = *state;
    int64_t now = clock_mono_ms();

    start(w, "serve", "serve");
    turn_until(w, &w->ups, 2);
    clock_freeze(now + 3600000, 0);
    supervise_ping(w->s);
    assert_true(supervise_alive(w->s));
    clock_freeze(-1, -1);
    start(w, "serve", "serve"); /* its end shows that all has been seen to */
    turn_until(w, &w->gone, 2);
    assert_int_equal(w->drained, 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rooms_take_over_when_all_of_them_are_ready, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(one_that_refuses_changes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(one_that_cannot_be_told_its_settings_changes_nothing,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_room_that_was_ready_is_drained_when_another_fails, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_stop_ends_a_start_that_is_under_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_one_start_at_a_time, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_room_that_answers_no_ping_is_replaced, set_up, tear_down),
        cmocka_unit_test_setup_teardown(time_without_pings_is_not_held_against_the_rooms, set_up,
                                        tear_down),
    };

    if (argc > 1 && str_starts(argv[1], "--room="))
        return room_main();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
