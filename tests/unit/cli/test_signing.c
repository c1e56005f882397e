/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/signing.h"
#include "fake_daemon.h"

/* Vector V01 of the fact sheet, section 12.4. */
#define URL       "http://127.0.0.1:8080/vidu/callback?name=james&age=36"
#define DATE      "Tue, 06 May 2025 12:09:42 GMT"
#define NONCE     "123e4567-e89b-12d3-a456-426614174000"
#define SIGNATURE "PrO4+kG4W+b3HOSimdHMHn8pnQ6YXQTseBDC/8yvvNA="
#define WRONG     "ArO4+kG4W+b3HOSimdHMHn8pnQ6YXQTseBDC/8yvvNA="

#define SIX(signature)                                                                             \
    "-HDate: " DATE, "-Hx-request-nonce: " NONCE, "-HX-HMAC-ALGORITHM:hmac-sha256",                \
        "-HX-HMAC-ACCESS-KEY: vidu", "-HX-HMAC-SIGNED-HEADERS: Date;x-request-nonce",              \
        "-HX-HMAC-SIGNATURE: " signature

static char secret_file[] = "/tmp/viduhook-secret-XXXXXX";
static char request_file[] = "/tmp/viduhook-request-XXXXXX";

static int write_file(char *name, const char *text)
{
    int fd = mkstemp(name);

    return fd < 0 || fs_write_all(fd, text, strlen(text)) < 0 ? -1 : close(fd);
}

static int setup(void **state)
{
    (void)state;
    setenv("S1", "Token your_secret_token", 1);
    setenv("S2", "another", 1);
    if (write_file(secret_file, " your_secret_token \r\n") < 0)
        return -1;
    return write_file(request_file,
                      "POST /vidu/callback?name=james&age=36 HTTP/1.1\r\nHost: x\r\nDate: " DATE
                      "\r\nx-request-nonce: " NONCE "\r\nX-HMAC-ALGORITHM: hmac-sha256\r\n"
                      "X-HMAC-ACCESS-KEY: vidu\r\nX-HMAC-SIGNED-HEADERS: Date;x-request-nonce\r\n"
                      "X-HMAC-SIGNATURE: " SIGNATURE "\r\n\r\n{\"state\":\"success\"}");
}

static int teardown(void **state)
{
    (void)state;
    unlink(secret_file);
    unlink(request_file);
    return 0;
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" does not have \"%s\"", text, part);
}

static void assert_verify(struct printed p, int status, const char *part)
{
    if (p.status != status)
        fail_msg("exit status %d, not %d; %s%s", p.status, status, p.out, p.err);
    assert_has(status == EXIT_USAGE ? p.err : p.out, part);
    printed_free(&p);
}

static void sign_gives_the_published_value(void **state)
{
    struct printed p =
        VIDUHOOK("sign", "--url", URL, "--secret-env", "S1", "--date", DATE, "--nonce", NONCE);

    (void)state;
    assert_int_equal(p.status, EXIT_OK);
    assert_string_equal(p.out, "Date: " DATE "\nx-request-nonce: " NONCE
                               "\nX-HMAC-ALGORITHM: hmac-sha256\nX-HMAC-ACCESS-KEY: vidu\n"
                               "X-HMAC-SIGNED-HEADERS: Date;x-request-nonce\n"
                               "X-HMAC-SIGNATURE: " SIGNATURE "\n");
    printed_free(&p);
    p = VIDUHOOK("sign", "-u", URL, "--secret-file", secret_file, "--date", DATE, "--nonce", NONCE);
    assert_has(p.out, SIGNATURE);
    printed_free(&p);
    p = VIDUHOOK("--json", "sign", "-u", "http://h", "--secret-env=S1", "--date", DATE, "--nonce",
                 NONCE);
    assert_has(p.out, "jEcWM2v0K1wNyFI6/qKzNyjUN7lBHWiq7L0oaEK366o="); /* V03 */
    printed_free(&p);
}

static void what_sign_makes_verify_accepts(void **state)
{
    struct printed p = VIDUHOOK("sign", "--url", URL, "--secret-env", "S1");
    const char *words[24] = {"verify", "--url", URL, "--secret-env", "S2", "--secret-env", "S1"};
    char *rest = p.out;

    (void)state;
    for (size_t n = 7; *rest != '\0' && n < 22; n += 2) {
        words[n] = "-H";
        words[n + 1] = rest;
        rest += strcspn(rest, "\n");
        *rest++ = '\0';
    }
    assert_verify(viduhook(words), EXIT_OK, "\nsigned ");
    printed_free(&p);
    assert_verify(VIDUHOOK("sign", "-u", URL, "--secret-env=S1", "--date=today"), EXIT_USAGE,
                  "--date today");
}

static void verify_takes_headers_or_a_request(void **state)
{
    (void)state;
    assert_verify(VIDUHOOK("verify", "-u", URL, "--secret-env", "S1", SIX(SIGNATURE)), EXIT_OK,
                  "ok");
    assert_verify(VIDUHOOK("verify", request_file, "--secret-file", secret_file), EXIT_OK, "ok");
    assert_verify(
        VIDUHOOK("verify", request_file, "-u", URL, "--secret-env=S2", "--secret-env=S1", "--json"),
        EXIT_OK, "\"secret\": 2");
}

static void verify_says_what_is_wrong_and_what_was_signed(void **state)
{
    (void)state;
    assert_verify(VIDUHOOK("verify", "-u", URL, "--secret-env", "S1", SIX(WRONG)), EXIT_FAILED,
                  "POST\n/vidu/callback\nname=james&age=36\nvidu\n" DATE "\nDate:" DATE
                  "\nx-request-nonce:" NONCE "\n");
    assert_verify(VIDUHOOK("verify", request_file, "--secret-env=S2"), EXIT_FAILED, "wrong");
    assert_verify(VIDUHOOK("verify", request_file, "--url=http://h/other", "--secret-env=S1"),
                  EXIT_FAILED, "wrong");
    assert_verify(VIDUHOOK("verify", "-u", URL, "--secret-env=S1"), EXIT_FAILED, "absent");
    assert_verify(VIDUHOOK("verify", request_file, "--secret-env=S1", "-HDate: " DATE), EXIT_FAILED,
                  "Date twice");
}

static void a_secret_is_one_line_from_somewhere(void **state)
{
    (void)state;
    setenv("TWO", "a\nb", 1);
    setenv("NONE", " Token ", 1);
    assert_verify(VIDUHOOK("sign", "-u", URL), EXIT_USAGE, "--secret-file or --secret-env");
    assert_verify(VIDUHOOK("sign", "-u", URL, "--secret-env=TWO"), EXIT_USAGE, "one line");
    assert_verify(VIDUHOOK("sign", "-u", URL, "--secret-env=EMPTY"), EXIT_FAILED, "");
    assert_verify(VIDUHOOK("sign", "--secret-env=S1"), EXIT_USAGE, "--url");
}

static void urls_are_split_but_not_touched(void **state)
{
    static const struct {
        const char *url, *path, *query;
    } rows[] = {
        {"http://h", "", ""},
        {"http://h?x=1", "", "x=1"},
        {"https://u@h:1//a//b/?", "//a//b/", ""},
        {"https://h/a%20b;p=1?b=2&a=1?c", "/a%20b;p=1", "b=2&a=1?c"},
        {"/callback/k?x", "/callback/k", "x"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct slice path, query;
        struct err err;

        assert_int_equal(signing_split_url(rows[i].url, &path, &query, &err), 0);
        assert_true(slice_is(path, rows[i].path));
        assert_true(slice_is(query, rows[i].query));
    }
}

static void what_is_no_callback_url_is_refused(void **state)
{
    static const char *const urls[] = {"",           "h/a", "://h", "http://h/#f", "http://h/a b",
                                       "http://h/\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
        struct slice path, query;
        struct err err;

        assert_int_equal(signing_split_url(urls[i], &path, &query, &err), -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sign_gives_the_published_value),
        cmocka_unit_test(what_sign_makes_verify_accepts),
        cmocka_unit_test(verify_takes_headers_or_a_request),
        cmocka_unit_test(verify_says_what_is_wrong_and_what_was_signed),
        cmocka_unit_test(a_secret_is_one_line_from_somewhere),
        cmocka_unit_test(urls_are_split_but_not_touched),
        cmocka_unit_test(what_is_no_callback_url_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
