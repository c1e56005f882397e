/* SPDX-License-Identifier: MIT */
#include "keeper/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/clock.h"

#define SECOND 1000
#define HOUR   3600000LL

static struct conf conf = {
    .n_providers = 3,
    .providers = {{.name = (char[]){"push"}, .mode = MODE_PUSH, .overdue_ms = 300 * SECOND},
                  {.name = (char[]){"poll"}, .mode = MODE_POLL, .overdue_ms = 300 * SECOND},
                  {.name = (char[]){"both"}, .mode = MODE_BOTH, .overdue_ms = 300 * SECOND}},
};

static struct store_task task_of(const char *provider, bool expects, int looks, int64_t age_ms)
{
    return (struct store_task){.provider = provider,
                               .expects_callback = expects,
                               .looks = looks,
                               .created_ms = clock_wall_ms() - age_ms};
}

static void intervals_grow_to_a_limit_with_jitter_on_top(void **state)
{
    static const struct {
        const char *provider;
        bool expects;
        int looks;
        int64_t age_ms, least;
    } rows[] = {
        {"push", true, 0, 0, 300 * SECOND},
        {"push", true, 50, 0, 1800 * SECOND},
        {"push", false, 0, 0, 5 * SECOND}, /* adopted: nobody calls back for it */
        {"poll", true, 0, 0, 5 * SECOND},
        {"both", true, 0, 0, 5 * SECOND},
        {"poll", false, 50, 0, 30 * SECOND},
        {"poll", false, 50, HOUR, 180 * SECOND},
        {"poll", false, 50, 48 * HOUR, 600 * SECOND},
        {"gone", true, 0, 0, 300 * SECOND}, /* its provider is no longer configured */
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (int n = 0; n < 50; n++) {
            struct store_task t =
                task_of(rows[i].provider, rows[i].expects, rows[i].looks, rows[i].age_ms);
            int64_t ms = pace_later(&conf, &t) - clock_wall_ms();

            if (ms < rows[i].least - 100 || ms > rows[i].least + rows[i].least / 5 + 100)
                fail_msg("row %zu: %lld", i, (long long)ms);
        }
}

static void jitter_spreads(void **state)
{
    struct store_task t = task_of("push", true, 50, 0);
    int64_t first = pace_later(&conf, &t);
    bool differs = false;

    (void)state;
    for (int n = 0; n < 20; n++) {
        int64_t ms = pace_later(&conf, &t) - first;

        differs = differs || ms > SECOND || ms < -SECOND;
    }
    assert_true(differs);
}

static void three_misses_count_when_time_has_passed_between_them(void **state)
{
    struct store_task t = task_of("poll", false, 0, 0);

    (void)state;
    for (int i = 1; i < PACE_MISSES; i++) {
        assert_false(pace_miss(&t));
        assert_int_equal(t.misses, i);
        assert_false(pace_miss(&t)); /* at once again: as if it had not been */
        assert_int_equal(t.misses, i);
        assert_true(pace_later(&conf, &t) - clock_wall_ms() >= PACE_MISS_GAP_MS - 100);
        t.missed_ms -= PACE_MISS_GAP_MS;
    }
    assert_true(pace_miss(&t));
}

static void off_peak_tasks_have_longer(void **state)
{
    struct store_task t = task_of("push", true, 0, 0);

    (void)state;
    assert_int_equal(pace_lost_after(&t), 24 * HOUR);
    t.off_peak = true;
    assert_int_equal(pace_lost_after(&t), 49 * HOUR);
}

static void a_second_has_so_many_looks(void **state)
{
    struct pace p = {.n_paused = 0};

    (void)state;
    assert_int_equal(pace_allowance(&p, 5), 5);
    for (int i = 0; i < 5; i++)
        pace_spend(&p);
    assert_int_equal(pace_allowance(&p, 5), 0);
    p.window_ms -= SECOND;
    assert_int_equal(pace_allowance(&p, 5), 5);
}

static void pauses_end_and_their_number_is_limited(void **state)
{
    struct pace p = {.n_paused = 0};
    int64_t now = clock_wall_ms();
    char name[16];

    (void)state;
    pace_pause(&p, "a", now + HOUR);
    pace_pause(&p, "b", now - 1);
    assert_int_equal(pace_paused(&p, "a"), now + HOUR);
    assert_int_equal(pace_paused(&p, "b"), 0);
    assert_int_equal(pace_paused(&p, "c"), 0);
    pace_pause(&p, "a", now + 2 * HOUR);
    assert_int_equal(pace_paused(&p, "a"), now + 2 * HOUR);
    assert_int_equal(p.n_paused, 2);
    for (int i = 0; i < 2 * CONF_MAX_PROVIDERS; i++) {
        snprintf(name, sizeof(name), "p%d", i);
        pace_pause(&p, name, now + HOUR + i);
    }
    assert_int_equal(p.n_paused, CONF_MAX_PROVIDERS);
    assert_int_equal(pace_paused(&p, "a"), now + 2 * HOUR); /* the one that ends first makes room */
    assert_int_equal(pace_paused(&p, name), now + HOUR + 2 * CONF_MAX_PROVIDERS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_grow_to_a_limit_with_jitter_on_top),
        cmocka_unit_test(jitter_spreads),
        cmocka_unit_test(three_misses_count_when_time_has_passed_between_them),
        cmocka_unit_test(off_peak_tasks_have_longer),
        cmocka_unit_test(a_second_has_so_many_looks),
        cmocka_unit_test(pauses_end_and_their_number_is_limited),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
