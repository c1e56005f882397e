/* SPDX-License-Identifier: MIT */
#include "cli/stored.h"

#include "base/encode.h"
#include "base/fs.h"
#include "vidu/crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64], path[96], sum[SHA256_HEX_LEN + 1];
static char content[200000]; /* more than is read at a time */

static void expect(enum stored want, const char *why)
{
    struct err err = {{0}};
    enum stored got = stored_check(path, sizeof(content), sum, &err);

    if (got != want || strstr(err.text, why) == NULL)
        fail_msg("%s: %s", stored_name(got), err.text);
}

static void write_file(size_t n, size_t at)
{
    unlink(path);
    content[at] ^= 1;
    assert_int_equal(fs_create_file(path, content, n, 0644, NULL), 0);
    content[at] ^= 1;
}

static void the_same_bytes_are_ok(void **state)
{
    (void)state;
    expect(STORED_OK, "");
    for (char *c = sum; *c != '\0'; c++)
        *c = (char)(*c >= 'a' ? *c - 'a' + 'A' : *c);
    expect(STORED_OK, "");
}

static void a_file_that_is_gone_is_missing(void **state)
{
    (void)state;
    unlink(path);
    expect(STORED_MISSING, "is not there");
    snprintf(path, sizeof(path), "%s/no/such/folder", dir);
    expect(STORED_MISSING, "is not there");
}

static void a_single_other_byte_is_a_change(void **state)
{
    (void)state;
    write_file(sizeof(content), 0);
    expect(STORED_CHANGED, "other bytes");
    write_file(sizeof(content), sizeof(content) - 1);
    expect(STORED_CHANGED, "other bytes");
}

static void another_size_is_a_change(void **state)
{
    (void)state;
    write_file(sizeof(content) - 1, sizeof(content) - 1);
    expect(STORED_CHANGED, "has 199999 bytes, 200000 were stored");
}

static void what_is_no_file_any_more_is_a_change(void **state)
{
    autofree char *other = mem_printf("%s/other", dir);

    (void)state;
    assert_int_equal(rename(path, other), 0);
    assert_int_equal(symlink(other, path), 0);
    expect(STORED_CHANGED, "is a link now");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect(STORED_CHANGED, "bytes");
    unlink(path);
    unlink(other);
}

static void what_cannot_be_read_says_so(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "/proc/self/mem"); /* a regular file that nobody reads at 0 */
    assert_int_equal(stored_check(path, 0, sum, &(struct err){{0}}), STORED_UNREADABLE);
}

static int set_up(void **state)
{
    uint8_t digest[SHA256_LEN];

    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/test_stored.XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(path, sizeof(path), "%s/clip.mp4", dir);
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (char)(i * 7);
    crypto_sha256(content, sizeof(content), digest);
    encode_hex(digest, SHA256_LEN, sum);
    return fs_create_file(path, content, sizeof(content), 0644, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "%s/clip.mp4", dir);
    unlink(path);
    return rmdir(dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_same_bytes_are_ok),
        TEST(a_file_that_is_gone_is_missing),
        TEST(a_single_other_byte_is_a_change),
        TEST(another_size_is_a_change),
        TEST(what_is_no_file_any_more_is_a_change),
        TEST(what_cannot_be_read_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
