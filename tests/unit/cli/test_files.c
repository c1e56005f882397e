/* The pages of `viduhook files`. SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_daemon.h"

#define ROW(PATH, BYTES, SHA256)                                                                   \
    "{\"task\":\"tabcdefghijkl\",\"path\":\"" PATH "\",\"kind\":\"video\",\"bytes\":" BYTES        \
    ",\"sha256\":\"" SHA256 "\",\"run\":1,\"created_at\":\"\"}"

static const struct fake_row pages[] = {
    {"files", EXIT_OK,
     "{\"files\":[" ROW("/m/a.mp4", "1024", "aaaaaaaaaaaaaaaa") "," ROW(
         "/m/b.mp4", "1024", "bbbbbbbbbbbbbbbb") "],\"next\":2}",
     NULL},
    {"files", EXIT_OK,
     "{\"files\":[" ROW("/m/a.mp4", "2048", "cccccccccccccccc") "," ROW("/m/d.mp4", "1024",
                                                                        "dddddddddddddddd") "]}",
     NULL},
    {.command = NULL},
};

static struct fake fake;

static void all_pages_are_read_and_a_path_is_one_file(void **state)
{
    struct printed p;
    const char *a, *b, *d;

    (void)state;
    fake_start(&fake, pages);
    p = VIDUHOOK("--socket", fake.socket, "files");
    fake_stop(&fake);
    assert_int_equal(p.status, EXIT_OK);
    assert_string_equal(p.err, "3 files, 4.0 KiB\n");
    a = strstr(p.out, "/m/a.mp4");
    b = strstr(p.out, "/m/b.mp4");
    d = strstr(p.out, "/m/d.mp4");
    assert_true(a != NULL && b != NULL && d != NULL && a < b && b < d);
    assert_null(strstr(a + 1, "/m/a.mp4"));
    assert_non_null(strstr(p.out, "cccccccccccc  /m/a.mp4")); /* what was said last */
    assert_null(strstr(p.out, "aaaaaaaaaaaa"));
    printed_free(&p);
}

static void pages_that_do_not_go_on_end(void **state)
{
    const struct fake_row rows[] = {pages[0], {.command = NULL}}; /* the same for ever */
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("--socket", fake.socket, "files");
    fake_stop(&fake);
    assert_int_equal(p.status, EXIT_OK);
    assert_string_equal(p.err, "2 files, 2.0 KiB\n");
    printed_free(&p);
}

static void a_page_that_cannot_be_had_ends_it(void **state)
{
    const struct fake_row rows[] = {
        pages[0],
        {"files", EXIT_FAILED, "{\"error\":\"the store cannot be read\"}", NULL},
        {.command = NULL},
    };
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("--socket", fake.socket, "files");
    fake_stop(&fake);
    assert_int_equal(p.status, EXIT_FAILED);
    assert_string_equal(p.out, "");
    assert_non_null(strstr(p.err, "the store cannot be read"));
    printed_free(&p);
}

static void a_file_that_is_missing_makes_verifying_fail(void **state)
{
    const struct fake_row rows[] = {
        {"files", EXIT_OK, "{\"files\":[" ROW("/no/such/file", "1024", "aa") "]}", NULL},
        {.command = NULL},
    };
    struct printed p;

    (void)state;
    fake_start(&fake, rows);
    p = VIDUHOOK("--socket", fake.socket, "files");
    assert_int_equal(p.status, EXIT_OK);
    printed_free(&p);
    p = VIDUHOOK("--socket", fake.socket, "files", "--verify");
    fake_stop(&fake);
    assert_int_equal(p.status, EXIT_FAILED);
    assert_string_equal(p.err, "/no/such/file: is not there\n1 file, 1.0 KiB; 1 missing\n");
    assert_non_null(strstr(p.out, "missing"));
    printed_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pages_are_read_and_a_path_is_one_file),
        cmocka_unit_test(pages_that_do_not_go_on_end),
        cmocka_unit_test(a_page_that_cannot_be_had_ends_it),
        cmocka_unit_test(a_file_that_is_missing_makes_verifying_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
