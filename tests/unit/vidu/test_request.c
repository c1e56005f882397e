/* SPDX-License-Identifier: MIT */
#include "vidu/request.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define URL "https://hooks.example.org/callback/abc"

static void images_are_known_by_their_first_bytes(void **state)
{
    (void)state;
    assert_string_equal(request_media_type(MEDIA_IMAGE, "\x89PNG\r\n\x1a\n....", 12), "image/png");
    assert_string_equal(request_media_type(MEDIA_IMAGE, "\xff\xd8\xff\xe0", 4), "image/jpeg");
    assert_string_equal(request_media_type(MEDIA_IMAGE, "RIFF\0\0\0\0WEBPVP8 ", 16), "image/webp");
    assert_null(request_media_type(MEDIA_IMAGE, "RIFF\0\0\0\0WAVEfmt ", 16));
    assert_null(request_media_type(MEDIA_IMAGE, "RIFF\0\0\0\0WEB", 11));
    assert_null(request_media_type(MEDIA_IMAGE, "\x89PNG\r\n\x1a", 7));
    assert_null(request_media_type(MEDIA_IMAGE, "GIF89a", 6));
    assert_null(request_media_type(MEDIA_IMAGE, "", 0));
}

static void an_image_becomes_a_data_uri(void **state)
{
    struct buf out = BUF_INIT(100);

    (void)state;
    assert_int_equal(request_media_uri(MEDIA_IMAGE, "\xff\xd8\xff\xe0", 4, &out), 0);
    assert_string_equal(buf_text(&out), "data:image/jpeg;base64,/9j/4A==");
    buf_reset(&out);
    assert_int_equal(request_media_uri(MEDIA_IMAGE, "text", 4, &out), -EINVAL);
    assert_int_equal(out.len, 0);
    buf_free(&out);
    out = BUF_INIT(30);
    assert_int_equal(request_media_uri(MEDIA_IMAGE, "\xff\xd8\xff\xe0", 4, &out), -E2BIG);
    buf_free(&out);
}

static void references_are_known_by_their_scheme(void **state)
{
    (void)state;
    assert_true(request_is_media_reference("http://h/a.png"));
    assert_true(request_is_media_reference("HTTPS://h/a.png"));
    assert_true(request_is_media_reference("data:image/png;base64,AAAA"));
    assert_true(request_is_media_reference("ssupload:?id=1"));
    assert_false(request_is_media_reference("a.png"));
    assert_false(request_is_media_reference("/tmp/http://a.png"));
    assert_false(request_is_media_reference("file:///a.png"));
}

static void values_are_json_when_they_look_like_it(void **state)
{
    static const struct {
        const char *value, *dumped;
    } rows[] = {
        {"5", "5"},
        {"true", "true"},
        {"[\"a\"]", "[\"a\"]"},
        {"a boat", "\"a boat\""},
        {"5 boats", "\"5 boats\""},
        {"\"5\"", "\"5\""},
        {"{\"a\":1,\"a\":2}", "\"{\\\"a\\\":1,\\\"a\\\":2}\""},
        {"", "\"\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        json_t *body = json_object();
        char *text;

        assert_int_equal(request_set(body, "k", rows[i].value, NULL), 0);
        text = json_dumps(json_object_get(body, "k"), JSON_ENCODE_ANY | JSON_COMPACT);
        assert_string_equal(text, rows[i].dumped);
        free(text);
        json_decref(body);
    }
}

static void fields_need_a_name_and_text(void **state)
{
    json_t *body = json_object();
    struct err err = {{0}};

    (void)state;
    assert_int_equal(request_set(body, "", "1", &err), -EINVAL);
    assert_int_equal(request_set(body, "\xff", "1", &err), -EINVAL);
    assert_int_equal(request_set(body, "k", "\xff", &err), -EINVAL);
    assert_string_equal(err.text, "the value of k is not UTF-8");
    assert_int_equal(json_object_size(body), 0);
    json_decref(body);
}

static int inject_into(const char *body, struct buf *out, char **old, struct err *err)
{
    autooutline struct outline *o = NULL;
    int rc = outline_parse(body, strlen(body), REQUEST_KEEP, &o, err);

    return rc < 0 ? rc : request_inject_callback(o, URL, out, old, err);
}

/* old: what the body's own callback_url was, or NULL. */
static void expect_injected(const char *body, const char *expected, const char *old)
{
    autobuf struct buf out = BUF_INIT(100000);
    autofree char *found = NULL;

    assert_int_equal(inject_into(body, &out, &found, NULL), 0);
    assert_string_equal(buf_text(&out), expected);
    assert_string_equal(str_or(found, "none"), str_or(old, "none"));
}

static void the_rest_of_the_body_is_kept_byte_for_byte(void **state)
{
    (void)state;
    expect_injected("{\"a\":1.50, \"b\" : \"\\u0026\\/\"}\n",
                    "{\"callback_url\":\"" URL "\",\"a\":1.50, \"b\" : \"\\u0026\\/\"}\n", NULL);
    expect_injected(" \r\n{ \"x\":{\"callback_url\":1} }",
                    " \r\n{\"callback_url\":\"" URL "\", \"x\":{\"callback_url\":1} }", NULL);
    expect_injected("{}", "{\"callback_url\":\"" URL "\"}", NULL);
    expect_injected("{ }", "{\"callback_url\":\"" URL "\" }", NULL);
    expect_injected("{\"payload\":\"\\u0000\"}",
                    "{\"callback_url\":\"" URL "\",\"payload\":\"\\u0000\"}", NULL);
}

static void a_callback_url_of_the_user_is_replaced_and_handed_back(void **state)
{
    (void)state;
    expect_injected("{\"callback_url\":\"https://x/y\"}", "{\"callback_url\":\"" URL "\"}",
                    "https://x/y");
    expect_injected("{\"a\":[1.50,{\"callback_url\":1}],\n\"callback\\u005furl\" : "
                    "\"https:\\/\\/z\\\\\" , \"b\":\"callback_url\"}",
                    "{\"a\":[1.50,{\"callback_url\":1}],\n\"callback\\u005furl\" : \"" URL
                    "\" , \"b\":\"callback_url\"}",
                    "https://z\\");
    expect_injected("{\"b\":\"callback_url\", \"callback_url\":\"\"}",
                    "{\"b\":\"callback_url\", \"callback_url\":\"" URL "\"}", "");
    expect_injected("{\"a\":null,\"callback_url\": null ,\"b\":1}",
                    "{\"a\":null,\"callback_url\": \"" URL "\" ,\"b\":1}", NULL);
}

static void a_callback_url_that_is_no_text_is_refused(void **state)
{
    static const char *const bad[] = {"false", "1", "[\"https://x\"]", "{\"callback_url\":\"x\"}"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        autofree char *body = mem_printf("{\"a\":1,\"callback_url\":%s}", bad[i]);
        struct buf out = BUF_INIT(1000);
        char *old = NULL;
        struct err err;

        assert_int_equal(inject_into(body, &out, &old, &err), -EINVAL);
        assert_string_equal(err.text, "callback_url is not a string");
        assert_null(old);
        assert_int_equal(out.len, 0);
    }
}

static void a_body_that_is_no_clean_object_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "[]",
        "{",
        "{\"a\":1}}",
        "{\"a\":1,}",
        "{\"a\":1,\"a\":2}",
        "\xef\xbb\xbf{}",
        "{'a':1}",
        "{\"a\":\"\xff\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct buf out = BUF_INIT(1000);
        char *old = NULL;
        struct err err = {{0}};

        if (inject_into(bad[i], &out, &old, &err) != -EINVAL || err.text[0] == '\0')
            fail_msg("%s", bad[i]);
    }
}

static void a_body_over_the_limit_is_refused(void **state)
{
    struct buf out = BUF_INIT(40);
    struct err err = {{0}};
    char *old = NULL;

    (void)state;
    assert_int_equal(inject_into("{\"a\":1}", &out, &old, &err), -E2BIG);
    assert_string_equal(err.text, "the body is over 40 bytes");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_are_known_by_their_first_bytes),
        cmocka_unit_test(an_image_becomes_a_data_uri),
        cmocka_unit_test(references_are_known_by_their_scheme),
        cmocka_unit_test(values_are_json_when_they_look_like_it),
        cmocka_unit_test(fields_need_a_name_and_text),
        cmocka_unit_test(the_rest_of_the_body_is_kept_byte_for_byte),
        cmocka_unit_test(a_callback_url_of_the_user_is_replaced_and_handed_back),
        cmocka_unit_test(a_callback_url_that_is_no_text_is_refused),
        cmocka_unit_test(a_body_that_is_no_clean_object_is_refused),
        cmocka_unit_test(a_body_over_the_limit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
