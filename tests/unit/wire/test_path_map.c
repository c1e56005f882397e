/* SPDX-License-Identifier: MIT */
#include "wire/path_map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void a_folder_holds_what_is_below_it(void **state)
{
    static const struct {
        const char *path, *folder;
        bool in;
    } rows[] = {
        {"/media/a", "/media", true},   {"/media", "/media", true}, {"/media/a", "/media/", true},
        {"/media2", "/media", false},   {"/medi", "/media", false}, {"/media", "/media/a", false},
        {"/media/a", "/media//", true}, {"/anything", "/", true},   {"Z:/a", "Z:", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(path_is_in(rows[i].path, rows[i].folder), rows[i].in);
}

static void the_longest_folder_names_the_path(void **state)
{
    static const char *const rows[][2] = {
        {"/srv/media/x/a b.mp4", "/other/a b.mp4"},
        {"/srv/media/y.mp4", "/media/y.mp4"},
        {"/srv/media", "/media"},
        {"/srv/mediator/y.mp4", "/mnt/mediator/y.mp4"},
        {"/elsewhere/y.mp4", "/elsewhere/y.mp4"},
        {"/win/y.mp4", "Z:/y.mp4"},
    };
    json_t *map = json_pack("[[s, s], [s, s], [s, s], [s, s]]", "/srv", "/mnt", "/srv/media/x",
                            "/other/", "/srv/media", "/media", "/win", "Z:");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autofree char *theirs = path_map_apply(map, rows[i][0]);

        assert_string_equal(theirs, rows[i][1]);
    }
    json_decref(map);
}

static void without_a_map_a_path_is_what_it_is(void **state)
{
    autofree char *same = path_map_apply(NULL, "/srv/a");

    (void)state;
    assert_string_equal(same, "/srv/a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_folder_holds_what_is_below_it),
        cmocka_unit_test(the_longest_folder_names_the_path),
        cmocka_unit_test(without_a_map_a_path_is_what_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
