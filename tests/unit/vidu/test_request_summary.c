/* SPDX-License-Identifier: MIT */
#include "vidu/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char *summary_of(const char *body)
{
    autooutline struct outline *o = NULL;

    assert_int_equal(outline_parse(body, strlen(body), REQUEST_KEEP, &o, NULL), 0);
    return request_summary(o);
}

static void short_values_stay(void **state)
{
    const char *body = "{\"model\":\"viduq2\",\"n\":[1,2.5,true,null,\"x\"],\"o\":{\"k\":\"v\"}}";
    char *text = summary_of(body);

    (void)state;
    assert_string_equal(text, body);
    free(text);
}

/* The digest is that of the image, so `sha256sum FILE` finds it. */
static void images_become_a_note(void **state)
{
    char *text = summary_of("{\"images\":[\"data:image/png;base64,YWJj\"]}");

    (void)state;
    assert_string_equal(text,
                        "{\"images\":[\"[image/png 3 bytes sha256:"
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad]\"]}");
    free(text);
}

static void large_images_are_digested_as_a_whole(void **state)
{
    struct buf body = BUF_INIT(1U << 20);
    char *text;

    (void)state;
    buf_adds(&body, "{\"i\":\"data:image/png;base64,");
    for (int i = 0; i < 4096; i++)
        buf_adds(&body, "YWFh"); /* aaa */
    buf_adds(&body, "YQ==\"}");
    text = summary_of(buf_text(&body));
    assert_string_equal(text,
                        "{\"i\":\"[image/png 12289 bytes sha256:"
                        "6dd760245927f6626a8df0b1c54e925c34d47ac20ec0b2ecd197b3e4f71b5e7d]\"}");
    free(text);
    buf_free(&body);
}

static void other_data_is_noted_as_text(void **state)
{
    static const char *const uris[] = {
        "data:,abc",
        "data:image/png;base64,YWJ",
        "data:image/png;base64,Y=Jj",
        "data:",
        "data:;base64",
        "data:image/a-type-of-image-whose-name-goes-on-and-on-and-on-without-any-end;base64,YWJj"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(uris); i++) {
        struct buf body = BUF_INIT(1000);
        char *text;

        buf_addf(&body, "{\"i\":\"%s\"}", uris[i]);
        text = summary_of(buf_text(&body));
        if (!str_starts(text, "{\"i\":\"[text "))
            fail_msg("%s: %s", uris[i], text);
        free(text);
        buf_free(&body);
    }
}

static char *with_strings(size_t count, size_t length)
{
    struct buf body = BUF_INIT(4U << 20);
    char *text;

    buf_adds(&body, "{\"model\":\"m\",\"list\":[\"\"");
    for (size_t i = 0; i < count; i++) {
        buf_adds(&body, ",\"");
        for (size_t k = 0; k < length; k++)
            buf_addc(&body, 'p');
        buf_addc(&body, '"');
    }
    buf_adds(&body, "]}");
    text = summary_of(buf_text(&body));
    buf_free(&body);
    return text;
}

static void long_texts_become_a_note(void **state)
{
    char *text = with_strings(1, 4096);

    (void)state;
    assert_true(strlen(text) > 4096);
    free(text);
    text = with_strings(1, 4097);
    assert_non_null(strstr(text, "[text 4097 bytes sha256:"));
    free(text);
}

static void a_summary_is_never_over_64_kib(void **state)
{
    char *text = with_strings(30, 3000);

    (void)state;
    assert_true(strlen(text) < 64U << 10);
    assert_non_null(strstr(text, "[text 3000 bytes"));
    free(text);
    text = with_strings(50000, 10);
    assert_string_equal(text, "{\"summary\":\"[request of 2 fields, too large to keep]\"}");
    assert_false(request_summary_has_members(text));
    free(text);
}

static void notes_and_what_is_no_request_are_told_apart(void **state)
{
    (void)state;
    assert_true(request_summary_has_members("{\"model\":\"m\"}"));
    assert_true(request_summary_has_members("{\"summary\":\"of a film\"}"));
    assert_false(request_summary_has_members(""));
    assert_true(request_summary_is_note("[image/png 9 bytes sha256:00]"));
    assert_false(request_summary_is_note("https://h/a"));
    assert_false(request_summary_is_note("[slow] a boat"));
    assert_false(request_summary_is_note(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(short_values_stay),
        cmocka_unit_test(images_become_a_note),
        cmocka_unit_test(large_images_are_digested_as_a_whole),
        cmocka_unit_test(other_data_is_noted_as_text),
        cmocka_unit_test(long_texts_become_a_note),
        cmocka_unit_test(a_summary_is_never_over_64_kib),
        cmocka_unit_test(notes_and_what_is_no_request_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
