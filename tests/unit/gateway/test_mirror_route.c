/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct hello_gateway two = {
    .n_providers = 4,
    .providers = {{(char *)"vidu", (char *)"vidu", (char *)"https://a", (char *)"ka", true},
                  {(char *)"octo", (char *)"octopusx", (char *)"https://b", (char *)"kb", false},
                  {(char *)"open", (char *)"octopusx-openai", (char *)"https://b", (char *)"kb",
                   false},
                  {(char *)"own", (char *)"generic", (char *)"https://c", (char *)"kc", false,
                   .speech = {.name = "generic", .prefix = "", .query = "/ask?job={id}"}}},
};

/* The text of the request must outlive the route. */
static char text[4096];
static struct head head;

static bool route(const char *method, const char *target, struct mirror_route *out)
{
    const char *reason = NULL;
    size_t scanned = 0;

    snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: h\r\n\r\n", method, target);
    assert_int_equal(head_check(text, strlen(text), &scanned, &head, &reason), HEAD_OK);
    return mirror_route(&two, &head, out);
}

static void assert_step(const char *method, const char *target, enum mirror_step step,
                        const char *detail)
{
    autofree char *ids = NULL;
    struct mirror_route r;

    assert_true(route(method, target, &r));
    assert_int_equal(r.step, step);
    if (step == MIRROR_CREATE)
        assert_string_equal(r.endpoint, detail);
    if (step == MIRROR_QUERY || step == MIRROR_LIST) {
        ids = json_dumps(r.ids, JSON_COMPACT);
        assert_string_equal(ids, detail);
    }
    mirror_route_clear(&r);
}

static void the_first_part_of_the_path_names_the_account(void **state)
{
    static const char *const wrong[] = {"/", "/x/y", "/vid/x", "/vidux", "//vidu/x", "/VIDU/x"};
    struct mirror_route r;

    (void)state;
    assert_true(route("GET", "/octo/a/b?c=d", &r));
    assert_string_equal(r.account->key, "kb");
    assert_true(slice_is(r.path, "/a/b") && slice_is(r.target, "/a/b?c=d"));
    assert_true(route("GET", "/vidu", &r) && r.path.n == 0 && r.target.n == 0);
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_false(route("GET", wrong[i], &r));
}

static void a_post_that_makes_a_task_is_a_create(void **state)
{
    (void)state;
    assert_step("POST", "/vidu/ent/v2/img2video", MIRROR_CREATE, "img2video");
    assert_step("POST", "/vidu/ent/v2/start-end2video?a=b", MIRROR_CREATE, "start-end2video");
    assert_step("POST", "/octo/vidu/ent/v2/text2video", MIRROR_CREATE, "text2video");
    assert_step("GET", "/vidu/ent/v2/img2video", MIRROR_PASS, NULL);
    assert_step("PUT", "/vidu/ent/v2/img2video", MIRROR_PASS, NULL);
    assert_step("POST", "/vidu/ent/v2/img2vide", MIRROR_PASS, NULL);
    assert_step("POST", "/vidu/vidu/ent/v2/img2video", MIRROR_PASS, NULL);
    assert_step("POST", "/vidu/ent/v2/audio-tts", MIRROR_CREATE, "audio-tts");
    assert_step("POST", "/vidu/ent/v2/subjects", MIRROR_CREATE, "subjects");
    assert_step("POST", "/vidu/ent/v2/one-click/mv", MIRROR_CREATE, "one-click/mv");
    assert_step("POST", "/vidu/ent/v2/one-click/mv/912/edit", MIRROR_CREATE,
                "one-click/mv/912/edit");
    assert_step("POST", "/vidu/ent/v2/one-click/mv/{id}/edit", MIRROR_PASS, NULL);
    assert_step("POST", "/vidu/ent/v2ximg2video", MIRROR_PASS, NULL);
    assert_step("POST", "/open/v1/videos", MIRROR_CREATE, "videos");
    assert_step("POST", "/own/video/generations", MIRROR_CREATE, "video/generations");
    assert_step("POST", "/vidu", MIRROR_PASS, NULL);
}

static void a_post_under_another_spelling_has_no_route(void **state)
{
    static const char *const targets[] = {
        "/vidu/ent/v2/img2video/",  "/vidu/ent/v2/",         "/vidu/ent/v2//img2video",
        "/vidu/ent/v2/%69mg2video", "/vidu/ent/v2/./videos", "/vidu/ent/../v2/img2video",
    };
    struct mirror_route r;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        assert_false(route("POST", targets[i], &r));
        assert_step("PUT", targets[i], MIRROR_PASS, NULL);
    }
}

static void a_get_of_the_query_path_is_a_query(void **state)
{
    (void)state;
    assert_step("GET", "/vidu/ent/v2/tasks/91234/creations", MIRROR_QUERY, "[\"91234\"]");
    assert_step("GET", "/vidu/ent/v2/tasks/91234/creations?t=1", MIRROR_QUERY, "[\"91234\"]");
    assert_step("GET", "/octo/vidu/ent/v2/task/a-b/creations", MIRROR_QUERY, "[\"a-b\"]");
    assert_step("GET", "/octo/vidu/ent/v2/tasks/a-b/creations", MIRROR_PASS, NULL);
    assert_step("GET", "/open/v1/videos/a-b", MIRROR_QUERY, "[\"a-b\"]");
    assert_step("GET", "/open/v1/videos/a-b/content", MIRROR_PASS, NULL);
    assert_step("GET", "/own/ask?job=7", MIRROR_QUERY, "[\"7\"]");
    assert_step("GET", "/own/ask?job=7&x=1", MIRROR_PASS, NULL);
    assert_step("GET", "/own/ask", MIRROR_PASS, NULL);
    assert_step("GET", "/vidu/ent/v2/one-click/mv/912", MIRROR_TREE, "[\"912\"]");
    assert_step("GET", "/vidu/ent/v2/one-click/general_one_click/9", MIRROR_TREE, "[\"9\"]");
    assert_step("GET", "/vidu/ent/v2/ad-one-click/7", MIRROR_TREE, "[\"7\"]");
    assert_step("POST", "/vidu/ent/v2/ad-one-click/7", MIRROR_PASS, NULL);
    assert_step("GET", "/vidu/ent/v2/one-click/mv/", MIRROR_PASS, NULL);
    assert_step("GET", "/vidu/ent/v2/one-click/mv/912/edit", MIRROR_PASS, NULL);
    assert_step("GET", "/vidu/ent/v2/tasks//creations", MIRROR_PASS, NULL);
    assert_step("GET", "/vidu/ent/v2/tasks/creations", MIRROR_PASS, NULL);
    assert_step("GET", "/vidu/ent/v2/tasks/a%2Fb/creations", MIRROR_PASS, NULL);
    assert_step("GET", "/vidu/ent/v2/tasks/a/b/creations", MIRROR_PASS, NULL);
    assert_step("GET", "/vidu/ent/v2/tasks/1/cancelled", MIRROR_PASS, NULL);
    assert_step("POST", "/vidu/ent/v2/tasks/1/creations", MIRROR_PASS, NULL);
    assert_step("POST", "/vidu/ent/v2/tasks/1/cancel", MIRROR_PASS, NULL);
}

static void the_list_call_is_ours_with_ids_alone(void **state)
{
    char many[3000] = "/vidu/ent/v2/tasks?task_ids=1";

    (void)state;
    assert_step("GET", "/vidu/ent/v2/tasks?task_ids=1", MIRROR_LIST, "[\"1\"]");
    assert_step("GET", "/vidu/ent/v2/tasks?task_ids=1,2%2c3&task_ids=4", MIRROR_LIST,
                "[\"1\",\"2\",\"3\",\"4\"]");
    assert_step("GET", "/vidu/ent/v2/tasks", MIRROR_PASS, NULL);
    assert_step("GET", "/octo/vidu/ent/v2/tasks?task_ids=1", MIRROR_PASS, NULL);
    assert_step("GET", "/own/tasks?task_ids=1", MIRROR_PASS, NULL);
    assert_step("GET", "/vidu/ent/v2/tasks?task_ids=", MIRROR_PASS, NULL);
    assert_step("GET", "/vidu/ent/v2/tasks?task_ids=1,,2", MIRROR_PASS, NULL);
    assert_step("GET", "/vidu/ent/v2/tasks?task_ids=1&states=failed", MIRROR_PASS, NULL);
    assert_step("GET", "/vidu/ent/v2/tasks?pager.page=1", MIRROR_PASS, NULL);
    for (int i = 1; i < MIRROR_MAX_IDS; i++)
        strcat(many, ",1");
    {
        struct mirror_route r;

        assert_true(route("GET", many, &r) && r.step == MIRROR_LIST);
        mirror_route_clear(&r);
        assert_true(route("GET", strcat(many, ",1"), &r) && r.step == MIRROR_PASS);
        mirror_route_clear(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_part_of_the_path_names_the_account),
        cmocka_unit_test(a_post_that_makes_a_task_is_a_create),
        cmocka_unit_test(a_post_under_another_spelling_has_no_route),
        cmocka_unit_test(a_get_of_the_query_path_is_a_query),
        cmocka_unit_test(the_list_call_is_ours_with_ids_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
