/* SPDX-License-Identifier: MIT */
#include "vidu/endpoint.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool has_field(const struct endpoint *e, const char *name)
{
    for (const struct endpoint_field *f = e->fields; f->name != NULL; f++)
        if (str_eq(f->name, name))
            return true;
    return false;
}

static void every_row_is_complete(void **state)
{
    (void)state;
    for (size_t i = 0; i < endpoint_count(); i++) {
        const struct endpoint *e = endpoint_at(i);

        assert_ptr_equal(endpoint_find(e->name), e);
        assert_int_equal(e->path[0], '/');
        assert_string_equal(e->path + 1, e->name);
        assert_true(strlen(e->name) < ENDPOINT_NAME_MAX);
        assert_false(str_empty(e->help) || str_empty(e->id_key));
        assert_int_equal(has_field(e, "callback_url"), e->accepts_callback);
        assert_int_equal(has_field(e, "payload"), e->accepts_payload);
        assert_int_equal(has_field(e, "subjects"), e->subjects);
        assert_int_equal(has_field(e, "image_settings"), e->frames);
        assert_true(e->image == NULL || has_field(e, e->image));
        assert_true(e->video == NULL || has_field(e, e->video));
        assert_true(e->audio == NULL || has_field(e, e->audio));
        assert_true(!e->model_required || (e->models[0] != NULL && has_field(e, "model")));
        assert_false(e->accepts_callback && e->query == ENDPOINT_QUERY_NONE);
        for (const struct endpoint_field *f = e->fields; f->name != NULL; f++)
            assert_false(str_empty(f->help) || str_empty(f->type));
    }
    assert_null(endpoint_at(endpoint_count()));
}

/* vidu-api.md section 2, row by row: callback_url, payload, id, query form. */
static void the_catalogue_is_that_of_the_documentation(void **state)
{
    static const struct {
        const char *name;
        bool callback, payload;
        const char *id_key;
        enum endpoint_query query;
    } rows[] = {
        {"text2video", true, true, "task_id", ENDPOINT_QUERY_TASK},
        {"img2video", true, true, "task_id", ENDPOINT_QUERY_TASK},
        {"start-end2video", true, true, "task_id", ENDPOINT_QUERY_TASK},
        {"reference2video", true, true, "task_id", ENDPOINT_QUERY_TASK},
        {"multiframe", true, true, "task_id", ENDPOINT_QUERY_TASK},
        {"extend", true, true, "task_id", ENDPOINT_QUERY_TASK},
        {"template", true, true, "task_id", ENDPOINT_QUERY_TASK},
        {"template-story", true, true, "task_id", ENDPOINT_QUERY_TASK},
        {"reference2image", true, true, "task_id", ENDPOINT_QUERY_TASK},
        {"upscale-new", true, true, "task_id", ENDPOINT_QUERY_TASK},
        {"image2dance", true, true, "task_id", ENDPOINT_QUERY_TASK},
        {"digital-human", true, true, "task_id", ENDPOINT_QUERY_TASK},
        {"lip-sync", true, false, "task_id", ENDPOINT_QUERY_TASK},
        {"text2audio", true, false, "task_id", ENDPOINT_QUERY_TASK},
        {"timing2audio", true, false, "task_id", ENDPOINT_QUERY_TASK},
        {"ad-one-click", true, false, "task_id", ENDPOINT_QUERY_TASK},
        {"ad-one-click/edit", true, true, "sub_task_id", ENDPOINT_QUERY_TASK},
        {"ad-one-click/compose", true, true, "compose_sub_task_id", ENDPOINT_QUERY_TASK},
        {"trending-replicate", true, false, "task_id", ENDPOINT_QUERY_TASK},
        {"one-click/mv", true, false, "id", ENDPOINT_QUERY_JOBS},
        {"one-click/mv/912/edit", true, false, "id", ENDPOINT_QUERY_JOBS},
        {"one-click/mv/912/compose", true, false, "id", ENDPOINT_QUERY_JOBS},
        {"one-click/general_one_click", true, true, "id", ENDPOINT_QUERY_JOBS},
        {"one-click/genernal_one_click", true, true, "id", ENDPOINT_QUERY_JOBS},
        {"one-click/general_one_click/912/edit", true, false, "id", ENDPOINT_QUERY_JOBS},
        {"one-click/general_one_click/912/compose", true, false, "id", ENDPOINT_QUERY_JOBS},
        {"audio-tts", false, true, "task_id", ENDPOINT_QUERY_NONE},
        {"audio-clone", false, true, "task_id", ENDPOINT_QUERY_NONE},
        {"img2video-prompt-recommendation", false, false, "task_id", ENDPOINT_QUERY_NONE},
        {"subjects", false, false, "id", ENDPOINT_QUERY_NONE},
        {"videos", false, false, "id", ENDPOINT_QUERY_TASK},
        {"video/generations", true, false, "task_id", ENDPOINT_QUERY_TASK},
    };

    (void)state;
    assert_int_equal(endpoint_count(), ARRAY_LEN(rows));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct endpoint *e = endpoint_find(rows[i].name);

        assert_non_null(e);
        assert_int_equal(e->accepts_callback, rows[i].callback);
        assert_int_equal(e->accepts_payload, rows[i].payload);
        assert_string_equal(e->id_key, rows[i].id_key);
        assert_int_equal(e->query, rows[i].query);
    }
}

static void the_id_in_a_name_is_a_plain_one(void **state)
{
    static const char *const none[] = {"one-click/mv//edit",   "one-click/mv/a/b/edit",
                                       "one-click/mv/../edit", "one-click/mv/a?/edit",
                                       "one-click/mv/912/edi", "one-click/mv/912/edit/"};
    const struct endpoint *e = endpoint_find("one-click/mv/912/edit");

    (void)state;
    assert_string_equal(e->name, "one-click/mv/{id}/edit");
    assert_true(slice_is(endpoint_parent(e, "one-click/mv/912/edit"), "912"));
    assert_int_equal(endpoint_parent(e, e->name).n, 0);
    assert_int_equal(endpoint_parent(endpoint_find("extend"), "extend").n, 0);
    for (size_t i = 0; i < ARRAY_LEN(none); i++)
        assert_null(endpoint_find(none[i]));
}

static void image_counts_are_those_of_the_documentation(void **state)
{
    (void)state;
    assert_int_equal(endpoint_find("text2video")->max_images, -1);
    assert_int_equal(endpoint_find("img2video")->max_images, 1);
    assert_int_equal(endpoint_find("start-end2video")->min_images, 2);
    assert_int_equal(endpoint_find("reference2video")->max_images, 7);
    assert_false(has_field(endpoint_find("img2video"), "aspect_ratio"));
    assert_true(has_field(endpoint_find("text2video"), "style"));
}

static void misspelt_names_find_their_neighbour(void **state)
{
    (void)state;
    assert_string_equal(endpoint_suggest("image2video"), "img2video");
    assert_string_equal(endpoint_suggest("txt2video"), "text2video");
    assert_string_equal(endpoint_suggest("reference2vidoe"), "reference2video");
    assert_string_equal(endpoint_suggest("lipsync"), "lip-sync");
    assert_null(endpoint_suggest("zzzzzzzz"));
    assert_null(endpoint_suggest(""));
    assert_null(endpoint_find("image2video"));
    assert_null(endpoint_find(NULL));
}

static void tasks_are_of_endpoints_that_make_some(void **state)
{
    static const char *const good[] = {"img2video", "one-click/mv/912/edit", "videos"};
    static const struct {
        const char *name, *why;
    } bad[] = {
        {"img2vidoe", "unknown endpoint img2vidoe; did you mean img2video?"},
        {"", "unknown endpoint ; `viduhook help submit` lists them"},
        {"one-click/mv/{id}/edit",
         "one-click/mv/{id}/edit: the id of a task belongs in the place of {id}"},
        {"audio-tts", "audio-tts makes no tasks"},
    };
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(endpoint_check_task(good[i], NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(endpoint_check_task(bad[i].name, &err), -EINVAL);
        assert_string_equal(err.text, bad[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(the_catalogue_is_that_of_the_documentation),
        cmocka_unit_test(the_id_in_a_name_is_a_plain_one),
        cmocka_unit_test(image_counts_are_those_of_the_documentation),
        cmocka_unit_test(misspelt_names_find_their_neighbour),
        cmocka_unit_test(tasks_are_of_endpoints_that_make_some),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
