/* SPDX-License-Identifier: MIT */
#include "runner/quota.h"

#include "base/fs.h"

#include <ftw.h>
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

static struct {
    char dir[64];
    json_t *action, *oldest, *files;
    struct buf notes;
} b;

/* The i-th row of `oldest` and a file of that size. */
static void store(const char *name, const char *task, const char *kind, int bytes)
{
    autofree char *path = mem_printf("%s/media/%s", b.dir, name);
    autofree char *folder = fs_dirname(path);
    autofree char *content = mem_calloc((size_t)bytes + 1, 1);

    assert_int_equal(fs_mkdirs(folder, 0755, NULL), 0);
    assert_int_equal(fs_create_file(path, content, (size_t)bytes, 0644, NULL), 0);
    json_array_append_new(b.oldest, json_pack("{s:s, s:s, s:s, s:i}", "path", path, "task", task,
                                              "kind", kind, "bytes", bytes));
}

static void list(const char *path, const char *task, int bytes)
{
    json_array_append_new(b.oldest, json_pack("{s:s, s:s, s:s, s:i}", "path", path, "task", task,
                                              "kind", "video", "bytes", bytes));
}

static void set_quota(int max_total, int used, bool prune)
{
    json_t *quota = json_pack("{s:i, s:i}", "max_total", max_total, "used", used);

    if (prune)
        json_object_set(quota, "oldest", b.oldest);
    json_object_set_new(b.action, "quota", quota);
}

static bool there(const char *name)
{
    autofree char *path = mem_printf("%s/media/%s", b.dir, name);
    struct stat st;

    return lstat(path, &st) == 0;
}

/* The names below media that are reported as removed, in order. */
static void expect_removed(const char *names)
{
    autobuf struct buf found = BUF_INIT(4096);
    const json_t *file;
    size_t i;

    json_array_foreach (b.files, i, file) {
        const char *path = json_string_value(json_object_get(file, "path"));

        assert_true(json_is_true(json_object_get(file, "removed")));
        buf_addf(&found, "%s%s", i > 0 ? " " : "", path + strlen(b.dir) + strlen("/media/"));
    }
    assert_string_equal(buf_text(&found), names);
}

static void a_download_begins_while_there_is_room(void **state)
{
    struct buf why = BUF_INIT(4096);

    (void)state;
    assert_true(quota_allows(b.action, &why));
    set_quota(100, 99, false);
    assert_true(quota_allows(b.action, &why));
    set_quota(100, 100, true);
    assert_true(quota_allows(b.action, &why));
    assert_string_equal(buf_text(&why), "");
    set_quota(100, 100, false);
    assert_false(quota_allows(b.action, &why));
    assert_non_null(strstr(buf_text(&why), "/media: its files take 100 B of 100 B"));
    assert_non_null(strstr(buf_text(&why), "prune: yes"));
    buf_free(&why);
}

static void the_oldest_result_goes_with_all_that_is_beside_it(void **state)
{
    (void)state;
    store("2026-01/a.nfo", "t1", "nfo", 1);
    store("2026-01/a.mp4", "t1", "video", 50);
    store("2026-02/b.mp4", "t2", "video", 50);
    store("2026-01/a.jpg", "t1", "cover", 9);
    store("2026-01/a-poster.jpg", "t1", "poster", 9);
    set_quota(100, 110, true);
    quota_prune(b.action, 50, b.files, &b.notes);
    expect_removed("2026-01/a.nfo 2026-01/a.mp4 2026-01/a.jpg 2026-01/a-poster.jpg");
    assert_false(there("2026-01")); /* empty */
    assert_true(there("2026-02/b.mp4"));
    assert_string_equal(buf_text(&b.notes), "; 4 old files, 60 B deleted");
}

static void no_more_goes_than_has_to(void **state)
{
    (void)state;
    store("a.mp4", "t1", "video", 50);
    store("b.mp4", "t2", "video", 50);
    set_quota(100, 100, true);
    quota_prune(b.action, 0, b.files, &b.notes);
    expect_removed("");
    quota_prune(b.action, 1, b.files, &b.notes);
    expect_removed("a.mp4");
    assert_true(there("b.mp4"));
}

static void without_prune_nothing_goes(void **state)
{
    (void)state;
    store("a.mp4", "t1", "video", 50);
    quota_prune(b.action, 1000, b.files, &b.notes);
    set_quota(10, 1000, false);
    quota_prune(b.action, 1000, b.files, &b.notes);
    expect_removed("");
    assert_true(there("a.mp4"));
}

static void what_was_not_stored_by_us_stays(void **state)
{
    autofree char *outside = mem_printf("%s/outside", b.dir);
    autofree char *root = mem_printf("%s/media", b.dir);
    autofree char *up = mem_printf("%s/media/../outside", b.dir);
    autofree char *deep_up = mem_printf("%s/media/2026-01/../../outside", b.dir);
    autofree char *linked = mem_printf("%s/media/link/outside", b.dir);
    autofree char *link_folder = mem_printf("%s/media/link", b.dir);
    autofree char *link = mem_printf("%s/media/c.mp4", b.dir);

    (void)state;
    store("2026-01/other-size.mp4", "t1", "video", 5);
    json_object_set_new(json_array_get(b.oldest, 0), "bytes", json_integer(6));
    assert_int_equal(fs_create_file(outside, "12345", 5, 0644, NULL), 0);
    assert_int_equal(symlink(b.dir, link_folder), 0);
    assert_int_equal(symlink(outside, link), 0);
    list(outside, "t1", 5);
    list(up, "t1", 5);
    list(deep_up, "t1", 5);
    list(linked, "t1", 5);
    list(link, "t1", 5);
    list(link, "t1", (int)strlen(outside)); /* the size of the link itself */
    list(root, "t1", 5);
    set_quota(1, 1000, true);
    quota_prune(b.action, 0, b.files, &b.notes);
    expect_removed("");
    assert_true(there("2026-01/other-size.mp4") && there("c.mp4") && there("../outside"));
    assert_non_null(strstr(buf_text(&b.notes), "more than max_total, and nothing older"));
}

static void what_is_gone_already_is_forgotten(void **state)
{
    autofree char *gone = mem_printf("%s/media/2025-01/gone.mp4", b.dir);

    (void)state;
    list(gone, "t1", 50);
    store("b.mp4", "t2", "video", 50);
    set_quota(100, 150, true);
    quota_prune(b.action, 0, b.files, &b.notes);
    expect_removed("2025-01/gone.mp4");
    assert_true(there("b.mp4"));
}

static void a_slash_behind_the_directory_does_no_harm(void **state)
{
    autofree char *dir = mem_printf("%s/media//", b.dir);

    (void)state;
    store("2026-01/a.mp4", "t1", "video", 50);
    json_object_set_new(b.action, "dir", json_string(dir));
    set_quota(1, 50, true);
    quota_prune(b.action, 0, b.files, &b.notes);
    expect_removed("2026-01/a.mp4");
    assert_true(there(".")); /* empty too, but the root of the library */
    assert_false(there("2026-01"));
}

static int set_up(void **state)
{
    autofree char *media = NULL;

    (void)state;
    snprintf(b.dir, sizeof(b.dir), "/tmp/test_quota.XXXXXX");
    if (mkdtemp(b.dir) == NULL)
        return -1;
    media = mem_printf("%s/media", b.dir);
    b.action = json_pack("{s:s}", "dir", media);
    b.oldest = json_array();
    b.files = json_array();
    b.notes = BUF_INIT(4096);
    return fs_mkdirs(media, 0755, NULL);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    json_decref(b.action);
    json_decref(b.oldest);
    json_decref(b.files);
    buf_free(&b.notes);
    return nftw(b.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_download_begins_while_there_is_room),
        TEST(the_oldest_result_goes_with_all_that_is_beside_it),
        TEST(no_more_goes_than_has_to),
        TEST(without_prune_nothing_goes),
        TEST(what_was_not_stored_by_us_stays),
        TEST(what_is_gone_already_is_forgotten),
        TEST(a_slash_behind_the_directory_does_no_harm),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
