/* SPDX-License-Identifier: MIT */
#include "vidu/crypto.h"

#include "base/encode.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void digests_are_those_of_fips_180(void **state)
{
    uint8_t out[SHA256_LEN];
    char hex[SHA256_HEX_LEN + 1];

    (void)state;
    crypto_sha256("abc", 3, out);
    encode_hex(out, sizeof(out), hex);
    assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    crypto_sha256("", 0, out);
    encode_hex(out, sizeof(out), hex);
    assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 4231, test case 2. */
static void the_mac_is_that_of_rfc_4231(void **state)
{
    uint8_t out[SHA256_LEN];
    char hex[SHA256_HEX_LEN + 1];

    (void)state;
    crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
    encode_hex(out, sizeof(out), hex);
    assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* No key of one call is in the way of the next one, an empty one included. */
static void a_place_to_compute_in_serves_one_key_after_another(void **state)
{
    static const char *const keys[] = {"Jefe", "",
                                       "a key that is longer than its block of sixty-four"
                                       " bytes and so is hashed first",
                                       "", "Jefe"};
    struct crypto_place *h = crypto_place_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        uint8_t alone[SHA256_LEN], again[SHA256_LEN];

        crypto_hmac_sha256(keys[i], strlen(keys[i]), "text", 4, alone);
        crypto_place_hmac(h, keys[i], strlen(keys[i]), "text", 4, again);
        assert_memory_equal(alone, again, SHA256_LEN);
    }
    crypto_place_free(h);
    crypto_place_free(NULL);
}

static void an_absent_key_is_an_empty_key(void **state)
{
    uint8_t absent[SHA256_LEN], empty[SHA256_LEN];

    (void)state;
    crypto_hmac_sha256(NULL, 0, "x", 1, absent);
    crypto_hmac_sha256("", 0, "x", 1, empty);
    assert_memory_equal(absent, empty, SHA256_LEN);
}

static void pieces_give_the_digest_of_the_whole(void **state)
{
    struct crypto_digest *d = crypto_digest_new();
    uint8_t whole[SHA256_LEN], pieces[SHA256_LEN];

    (void)state;
    crypto_sha256("hello world", 11, whole);
    crypto_digest_add(d, "hello ", 6);
    crypto_digest_add(d, "", 0);
    crypto_digest_add(d, "world", 5);
    crypto_digest_final(d, pieces);
    assert_memory_equal(whole, pieces, SHA256_LEN);
    crypto_digest_free(crypto_digest_new());
    crypto_digest_free(NULL);
}

static void equal_means_every_byte(void **state)
{
    (void)state;
    assert_true(crypto_equal("abcd", "abcd", 4));
    assert_false(crypto_equal("abcd", "abce", 4));
    assert_false(crypto_equal("abcd", "bbcd", 4));
    assert_true(crypto_equal("abcd", "abce", 3));
}

static void random_bytes_differ(void **state)
{
    uint8_t a[16] = {0}, b[16] = {0}, zero[16] = {0};

    (void)state;
    crypto_random(a, sizeof(a));
    crypto_random(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    assert_memory_not_equal(a, zero, sizeof(a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_are_those_of_fips_180),
        cmocka_unit_test(the_mac_is_that_of_rfc_4231),
        cmocka_unit_test(a_place_to_compute_in_serves_one_key_after_another),
        cmocka_unit_test(an_absent_key_is_an_empty_key),
        cmocka_unit_test(pieces_give_the_digest_of_the_whole),
        cmocka_unit_test(equal_means_every_byte),
        cmocka_unit_test(random_bytes_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
