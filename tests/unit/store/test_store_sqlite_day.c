/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include "store_fixture.h"

struct days {
    struct store_day v[8];
    char providers[8][16];
    size_t n;
};

static int on_day(const struct store_day *day, void *ctx)
{
    struct days *days = ctx;

    mem_copy_text(days->providers[days->n], sizeof(days->providers[0]), day->provider);
    days->v[days->n++] = *day;
    return 0;
}

static void add(struct fixture *f, int64_t day, const char *provider, int64_t credits)
{
    struct store_day d = {
        .day = day, .provider = provider, .tasks = 1, .credits = credits, .replaced = 2};

    assert_ok(f, f->ops->day_add(f->s, &d, &f->err));
}

static void numbers_add_up_for_each_day_and_provider(void **state)
{
    struct fixture *f = *state;
    struct days days = {.n = 0};

    fixture_begin(f);
    add(f, 20001, "vidu", 40);
    add(f, 20000, "vidu", 10);
    add(f, 20001, "vidu", -15);
    add(f, 20001, "other", 7);
    fixture_commit(f);
    assert_ok(f, f->ops->day_list(f->s, 20001, on_day, &days));
    assert_int_equal(days.n, 2);
    assert_string_equal(days.providers[0], "other");
    assert_int_equal(days.v[1].credits, 25);
    assert_int_equal(days.v[1].tasks, 2);
    assert_int_equal(days.v[1].replaced, 4);
    days.n = 0;
    assert_ok(f, f->ops->day_list(f->s, 0, on_day, &days));
    assert_int_equal(days.n, 3);
    assert_int_equal(days.v[0].day, 20000);
}

static void what_is_rolled_back_was_not_spent(void **state)
{
    struct fixture *f = *state;
    struct days days = {.n = 0};

    fixture_begin(f);
    add(f, 20001, "vidu", 40);
    f->ops->rollback(f->s);
    assert_ok(f, f->ops->day_list(f->s, 0, on_day, &days));
    assert_int_equal(days.n, 0);
}

#define OPEN(test) cmocka_unit_test_setup_teardown(test, fixture_setup_open, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        OPEN(numbers_add_up_for_each_day_and_provider),
        OPEN(what_is_rolled_back_was_not_spent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
