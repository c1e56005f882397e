/* SPDX-License-Identifier: MIT */
#include "conf/conf_url.h"

#include "conf_fixture.h"

static void urls_are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        bool https;
        const char *host;
        int port;
        const char *path;
    } rows[] = {
        {"https://a.example", true, "a.example", -1, ""},
        {"http://127.0.0.1:80/", false, "127.0.0.1", 80, "/"},
        {"https://[fe80::1]", true, "fe80::1", -1, ""},
        {"https://[::]:65535/a/b", true, "::", 65535, "/a/b"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct conf_url url;

        assert_int_equal(conf_url_parse(rows[i].text, &url, NULL), 0);
        assert_int_equal(url.https, rows[i].https);
        assert_string_equal(url.host, rows[i].host);
        assert_int_equal(url.port, rows[i].port);
        assert_string_equal(url.path, rows[i].path);
    }
}

static void what_is_no_plain_url_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "https://",
        "https://:80",
        "ftp://a",
        "HTTPS://a",
        "https://a b",
        "https://a:",
        "https://a:x",
        "https://a:80:80",
        "https://[::1",
        "https://[]",
        "https://[::1]x",
        "https://[::1]80",
        "https://[a",
        "https://[gg]",
        "https://[1.2.3.4]",
        "https://[::::1]:80",
        "https://u@a",
        "https://a?",
        "https://a#",
        "https://a/\xc3\xa9",
        "https://\xc3\xa9",
        "https://a:123456789012",
        "https://a%20b",
    };
    struct conf_url url;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        assert_int_equal(conf_url_parse(texts[i], &url, NULL), -EINVAL);
}

static void an_address_ends_with_its_bracket(void **state)
{
    struct conf_url url;
    struct err err;

    (void)state;
    assert_int_equal(conf_url_parse("https://[::1", &url, &err), -EINVAL);
    assert_string_equal(err.text, "']' is missing behind the address");
}

static void a_host_of_256_bytes_is_refused(void **state)
{
    char text[8 + 256 + 1] = "https://";
    struct conf_url url;

    (void)state;
    memset(text + 8, 'a', 256);
    assert_int_equal(conf_url_parse(text, &url, NULL), -EINVAL);
    text[8 + 255] = '\0';
    assert_int_equal(conf_url_parse(text, &url, NULL), 0);
    assert_int_equal(strlen(url.host), 255);
}

static void endpoints_are_numeric(void **state)
{
    static const struct {
        const char *text, *host; /* NULL: refused */
        int port;
    } rows[] = {
        {"127.0.0.1:9000", "127.0.0.1", 9000},
        {"[::1]:9", "::1", 9},
        {"10.0.0.5", "10.0.0.5", -1},
        {"::1", "::1", -1},
        {"[::1]", "::1", -1},
        {"localhost:1", NULL, 0},
        {"", NULL, 0},
        {"1.2.3.4:", NULL, 0},
        {"1.2.3:4", NULL, 0},
        {"::g", NULL, 0},
        {"[1.2.3.4]:1:1", NULL, 0},
        {"1.2.3.4:0", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char host[256];
        int port;
        int rc = conf_endpoint_parse(rows[i].text, host, &port, NULL);

        assert_int_equal(rc, rows[i].host != NULL ? 0 : -EINVAL);
        if (rc == 0) {
            assert_string_equal(host, rows[i].host);
            assert_int_equal(port, rows[i].port);
        }
    }
}

static void loopback_is_told_from_the_rest(void **state)
{
    (void)state;
    assert_true(conf_host_is_loopback("127.0.0.1"));
    assert_true(conf_host_is_loopback("127.255.0.9"));
    assert_true(conf_host_is_loopback("::1"));
    assert_true(conf_host_is_loopback("LocalHost"));
    assert_false(conf_host_is_loopback("128.0.0.1"));
    assert_false(conf_host_is_loopback("0.0.0.0"));
    assert_false(conf_host_is_loopback("::"));
    assert_false(conf_host_is_loopback("localhost.example.org"));
    assert_false(conf_host_is_loopback("127.0.0.1.example.org"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_taken_apart),
        cmocka_unit_test(what_is_no_plain_url_is_refused),
        cmocka_unit_test(an_address_ends_with_its_bracket),
        cmocka_unit_test(a_host_of_256_bytes_is_refused),
        cmocka_unit_test(endpoints_are_numeric),
        cmocka_unit_test(loopback_is_told_from_the_rest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
