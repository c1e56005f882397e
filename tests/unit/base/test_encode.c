/* SPDX-License-Identifier: MIT */
#include "base/encode.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* RFC 4648 section 10. */
static const struct {
    const char *plain, *base64, *base32;
} rows[] = {
    {"", "", ""},
    {"f", "Zg==", "my"},
    {"fo", "Zm8=", "mzxq"},
    {"foo", "Zm9v", "mzxw6"},
    {"foob", "Zm9vYg==", "mzxw6yq"},
    {"fooba", "Zm9vYmE=", "mzxw6ytb"},
    {"foobar", "Zm9vYmFy", "mzxw6ytboi"},
};

static void the_examples_of_the_rfc_come_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[32];
        uint8_t back[16];
        size_t n = strlen(rows[i].plain);
        size_t got = 99;

        encode_base64((const uint8_t *)rows[i].plain, n, out);
        assert_string_equal(out, rows[i].base64);
        assert_int_equal(decode_base64(out, strlen(out), back, sizeof(back), &got), 0);
        assert_int_equal(got, n);
        assert_memory_equal(back, rows[i].plain, n);
        encode_base32((const uint8_t *)rows[i].plain, n, out);
        assert_string_equal(out, rows[i].base32);
        assert_int_equal(decode_base32(out, strlen(out), back, n), 0);
        assert_memory_equal(back, rows[i].plain, n);
    }
}

static void only_the_canonical_form_is_read(void **state)
{
    static const char *const bad[] = {"Zg=", "Zg", "Zh==", "Z===", "Zm8", "Zm9v\n", "Zm9-", "=Zm9"};
    uint8_t out[16];
    size_t n;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(decode_base64(bad[i], strlen(bad[i]), out, sizeof(out), &n), -EINVAL);
    assert_int_equal(decode_base64("Zm9v", 4, out, 2, &n), -EINVAL); /* no room */
    assert_int_equal(decode_base32("mz", 2, out, 1), -EINVAL);       /* unused bits set */
    assert_int_equal(decode_base32("MY", 2, out, 1), -EINVAL);
    assert_int_equal(decode_hex("0g", 2, out, 1), -EINVAL);
    assert_int_equal(decode_hex("00", 2, out, 2), -EINVAL);
}

static void long_inputs_are_encoded_in_pieces(void **state)
{
    struct buf b = BUF_INIT(1U << 20);
    uint8_t plain[10000];
    uint8_t back[10000];
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof(plain); i++)
        plain[i] = (uint8_t)(i * 7 + i / 256);
    encode_base64_buf(plain, sizeof(plain), &b);
    assert_int_equal(b.len, BASE64_LEN(sizeof(plain)));
    assert_int_equal(decode_base64(b.data, b.len, back, sizeof(back), &n), 0);
    assert_memory_equal(back, plain, sizeof(plain));
    buf_free(&b);
}

static void hex_goes_both_ways(void **state)
{
    static const uint8_t plain[] = {0x00, 0x7f, 0xff, 0xa5};
    char out[9];
    uint8_t back[4];

    (void)state;
    encode_hex(plain, 4, out);
    assert_string_equal(out, "007fffa5");
    assert_int_equal(decode_hex("007FFFa5", 8, back, 4), 0);
    assert_memory_equal(back, plain, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_examples_of_the_rfc_come_out),
        cmocka_unit_test(only_the_canonical_form_is_read),
        cmocka_unit_test(long_inputs_are_encoded_in_pieces),
        cmocka_unit_test(hex_goes_both_ways),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
