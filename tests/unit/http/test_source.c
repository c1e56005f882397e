/* SPDX-License-Identifier: MIT */
#include "http/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <string.h>

static struct source_key key_of(const char *text)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct source_key key;

    if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
        assert_true(source_key((struct sockaddr *)&v4, &key));
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
        assert_true(source_key((struct sockaddr *)&v6, &key));
    }
    return key;
}

static enum source_verdict enter(struct source_table *t, const char *text, int64_t now_ms)
{
    struct source_key key = key_of(text);
    struct source_ticket ticket;

    return source_enter(t, &key, now_ms, &ticket);
}

static bool same(const char *a, const char *b)
{
    struct source_key x = key_of(a);
    struct source_key y = key_of(b);

    return memcmp(&x, &y, sizeof(x)) == 0;
}

static void one_source_is_an_address_or_a_slash_64(void **state)
{
    struct sockaddr sa = {.sa_family = AF_UNIX};
    struct source_key key;

    (void)state;
    assert_true(same("2001:db8::1", "2001:db8::ffff:1"));
    assert_false(same("2001:db8::1", "2001:db8:0:1::1"));
    assert_false(same("192.0.2.1", "192.0.2.2"));
    assert_true(same("192.0.2.1", "::ffff:192.0.2.1"));
    assert_false(same("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
    assert_false(source_key(&sa, &key));
}

static void a_source_has_so_many_connections_and_no_more(void **state)
{
    struct source_table *t = source_table_new(2, 0);
    struct source_key key = key_of("192.0.2.1");
    struct source_ticket tickets[3];

    (void)state;
    assert_int_equal(source_enter(t, &key, 0, &tickets[0]), SOURCE_OK);
    assert_int_equal(source_enter(t, &key, 0, &tickets[1]), SOURCE_OK);
    assert_int_equal(source_enter(t, &key, 0, &tickets[2]), SOURCE_CROWD);
    assert_int_equal(enter(t, "192.0.2.2", 0), SOURCE_OK);
    source_leave(t, &tickets[2]);
    source_leave(t, &tickets[1]);
    source_leave(t, &tickets[1]); /* given back once */
    assert_int_equal(source_enter(t, &key, 0, &tickets[1]), SOURCE_OK);
    assert_int_equal(source_enter(t, &key, 0, &tickets[2]), SOURCE_CROWD);
    source_table_free(t);
}

static void a_rate_allows_a_burst_then_tells_then_drops(void **state)
{
    struct source_table *t = source_table_new(0, 10);
    int seen[4] = {0};

    (void)state;
    for (int i = 0; i < 200; i++)
        seen[enter(t, "192.0.2.1", 1000)]++;
    assert_int_equal(seen[SOURCE_OK], 40);
    assert_int_equal(seen[SOURCE_FAST], 40);
    assert_int_equal(seen[SOURCE_FLOODING], 120);
    source_table_free(t);
}

static void tokens_come_back_with_time(void **state)
{
    struct source_table *t = source_table_new(0, 10);

    (void)state;
    for (int i = 0; i < 40; i++)
        assert_int_equal(enter(t, "192.0.2.1", 1000), SOURCE_OK);
    assert_int_equal(enter(t, "192.0.2.1", 1000), SOURCE_FAST);
    assert_int_equal(enter(t, "192.0.2.1", 1150), SOURCE_FAST); /* still in debt */
    assert_int_equal(enter(t, "192.0.2.1", 1400), SOURCE_OK);
    for (int i = 0; i < 300; i++)
        enter(t, "192.0.2.1", 1400);
    assert_int_equal(enter(t, "192.0.2.1", 1400 + 8100), SOURCE_OK); /* the deepest debt is paid */
    source_table_free(t);
}

static void a_vouched_source_has_no_limits_for_an_hour(void **state)
{
    struct source_table *t = source_table_new(1, 1);
    struct source_key key = key_of("2001:db8::1");
    struct source_ticket ticket;

    (void)state;
    assert_int_equal(source_enter(t, &key, 0, &ticket), SOURCE_OK);
    assert_int_equal(enter(t, "2001:db8::2", 0), SOURCE_CROWD);
    source_vouch(t, &ticket, 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(enter(t, "2001:db8::2", SOURCE_VOUCH_MS - 1), SOURCE_OK);
    assert_int_equal(enter(t, "2001:db8::2", SOURCE_VOUCH_MS), SOURCE_CROWD);
    source_table_free(t);
}

/* More sources than there are slots: old ones are forgotten, nothing else happens. */
static void a_flood_of_sources_only_costs_memory_once(void **state)
{
    struct source_table *t = source_table_new(1, 0);
    struct source_key first = key_of("192.0.2.1");
    struct source_ticket kept;

    (void)state;
    assert_int_equal(source_enter(t, &first, 0, &kept), SOURCE_OK);
    for (uint32_t i = 0; i < 10 * SOURCE_SLOTS; i++) {
        struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000 + i)};
        struct source_key key;
        struct source_ticket ticket;

        source_key((struct sockaddr *)&v4, &key);
        assert_int_equal(source_enter(t, &key, 0, &ticket), SOURCE_OK);
        source_leave(t, &ticket);
    }
    /* with a connection open, it was spared by all those that had none */
    assert_int_equal(source_enter(t, &first, 0, &(struct source_ticket){0}), SOURCE_CROWD);
    source_table_free(t);
}

static void a_stale_ticket_counts_nowhere(void **state)
{
    struct source_table *t = source_table_new(1, 0);
    struct source_ticket none = {0};
    struct source_ticket stale = {.slot = 7, .serial = 12345};

    (void)state;
    source_leave(t, &none);
    source_vouch(t, &stale, 0);
    source_leave(t, &stale);
    assert_int_equal(enter(t, "192.0.2.1", 0), SOURCE_OK);
    assert_int_equal(enter(t, "192.0.2.1", 0), SOURCE_CROWD);
    source_table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_source_is_an_address_or_a_slash_64),
        cmocka_unit_test(a_source_has_so_many_connections_and_no_more),
        cmocka_unit_test(a_rate_allows_a_burst_then_tells_then_drops),
        cmocka_unit_test(tokens_come_back_with_time),
        cmocka_unit_test(a_vouched_source_has_no_limits_for_an_hour),
        cmocka_unit_test(a_flood_of_sources_only_costs_memory_once),
        cmocka_unit_test(a_stale_ticket_counts_nowhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
