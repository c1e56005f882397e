/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_shape.h"

#include "vidu/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CREATIONS "[{\"id\":\"7\",\"url\":\"https://a/x\",\"cover_url\":\"\"}]"

static json_t *task_in(const char *task_state, const char *result)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:i, s:s, s:s, s:I}", "id", "t", "remote_id", "91",
                     "state", task_state, "err_code", "Some", "credits", -1, "payload", "p",
                     "result", result, "updated_ms", (json_int_t)1750000000123);
}

/* What is reported, owned; NULL when nothing is. */
static char *report(const char *profile, const char *task_state, const char *result, bool *final)
{
    struct buf out = BUF_INIT(4096);
    json_t *task = task_in(task_state, result);
    json_t *creations = mirror_shape_creations(task);
    bool told = mirror_shape_report(provider_profile_find(profile), task, creations, &out);
    char *text = buf_take(&out);

    *final = mirror_shape_is_final(task, creations);
    json_decref(creations);
    json_decref(task);
    if (told)
        return text;
    assert_string_equal(text, "");
    free(text);
    return NULL;
}

static void official_paths_know_five_words(void **state)
{
    static const struct {
        const char *ours, *word;
        bool final;
    } rows[] = {
        {"registered", "created", false}, {"submitted", "created", false},
        {"queued", "queueing", false},    {"processing", "processing", false},
        {"success", "success", true},     {"failed", "failed", true},
        {"cancelled", "failed", true},    {"rejected", "failed", true},
        {"ambiguous", "created", false},
    };
    bool final;

    (void)state;
    assert_int_equal(ARRAY_LEN(rows) + 1, STATE_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autofree char *text = report("vidu", rows[i].ours, CREATIONS, &final);
        autofree char *word = mem_printf("\"state\":\"%s\"", rows[i].word);

        assert_non_null(strstr(text, word));
        assert_int_equal(final, rows[i].final);
    }
    assert_null(report("vidu", "lost", CREATIONS, &final));
}

static void creations_are_complete_and_only_beside_success(void **state)
{
    bool final;
    autofree char *success = report("vidu", "success", CREATIONS, &final);
    autofree char *running = report("vidu", "processing", CREATIONS, &final);

    (void)state;
    assert_string_equal(success, "{\"id\":\"91\",\"state\":\"success\",\"err_code\":\"Some\","
                                 "\"credits\":0,\"payload\":\"p\",\"creations\":[{\"id\":\"7\","
                                 "\"url\":\"https://a/x\",\"cover_url\":\"\","
                                 "\"watermarked_url\":\"\"}]}");
    assert_string_equal(running, "{\"id\":\"91\",\"state\":\"processing\",\"err_code\":\"\","
                                 "\"credits\":0,\"payload\":\"p\",\"creations\":[]}");
}

static void success_without_a_url_is_not_said(void **state)
{
    static const char *const results[] = {"", "[]", "[{\"id\":\"7\",\"url\":\"\"}]", "{", "7"};
    bool final;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        autofree char *text = report("vidu", "success", results[i], &final);

        assert_non_null(strstr(text, "\"state\":\"processing\""));
        assert_non_null(strstr(text, "\"creations\":[]"));
        assert_false(final);
    }
}

static void the_native_shape_has_one_url(void **state)
{
    bool final;
    autofree char *done = report("octopusx", "success", CREATIONS, &final);
    autofree char *running = report("octopusx", "queued", "", &final);

    (void)state;
    assert_string_equal(done,
                        "{\"id\":\"91\",\"status\":\"completed\",\"video_url\":\"https://a/x\","
                        "\"status_update_time\":1750000000}");
    assert_string_equal(
        running, "{\"id\":\"91\",\"status\":\"processing\",\"status_update_time\":1750000000}");
}

static void the_openai_shape_tells_an_end_in_full(void **state)
{
    bool final;
    autofree char *done = report("octopusx-openai", "success", CREATIONS, &final);
    autofree char *running = report("octopusx-openai", "queued", "", &final);
    autofree char *failed = report("octopusx-openai", "failed", "", &final);
    autofree char *cancelled = report("octopusx-openai", "cancelled", "", &final);

    (void)state;
    assert_string_equal(done, "{\"id\":\"91\",\"object\":\"video\",\"status\":\"completed\","
                              "\"progress\":100,\"video_url\":\"https://a/x\","
                              "\"completed_at\":1750000000}");
    assert_string_equal(running, "{\"id\":\"91\",\"object\":\"video\",\"status\":\"queued\","
                                 "\"progress\":0}");
    assert_string_equal(failed, "{\"id\":\"91\",\"object\":\"video\",\"status\":\"failed\","
                                "\"progress\":0,\"error\":{\"message\":\"\",\"code\":\"Some\"}}");
    assert_string_equal(cancelled, "{\"id\":\"91\",\"object\":\"video\","
                                   "\"status\":\"cancelled\",\"progress\":0}");
}

static void an_unknown_shape_is_handed_on_word_for_word_or_not_at_all(void **state)
{
    struct provider_profile named = *provider_profile_find("vidu");
    struct buf out = BUF_INIT(4096);
    json_t *task = task_in("success", CREATIONS);
    bool final;

    (void)state;
    assert_true(mirror_shape_is_known(&named));
    assert_false(mirror_shape_is_known(provider_profile_find("generic")));
    named.names.state = "out.phase";
    assert_false(mirror_shape_is_known(&named));
    assert_false(mirror_shape_report(&named, task, NULL, &out));
    json_object_set_new(task, "look", json_string("{\"out\": {\"phase\": \"DONE\"}}\n"));
    assert_true(mirror_shape_report(&named, task, NULL, &out));
    assert_string_equal(buf_text(&out), "{\"out\": {\"phase\": \"DONE\"}}\n");
    assert_null(report("generic", "success", CREATIONS, &final));
    json_decref(task);
    buf_free(&out);
}

/* What is added for a task with these members besides those of task_in; owned. */
static char *tree(const char *endpoint, const char *of, const char *task_state, const char *look)
{
    struct buf out = BUF_INIT(4096);
    json_t *task = task_in(task_state, CREATIONS);
    json_t *creations = mirror_shape_creations(task);

    json_object_set_new(task, "endpoint", json_string(endpoint));
    json_object_set_new(task, "look", json_string(look));
    mirror_shape_tree(endpoint_find(of), task, creations, &out);
    json_decref(creations);
    json_decref(task);
    return buf_take(&out);
}

static void an_advertisement_has_the_parts_that_were_said_last_or_its_result(void **state)
{
    static const char parts[] = "{\"id\": 91, \"data_records\": {\"storyboards\": [{}]}}";
    static const char plain[] = "{\"id\":\"91\",\"state\":\"success\",\"creations\":[]}";
    autofree char *said = tree("ad-one-click", "ad-one-click", "processing", parts);
    autofree char *done = tree("ad-one-click", "ad-one-click", "success", plain);
    autofree char *early = tree("", "ad-one-click", "submitted", "");
    autofree char *lost = tree("ad-one-click", "ad-one-click", "lost", "");
    autofree char *other = tree("ad-one-click", "one-click/mv", "submitted", "");

    (void)state;
    assert_string_equal(said, parts);
    assert_string_equal(done, "{\"id\":\"91\",\"err_code\":\"Some\",\"state\":\"success\","
                              "\"data_records\":{\"storyboards\":[],\"narration_records\":[],"
                              "\"bgm_records\":[],\"completed_creation_records\":[{\"id\":\"7\","
                              "\"state\":\"success\",\"creation_url\":\"https://a/x\","
                              "\"err_code\":\"\"}]}}");
    assert_string_equal(early, "{\"id\":\"91\",\"err_code\":\"\",\"state\":\"created\","
                               "\"data_records\":{\"storyboards\":[],\"narration_records\":[],"
                               "\"bgm_records\":[],\"completed_creation_records\":[]}}");
    assert_string_equal(lost, "");
    assert_string_equal(other, "");
}

static char *listed(const char *endpoint, const char *request)
{
    struct buf out = BUF_INIT(4096);
    json_t *task = task_in("queued", "");

    json_object_set_new(task, "endpoint", json_string(endpoint));
    if (request != NULL)
        json_object_set_new(task, "request", json_string(request));
    assert_true(mirror_shape_listed(task, NULL, &out));
    json_decref(task);
    return buf_take(&out);
}

static void a_list_repeats_what_was_asked_and_is_still_there(void **state)
{
    static const struct {
        const char *endpoint, *request, *has, *has_not;
    } rows[] = {
        {"img2video", "{\"images\":[\"https://h/a\"],\"duration\":8,\"resolution\":null}",
         ",\"images\":[\"https://h/a\"],\"duration\":8,\"state\"", "resolution"},
        {"img2video", "{\"images\":[\"[image/png 9 bytes sha256:00]\"],\"resolution\":\"720p\"}",
         ",\"resolution\":\"720p\"", "images"},
        {"template", "{\"template\":\"[text 5000 bytes sha256:00]\"}", "\"type\":\"template\"",
         "\"template\":"},
        {"text2video", "{}", ",\"images\":[]", "duration"},
        {"text2video", NULL, "\"type\":\"text2video\"", "images"},
        {"reference2video", "{\"subjects\":[]}", "reference2video", "images"},
        {"start-end2video", "{\"images\":[]}", "\"type\":\"headtailimg2video\"", "payload"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autofree char *text = listed(rows[i].endpoint, rows[i].request);

        assert_non_null(strstr(text, rows[i].has));
        assert_null(strstr(text, rows[i].has_not));
    }
}

static void names_for_id_and_state_are_enough_before_the_first_look(void **state)
{
    static const struct {
        const char *id, *name, *task_state, *want;
    } rows[] = {
        {"out.id", "out.now.state", "submitted",
         "{\"out\":{\"id\":\"91\",\"now\":{\"state\":\"queued\"}}}"},
        {"id", "state", "queued", "{\"id\":\"91\",\"state\":\"queued\"}"},
        {"id", "state", "processing", ""},
        {"out.0.id", "state", "queued", ""},
        {"id", "id", "queued", ""},
        {"id", "id.state", "queued", ""},
        {"id", NULL, "queued", ""},
        {NULL, "state", "queued", ""},
    };
    struct provider_profile named = *provider_profile_find("generic");

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf out = BUF_INIT(4096);
        json_t *task = task_in(rows[i].task_state, "");
        autofree char *text = NULL;

        named.names = (struct answer_names){.id = rows[i].id, .state = rows[i].name};
        mirror_shape_early(&named, task, &out);
        text = buf_take(&out);
        assert_string_equal(text, rows[i].want);
        json_decref(task);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(official_paths_know_five_words),
        cmocka_unit_test(creations_are_complete_and_only_beside_success),
        cmocka_unit_test(success_without_a_url_is_not_said),
        cmocka_unit_test(the_native_shape_has_one_url),
        cmocka_unit_test(the_openai_shape_tells_an_end_in_full),
        cmocka_unit_test(an_unknown_shape_is_handed_on_word_for_word_or_not_at_all),
        cmocka_unit_test(an_advertisement_has_the_parts_that_were_said_last_or_its_result),
        cmocka_unit_test(a_list_repeats_what_was_asked_and_is_still_there),
        cmocka_unit_test(names_for_id_and_state_are_enough_before_the_first_look),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
