/* SPDX-License-Identifier: MIT */
#include "vidu/key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW 0x6928a1c0

static const uint8_t secret[SEAL_SECRET_LEN] = {1, 2, 3};
static const uint8_t other[SEAL_SECRET_LEN] = {1, 2, 4};

static void make(char key[KEY_SIZE])
{
    struct crypto_place *place = crypto_place_new();

    key_new(secret, NOW, place, key);
    crypto_place_free(place);
}

static void hash_of(const char *key, size_t n, uint8_t out[SHA256_LEN])
{
    struct crypto_place *place = crypto_place_new();

    key_hash(key, n, place, out);
    crypto_place_free(place);
}

static bool is_sealed(const uint8_t seal[SEAL_SECRET_LEN], const char *p, size_t n)
{
    struct crypto_place *place = crypto_place_new();
    bool sealed = key_is_sealed(seal, p, n, place);

    crypto_place_free(place);
    return sealed;
}

static void a_made_key_is_sealed_under_its_secret_only(void **state)
{
    char key[KEY_SIZE];

    (void)state;
    make(key);
    assert_int_equal(strlen(key), KEY_LEN);
    assert_int_equal(strspn(key, "abcdefghijklmnopqrstuvwxyz234567"), KEY_LEN);
    assert_true(is_sealed(secret, key, KEY_LEN));
    assert_false(is_sealed(other, key, KEY_LEN));
}

static void two_keys_differ(void **state)
{
    char a[KEY_SIZE], b[KEY_SIZE];

    (void)state;
    make(a);
    make(b);
    assert_string_not_equal(a, b);
}

static void a_guess_is_not_a_sealed_key(void **state)
{
    (void)state;
    assert_false(is_sealed(secret, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", KEY_LEN));
    assert_false(is_sealed(secret, "", 0));
    assert_false(is_sealed(secret, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", KEY_LEN));
}

/* Each digit counts, the unused bits of the last one too. */
static void every_changed_digit_breaks_the_seal(void **state)
{
    char key[KEY_SIZE];

    (void)state;
    make(key);
    for (size_t i = 0; i < KEY_LEN; i++) {
        char kept = key[i];

        for (const char *c = "abcdefghijklmnopqrstuvwxyz234567"; *c != '\0'; c++) {
            key[i] = *c;
            assert_int_equal(is_sealed(secret, key, KEY_LEN), *c == kept);
        }
        key[i] = kept;
    }
    assert_false(is_sealed(secret, key, KEY_LEN - 1));
    assert_false(is_sealed(secret, key, KEY_LEN + 1));
}

static void the_hash_begins_with_the_time_and_goes_on_with_that_of_the_text(void **state)
{
    char key[KEY_SIZE];
    uint8_t hash[SHA256_LEN], digest[SHA256_LEN];

    (void)state;
    make(key);
    hash_of(key, KEY_LEN, hash);
    crypto_sha256(key, KEY_LEN, digest);
    assert_memory_equal(hash, "\x69\x28\xa1\xc0", 4);
    assert_memory_equal(hash + 4, digest, SHA256_LEN - 4);
}

static void what_is_not_a_key_has_a_hash_too(void **state)
{
    uint8_t hash[SHA256_LEN], digest[SHA256_LEN];

    (void)state;
    hash_of("abc", 3, hash);
    crypto_sha256("abc", 3, digest);
    assert_memory_equal(hash, "\0\0\0\0", 4);
    assert_memory_equal(hash + 4, digest, SHA256_LEN - 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_made_key_is_sealed_under_its_secret_only),
        cmocka_unit_test(two_keys_differ),
        cmocka_unit_test(a_guess_is_not_a_sealed_key),
        cmocka_unit_test(every_changed_digit_breaks_the_seal),
        cmocka_unit_test(the_hash_begins_with_the_time_and_goes_on_with_that_of_the_text),
        cmocka_unit_test(what_is_not_a_key_has_a_hash_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
