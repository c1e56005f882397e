/* SPDX-License-Identifier: MIT */
#include "vidu/state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static enum task_state word(const char *text, bool *known)
{
    return state_from_word(slice_str(text), known);
}

static void words_of_all_providers_are_known(void **state)
{
    static const struct {
        enum task_state state;
        const char *words[12];
    } rows[] = {
        {STATE_QUEUED,
         {"created", "queueing", "queued", "queue", "pending", "submitted", "not_start",
          "preparation", "scheduling", "scheduled", "in_queue"}},
        {STATE_PROCESSING, {"processing", "in_progress", "running", "generating", "IN_PROGRESS"}},
        {STATE_SUCCESS,
         {"success", "succeed", "succeeded", "completed", "complete", "done", "finished", "ok",
          "SUCCESS", "Success"}},
        {STATE_FAILED,
         {"failed", "failure", "fail", "error", "expired", "timeout", "FAILED", "FAILURE"}},
        {STATE_CANCELLED, {"cancelled", "canceled", "usercancelled", "UserCancelled"}},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t k = 0; k < ARRAY_LEN(rows[i].words) && rows[i].words[k] != NULL; k++) {
            bool known = false;

            if (word(rows[i].words[k], &known) != rows[i].state || !known)
                fail_msg("%s", rows[i].words[k]);
        }
}

static void an_unknown_word_is_still_running(void **state)
{
    static const char *const words[] = {"", "moderating", "success ", "succes"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        bool known = true;

        assert_int_equal(word(words[i], &known), STATE_PROCESSING);
        assert_false(known);
    }
}

static void names_go_both_ways(void **state)
{
    enum task_state s = STATE_COUNT;

    (void)state;
    for (int i = 0; i < STATE_COUNT; i++) {
        assert_true(state_from_name(state_name((enum task_state)i), &s));
        assert_int_equal(s, i);
    }
    assert_false(state_from_name("succeeded", &s));
    assert_false(state_from_name("", &s));
    assert_false(state_from_name(NULL, &s));
    assert_string_equal(state_name(STATE_COUNT), "unknown");
    assert_string_equal(state_name((enum task_state) - 1), "unknown");
}

static void the_way_goes_forward_only(void **state)
{
    static const enum task_state way[] = {STATE_REGISTERED, STATE_SUBMITTED, STATE_QUEUED,
                                          STATE_PROCESSING, STATE_SUCCESS};

    (void)state;
    for (size_t from = 0; from < ARRAY_LEN(way); from++)
        for (size_t to = 0; to < ARRAY_LEN(way); to++)
            assert_int_equal(state_step(way[from], way[to]),
                             to > from ? STEP_ADVANCE : STEP_REPEAT);
}

static void the_first_final_state_wins(void **state)
{
    static const enum task_state final[] = {STATE_SUCCESS, STATE_FAILED, STATE_CANCELLED,
                                            STATE_REJECTED};

    (void)state;
    for (size_t a = 0; a < ARRAY_LEN(final); a++) {
        assert_true(state_is_final(final[a]));
        for (size_t b = 0; b < ARRAY_LEN(final); b++)
            assert_int_equal(state_step(final[a], final[b]), a == b ? STEP_REPEAT : STEP_CONFLICT);
        for (int to = 0; to < STATE_COUNT; to++)
            assert_int_not_equal(state_step(final[a], (enum task_state)to), STEP_ADVANCE);
    }
    assert_false(state_is_final(STATE_LOST));
    assert_false(state_is_final(STATE_AMBIGUOUS));
    assert_false(state_is_final(STATE_PROCESSING));
}

static void a_lost_answer_does_not_end_a_task(void **state)
{
    (void)state;
    assert_int_equal(state_step(STATE_REGISTERED, STATE_AMBIGUOUS), STEP_ADVANCE);
    assert_int_equal(state_step(STATE_AMBIGUOUS, STATE_PROCESSING), STEP_ADVANCE);
    assert_int_equal(state_step(STATE_AMBIGUOUS, STATE_SUCCESS), STEP_ADVANCE);
    /* The callback overtook the answer, and the answer never came. */
    assert_int_equal(state_step(STATE_PROCESSING, STATE_AMBIGUOUS), STEP_REPEAT);
    assert_int_equal(state_step(STATE_SUCCESS, STATE_AMBIGUOUS), STEP_REPEAT);
}

static void what_was_given_up_may_still_come(void **state)
{
    (void)state;
    assert_int_equal(state_step(STATE_PROCESSING, STATE_LOST), STEP_ADVANCE);
    assert_int_equal(state_step(STATE_AMBIGUOUS, STATE_LOST), STEP_ADVANCE);
    assert_int_equal(state_step(STATE_LOST, STATE_SUCCESS), STEP_ADVANCE);
    assert_int_equal(state_step(STATE_LOST, STATE_PROCESSING), STEP_ADVANCE);
    assert_int_equal(state_step(STATE_SUCCESS, STATE_LOST), STEP_REPEAT);
}

static void a_refusal_and_a_sign_of_life_contradict(void **state)
{
    (void)state;
    assert_int_equal(state_step(STATE_REGISTERED, STATE_REJECTED), STEP_ADVANCE);
    assert_int_equal(state_step(STATE_PROCESSING, STATE_REJECTED), STEP_CONFLICT);
    assert_int_equal(state_step(STATE_REJECTED, STATE_PROCESSING), STEP_CONFLICT);
    assert_int_equal(state_step(STATE_REJECTED, STATE_SUCCESS), STEP_CONFLICT);
}

static void a_number_that_is_no_state_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(state_step(STATE_COUNT, STATE_SUCCESS), STEP_CONFLICT);
    assert_int_equal(state_step(STATE_REGISTERED, (enum task_state) - 1), STEP_CONFLICT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_all_providers_are_known),
        cmocka_unit_test(an_unknown_word_is_still_running),
        cmocka_unit_test(names_go_both_ways),
        cmocka_unit_test(the_way_goes_forward_only),
        cmocka_unit_test(the_first_final_state_wins),
        cmocka_unit_test(a_lost_answer_does_not_end_a_task),
        cmocka_unit_test(what_was_given_up_may_still_come),
        cmocka_unit_test(a_refusal_and_a_sign_of_life_contradict),
        cmocka_unit_test(a_number_that_is_no_state_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
