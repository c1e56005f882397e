/* SPDX-License-Identifier: MIT */
#include "base/str.h"
#include "runner/live.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TAIL_BYTES (1U << 20)

/* A tail, who tells it, and what was told. */
struct stage {
    struct event_base *base;
    struct tail tail;
    struct live *live;
    struct event *ticks;
    int ticked;
    size_t pieces, ends, longest;
    uint64_t first, next; /* offsets: of the first byte, and behind the last one */
};

static void on_piece(uint64_t at, struct slice text, void *ctx)
{
    struct stage *s = ctx;

    if (text.n == 0) {
        s->ends++;
        assert_int_equal(at, s->next);
        return;
    }
    if (s->pieces++ == 0)
        s->first = at;
    else
        assert_int_equal(at, s->next);
    s->next = at + text.n;
    if (text.n > s->longest)
        s->longest = text.n;
}

static int setup(void **state)
{
    struct stage *s = mem_calloc(1, sizeof(*s));

    s->base = event_base_new();
    s->tail = TAIL_INIT(TAIL_BYTES);
    s->live = live_new(s->base, &s->tail, on_piece, s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct stage *s = *state;

    if (s->ticks != NULL)
        event_free(s->ticks);
    live_free(s->live);
    tail_free(&s->tail);
    event_base_free(s->base);
    free(s);
    return 0;
}

static void say(struct stage *s, size_t n)
{
    autofree char *text = mem_calloc(n, 1);

    memset(text, 'x', n);
    tail_add(&s->tail, text, n);
    live_grown(s->live);
}

static void nobody_listens_and_nothing_is_told(void **state)
{
    struct stage *s = *state;

    say(s, 10);
    assert_int_equal(event_base_loop(s->base, EVLOOP_NONBLOCK), 1); /* and no timer runs */
    live_end(s->live);
    assert_int_equal(s->pieces + s->ends, 0);
}

static void who_has_gone_is_told_nothing_more(void **state)
{
    struct stage *s = *state;

    say(s, 10);
    live_listen(s->live, true);
    live_listen(s->live, false);
    assert_int_equal(event_base_dispatch(s->base), 1); /* the timer has fired */
    live_end(s->live);
    assert_int_equal(s->pieces + s->ends, 0);
}

static void who_comes_late_hears_what_is_kept_and_the_end_once(void **state)
{
    struct stage *s = *state;

    say(s, 10);
    live_listen(s->live, true);
    event_base_dispatch(s->base);
    assert_int_equal(s->pieces, 1);
    assert_int_equal(s->first, 0);
    say(s, 5);
    live_end(s->live);
    live_end(s->live);
    assert_int_equal(s->next, 15);
    assert_int_equal(s->ends, 1);
}

static void of_much_only_the_last_128_kib_are_told_in_pieces_of_32(void **state)
{
    struct stage *s = *state;

    say(s, TAIL_BYTES);
    live_listen(s->live, true);
    event_base_dispatch(s->base);
    assert_int_equal(s->first, TAIL_BYTES - (128U << 10));
    assert_int_equal(s->next, TAIL_BYTES);
    assert_int_equal(s->longest, 32U << 10);
    assert_int_equal(s->pieces, 4);
}

static void on_tick(evutil_socket_t fd, short what, void *arg)
{
    struct stage *s = arg;

    (void)fd;
    (void)what;
    say(s, 1);
    if (s->pieces > 0 || ++s->ticked == 100)
        event_base_loopbreak(s->base);
}

static void who_never_stops_to_speak_is_heard_meanwhile(void **state)
{
    static const struct timeval every = {.tv_usec = 10000};
    struct stage *s = *state;

    live_listen(s->live, true);
    s->ticks = event_new(s->base, -1, EV_PERSIST, on_tick, s);
    event_add(s->ticks, &every);
    event_base_dispatch(s->base);
    assert_int_equal(s->pieces, 1);
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        STAGE_TEST(nobody_listens_and_nothing_is_told),
        STAGE_TEST(who_has_gone_is_told_nothing_more),
        STAGE_TEST(who_comes_late_hears_what_is_kept_and_the_end_once),
        STAGE_TEST(of_much_only_the_last_128_kib_are_told_in_pieces_of_32),
        STAGE_TEST(who_never_stops_to_speak_is_heard_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
