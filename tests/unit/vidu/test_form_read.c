/* SPDX-License-Identifier: MIT */
#include "vidu/form_read.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TYPE  "multipart/form-data; boundary=b"
#define FIELD "Content-Disposition: form-data; name="
#define END   "\r\n--b--\r\n"

static void assert_reads(const char *type, const char *body, size_t n, const char *expected)
{
    json_t *fields = form_read(slice_str(type), (struct slice){body, n});
    autofree char *text = json_dumps(fields, JSON_COMPACT);

    assert_string_equal(text, expected);
    json_decref(fields);
}

#define READS(TYPE, BODY, EXPECTED) assert_reads(TYPE, BODY, sizeof(BODY) - 1, EXPECTED)

static void texts_are_kept_and_files_are_described(void **state)
{
    (void)state;
    READS(TYPE,
          "--b\r\n" FIELD "\"model\"\r\n\r\nviduq3\r\n--b\r\n" FIELD
          "\"image\"; filename=\"a.png\"\r\ncontent-type: image/png\r\n\r\nabc" END,
          "{\"model\":\"viduq3\",\"image\":\"[image/png 3 bytes sha256:"
          "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad]\"}");
    READS("Multipart/Form-Data; charset=x; boundary=\"a b\"",
          "--a b  \r\n" FIELD "x\r\n\r\n\r\n--a b--", "{\"x\":\"\"}");
}

static void what_cannot_be_understood_is_left_out(void **state)
{
    (void)state;
    READS(TYPE, "", "{}");
    READS("multipart/form-data", "--b\r\n" FIELD "x\r\n\r\ny" END, "{}");
    READS(TYPE, "b\r\n" FIELD "x\r\n\r\ny" END, "{}");
    READS(TYPE, "--b\r\n" FIELD "x\r\n\r\nno end", "{}");
    READS(TYPE, "--b\r\n" FIELD "x\r\nno empty line" END, "{}");
    READS(TYPE, "--b\r\n\r\nno name" END, "{}");
    READS(TYPE, "--b\r\n" FIELD "\"x\r\n\r\ny" END, "{}");
    READS(TYPE, "--b\r\n" FIELD "x\r\n\r\n\xff" END,
          "{\"x\":\"[text 1 bytes sha256:"
          "a8100ae6aa1940d0b663bb31cd466142ebbdbd5187131b92d93818987832eb89]\"}");
}

static void there_are_limits(void **state)
{
    static char big[FORM_READ_MAX_TEXT + 1];
    struct buf body = BUF_INIT(1U << 20);
    json_t *fields;

    (void)state;
    memset(big, 'x', sizeof(big));
    for (int i = 0; i < FORM_READ_MAX_PARTS + 5; i++)
        buf_addf(&body, "--b\r\n" FIELD "p%d\r\n\r\ny\r\n", i);
    buf_adds(&body, "--b--");
    fields = form_read(slice_str(TYPE), (struct slice){body.data, body.len});
    assert_int_equal(json_object_size(fields), FORM_READ_MAX_PARTS);
    json_decref(fields);
    buf_reset(&body);
    buf_adds(&body, "--b\r\n" FIELD "x\r\n\r\n");
    buf_add(&body, big, sizeof(big));
    buf_adds(&body, "\r\n--b\r\n" FIELD "y\r\n\r\nz" END);
    fields = form_read(slice_str(TYPE), (struct slice){body.data, body.len});
    assert_int_equal(
        strncmp(json_string_value(json_object_get(fields, "x")), "[text 16385 bytes", 17), 0);
    assert_string_equal(json_string_value(json_object_get(fields, "y")), "z");
    json_decref(fields);
    buf_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_kept_and_files_are_described),
        cmocka_unit_test(what_cannot_be_understood_is_left_out),
        cmocka_unit_test(there_are_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
