/* SPDX-License-Identifier: MIT */
#include "http/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include <cmocka.h>

struct spelling {
    const char *text;
    bool denied;
};

/* Everything getaddrinfo takes, which is what curl makes of a host name. */
static const struct spelling spellings[] = {
    {"0.0.0.0", true},
    {"0", true},
    {"0.1.2.3", true},
    {"1.0.0.0", false},
    {"9.255.255.255", false},
    {"10.0.0.0", true},
    {"10.255.255.255", true},
    {"11.0.0.0", false},
    {"10.1", true},
    {"0xa000001", true},
    {"012.0.0.1", true},
    {"100.63.255.255", false},
    {"100.64.0.0", true},
    {"100.127.255.255", true},
    {"100.128.0.0", false},
    {"126.255.255.255", false},
    {"127.0.0.1", true},
    {"127.1", true},
    {"127.255.255.254", true},
    {"2130706433", true},
    {"0x7f000001", true},
    {"0x7f.1", true},
    {"017700000001", true},
    {"0177.0.0.1", true},
    {"128.0.0.0", false},
    {"localhost", true},
    {"169.253.255.255", false},
    {"169.254.0.0", true},
    {"169.254.169.254", true},
    {"2852039166", true},
    {"0xa9fea9fe", true},
    {"0251.0376.0251.0376", true},
    {"169.255.0.0", false},
    {"172.15.255.255", false},
    {"172.16.0.0", true},
    {"172.31.255.255", true},
    {"172.32.0.0", false},
    {"192.0.0.0", true},
    {"192.0.0.255", true},
    {"192.0.1.0", false},
    {"192.0.2.1", true},
    {"192.0.3.0", false},
    {"192.88.98.255", false},
    {"192.88.99.1", true},
    {"192.167.255.255", false},
    {"192.168.0.1", true},
    {"192.168.255.255", true},
    {"3232235521", true},
    {"192.169.0.0", false},
    {"198.17.255.255", false},
    {"198.18.0.1", true},
    {"198.19.255.255", true},
    {"198.20.0.0", false},
    {"198.51.100.7", true},
    {"198.51.101.0", false},
    {"203.0.113.9", true},
    {"203.0.114.0", false},
    {"223.255.255.255", false},
    {"224.0.0.1", true},
    {"239.255.255.250", true},
    {"240.0.0.1", true},
    {"255.255.255.255", true},
    {"8.8.8.8", false},
    {"134744072", false},
    {"::", true},
    {"::1", true},
    {"0:0:0:0:0:0:0:1", true},
    {"::2", true},
    {"::127.0.0.1", true},
    {"::10.0.0.1", true},
    {"::8.8.8.8", false},
    {"::ffff:127.0.0.1", true},
    {"::ffff:7f00:1", true},
    {"0:0:0:0:0:ffff:127.0.0.1", true},
    {"::ffff:0.0.0.0", true},
    {"::ffff:169.254.169.254", true},
    {"::ffff:a9fe:a9fe", true},
    {"::ffff:192.168.1.1", true},
    {"::ffff:8.8.8.8", false},
    {"::ffff:0:127.0.0.1", true},
    {"64:ff9b::127.0.0.1", true},
    {"64:ff9b::10.0.0.1", true},
    {"64:ff9b::a9fe:a9fe", true},
    {"64:ff9b::8.8.8.8", false},
    {"64:ff9b:1::7f00:1", true},
    {"64:ff9b:1:ffff::808:808", true},
    {"64:ff9b:2::8.8.8.8", true},
    {"100::1", true},
    {"1fff:ffff::1", true},
    {"2000::1", false},
    {"2001::1", true},
    {"2001:0:4136:e378:8000:63bf:3fff:fdd2", true},
    {"2001:20::1", true},
    {"2001:1ff:ffff::1", true},
    {"2001:200::1", false},
    {"2001:db7::1", false},
    {"2001:db8::1", true},
    {"2001:db8:ffff:ffff::1", true},
    {"2001:db9::1", false},
    {"2001:4860:4860::8888", false},
    {"2002:7f00:1::", true},
    {"2002:a00:1::1", true},
    {"2002:c0a8:101::1", true},
    {"2002:a9fe:a9fe::1", true},
    {"2002:808:808::1", false},
    {"2003::1", false},
    {"2606:4700::1111", false},
    {"3ffe::1", false},
    {"3fff::1", true},
    {"3fff:fff:ffff::1", true},
    {"3fff:1000::1", false},
    {"4000::1", true},
    {"5f00::1", true},
    {"fbff::1", true},
    {"fc00::1", true},
    {"fd12:3456:789a::1", true},
    {"fe80::1", true},
    {"febf::1", true},
    {"fec0::1", true},
    {"ff02::1", true},
    {"ff0e::1", true},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
};

static struct addrinfo *resolve(const char *text, const char *port)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *out = NULL;

    if (getaddrinfo(text, port, &hints, &out) != 0)
        fail_msg("%s does not resolve", text);
    return out;
}

static bool allowed(const char *text, const char *port, const uint16_t *ports, size_t n_ports,
                    const struct address_rule *rules, size_t n_rules)
{
    struct addrinfo *ai = resolve(text, port);
    bool answer = address_allowed(ai->ai_addr, ports, n_ports, rules, n_rules);

    freeaddrinfo(ai);
    return answer;
}

static void every_spelling_is_judged_by_where_it_leads(void **state)
{
    (void)state;
    assert_true(ARRAY_LEN(spellings) >= 80);
    for (size_t i = 0; i < ARRAY_LEN(spellings); i++) {
        struct addrinfo *ai = resolve(spellings[i].text, "443");
        const char *why = address_denied(ai->ai_addr);

        if ((why != NULL) != spellings[i].denied)
            fail_msg("%s: %s", spellings[i].text, why != NULL ? why : "public");
        assert_int_equal(address_allowed(ai->ai_addr, NULL, 0, NULL, 0), !spellings[i].denied);
        freeaddrinfo(ai);
    }
}

static void the_name_of_the_range_says_why(void **state)
{
    struct addrinfo *ai = resolve("::ffff:a9fe:a9fe", "80");

    (void)state;
    assert_string_equal(address_denied(ai->ai_addr), "link local (169.254.0.0/16)");
    freeaddrinfo(ai);
}

static void what_is_not_an_internet_address_is_denied(void **state)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX, .sun_path = "/run/x"};

    (void)state;
    assert_non_null(address_denied((struct sockaddr *)&un));
    assert_false(address_allowed((struct sockaddr *)&un, NULL, 0, NULL, 0));
}

static void a_public_address_needs_a_listed_port(void **state)
{
    const uint16_t ports[] = {443, 8443};

    (void)state;
    assert_true(allowed("8.8.8.8", "443", ports, 2, NULL, 0));
    assert_true(allowed("2606:4700::1111", "8443", ports, 2, NULL, 0));
    assert_false(allowed("8.8.8.8", "22", ports, 2, NULL, 0));
    assert_true(allowed("8.8.8.8", "22", NULL, 0, NULL, 0));
}

static void a_rule_opens_one_address_and_one_port(void **state)
{
    struct address_rule rules[3];
    const uint16_t ports[] = {443};

    (void)state;
    assert_int_equal(address_rule_parse("127.0.0.1:9000", &rules[0], NULL), 0);
    assert_int_equal(address_rule_parse("10.0.0.5", &rules[1], NULL), 0);
    assert_int_equal(address_rule_parse("[::1]:9001", &rules[2], NULL), 0);
    assert_true(allowed("127.0.0.1", "9000", ports, 1, rules, 3));
    assert_true(allowed("::ffff:127.0.0.1", "9000", ports, 1, rules, 3));
    assert_false(allowed("127.0.0.1", "9001", ports, 1, rules, 3));
    assert_false(allowed("127.0.0.2", "9000", ports, 1, rules, 3));
    assert_true(allowed("10.0.0.5", "1", ports, 1, rules, 3));
    assert_false(allowed("10.0.0.6", "1", ports, 1, rules, 3));
    assert_true(allowed("::1", "9001", ports, 1, rules, 3));
    assert_false(allowed("::1", "9000", ports, 1, rules, 3));
}

static void a_rule_that_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "localhost",
        "example.org:80",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:+80",
        "127.0.0.1: 80",
        "127.1",
        "0x7f000001",
        "::1",
        "::1:9000",
        "[::1",
        "[::1]9000",
        "[::1]:",
        "[127.0.0.1]:80",
        "[]:80",
        ":80",
        "10.0.0.0/8",
        "[fe80::1%lo]:80",
        "127.0.0.1:80:80",
        "[::1]:80x",
        "1.2.3.4.5",
        "010.0.0.1",
        " 10.0.0.1",
    };
    struct address_rule rule = {.port = 7};
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (address_rule_parse(bad[i], &rule, &err) != -EINVAL)
            fail_msg("accepted: %s", bad[i]);
        assert_int_equal(rule.port, 7);
    }
    assert_non_null(strstr(err.text, " 10.0.0.1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_is_judged_by_where_it_leads),
        cmocka_unit_test(the_name_of_the_range_says_why),
        cmocka_unit_test(what_is_not_an_internet_address_is_denied),
        cmocka_unit_test(a_public_address_needs_a_listed_port),
        cmocka_unit_test(a_rule_opens_one_address_and_one_port),
        cmocka_unit_test(a_rule_that_is_no_address_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
