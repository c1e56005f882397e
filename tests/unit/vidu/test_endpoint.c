/* SPDX-License-Identifier: MIT */
#include "vidu/endpoint.h"

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
    assert_int_equal(endpoint_count(), 4);
    for (size_t i = 0; i < endpoint_count(); i++) {
        const struct endpoint *e = endpoint_at(i);

        assert_ptr_equal(endpoint_find(e->name), e);
        assert_string_equal(e->path + 1, e->name);
        assert_true(e->accepts_callback && e->accepts_payload && e->model_required);
        assert_non_null(e->models[0]);
        assert_true(has_field(e, "model") && has_field(e, "prompt") && has_field(e, "payload"));
        assert_int_equal(has_field(e, "images"), e->max_images > 0);
        assert_int_equal(has_field(e, "subjects"), e->subjects);
        for (const struct endpoint_field *f = e->fields; f->name != NULL; f++)
            assert_false(str_empty(f->help) || str_empty(f->type));
    }
    assert_null(endpoint_at(4));
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
    assert_null(endpoint_suggest("lip-sync"));
    assert_null(endpoint_suggest(""));
    assert_null(endpoint_find("image2video"));
    assert_null(endpoint_find(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_complete),
        cmocka_unit_test(image_counts_are_those_of_the_documentation),
        cmocka_unit_test(misspelt_names_find_their_neighbour),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
