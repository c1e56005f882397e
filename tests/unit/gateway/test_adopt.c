/* SPDX-License-Identifier: MIT */
#include "gateway/adopt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_fixture.h"

static void an_adopted_task_is_registered_with_its_id(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_register reg;
    unsigned int exit;
    json_t *json;

    command(c,
            "{\"command\":\"adopt\",\"provider\":\"octo\",\"remote_id\":\"88\","
            "\"endpoint\":\"img2video\",\"tags\":{\"k\":\"v\"}}",
            "");
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_OK);
    await(t, &t->keeper_in, MSG_REGISTER, 0, &reg);
    assert_string_equal(reg.provider.p, "octo");
    assert_string_equal(reg.remote_id.p, "88");
    assert_string_equal(reg.endpoint.p, "img2video");
    assert_string_equal(reg.tags.p, "{\"k\":\"v\"}");
    assert_true(reg.expects_callback == 0 && reg.key_hash.n == 0);
    assert_string_equal(text_of(json, "task"), reg.task.p);
    assert_string_equal(text_of(json, "state"), "submitted");
    assert_int_equal(t->n_conns, 0);
    json_decref(json);
}

/* The keeper answers with the name a task already has. */
static void a_task_that_is_known_keeps_its_name(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_register reg;
    unsigned int exit;
    json_t *json;

    t->keeper_silent = true;
    command(c, "{\"command\":\"adopt\",\"provider\":\"main\",\"remote_id\":\"88\"}", "");
    send_recorded(t, await(t, &t->keeper_in, MSG_REGISTER, 0, &reg)->id, "tknown");
    json = await_result(t, c, 0, &exit);
    assert_string_equal(text_of(json, "task"), "tknown");
    json_decref(json);
}

static void a_store_that_fails_is_reported(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    unsigned int exit;
    json_t *json;

    t->record_error = "disk full";
    command(c, "{\"command\":\"adopt\",\"provider\":\"main\",\"remote_id\":\"88\"}", "");
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_FAILED);
    assert_non_null(strstr(text_of(json, "error"), "disk full"));
    json_decref(json);
}

static const char *const usage_errors[] = {
    "{\"command\":\"adopt\",\"remote_id\":\"88\"}",
    "{\"command\":\"adopt\",\"provider\":\"main\"}",
    "{\"command\":\"adopt\",\"provider\":\"none\",\"remote_id\":\"88\"}",
    "{\"command\":\"adopt\",\"provider\":\"main\",\"remote_id\":\"8/../8\"}",
    "{\"command\":\"adopt\",\"provider\":\"main\",\"remote_id\":\"88\",\"endpoint\":\"x\"}",
    "{\"command\":\"adopt\",\"provider\":\"main\",\"remote_id\":\"88\",\"endpoint\":"
    "\"one-click/mv/{id}/edit\"}",
    "{\"command\":\"adopt\",\"provider\":\"main\",\"remote_id\":\"88\",\"endpoint\":"
    "\"audio-tts\"}",
    "{\"command\":\"adopt\",\"provider\":\"main\",\"remote_id\":\"88\",\"tags\":[]}",
};

static void what_makes_no_sense_is_refused(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    unsigned int exit;

    for (int i = 0; i < (int)ARRAY_LEN(usage_errors); i++) {
        command(c, usage_errors[i], "");
        json_decref(await_result(t, c, i, &exit));
        assert_int_equal(exit, EXIT_USAGE);
    }
    assert_int_equal(count(&t->keeper_in, MSG_REGISTER), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_adopted_task_is_registered_with_its_id),
        TEST(a_task_that_is_known_keeps_its_name),
        TEST(a_store_that_fails_is_reported),
        TEST(what_makes_no_sense_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
