/* SPDX-License-Identifier: MIT */
#include "vidu/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void expect_url(const char *url, const char *shown)
{
    struct buf out = BUF_INIT(1000);

    redact_url(url, &out);
    assert_string_equal(buf_text(&out), shown);
    buf_free(&out);
}

static void expect_target(const char *target, const char *shown)
{
    struct buf out = BUF_INIT(1000);

    redact_target(target, strlen(target), &out);
    assert_string_equal(buf_text(&out), shown);
    buf_free(&out);
}

static void a_url_loses_its_secrets(void **state)
{
    (void)state;
    expect_url("https://media.example/r/a.mp4?X-Amz-Signature=00ff",
               "https://media.example/r/a.mp4?...");
    expect_url("https://user:pw@h.example:8443/x#frag", "https://h.example:8443/x");
    expect_url("https://u@v@h/x?a@b", "https://h/x?...");
    expect_url("https://h/a@b", "https://h/a@b");
    expect_url("https://h", "https://h");
    expect_url("https://h?k=secret", "https://h?...");
    expect_url("", "");
    expect_url("user:pw@h/x", "h/x");
    expect_url("https://h/hook/callback/abcdefgh", "https://h/hook/callback/abcd...");
}

static void a_target_shows_four_characters_of_its_key(void **state)
{
    (void)state;
    expect_target("/callback/abcdefghijklmnop", "/callback/abcd...");
    expect_target("/x/callback/abcdefgh?t=1", "/x/callback/abcd...?...");
    expect_target("/callback/abc", "/callback/abc");
    expect_target("/callback/", "/callback/");
    expect_target("/callback/at/vidu", "/callback/at/vidu");
    expect_target("/status?token=x", "/status?...");
    expect_target("/a?/callback/abcdefgh", "/a?...");
    expect_target("", "");
}

static void a_target_may_hold_any_bytes(void **state)
{
    struct buf out = BUF_INIT(1000);

    (void)state;
    redact_target("/a\0b?c", 6, &out);
    assert_int_equal(out.len, 8);
    assert_memory_equal(out.data, "/a\0b?...", 8);
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_loses_its_secrets),
        cmocka_unit_test(a_target_shows_four_characters_of_its_key),
        cmocka_unit_test(a_target_may_hold_any_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
