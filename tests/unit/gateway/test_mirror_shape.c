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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(official_paths_know_five_words),
        cmocka_unit_test(creations_are_complete_and_only_beside_success),
        cmocka_unit_test(success_without_a_url_is_not_said),
        cmocka_unit_test(the_native_shape_has_one_url),
        cmocka_unit_test(the_openai_shape_tells_an_end_in_full),
        cmocka_unit_test(an_unknown_shape_is_handed_on_word_for_word_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
