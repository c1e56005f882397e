/* SPDX-License-Identifier: MIT */
#include "keeper/hooks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "task_fixture.h"

#define LIST(...)                                                                                  \
    {                                                                                              \
        .v = (char **)(const char *[]){__VA_ARGS__},                                               \
        .n = ARRAY_LEN(((const char *[]){__VA_ARGS__})),                                           \
    }

/* The context; both are the caller's. */
static json_t *read_lines(const char *text, json_t **action)
{
    const char *second = strchr(text, '\n') + 1;

    *action = json_loadb(text, (size_t)(second - 1 - text), 0, NULL);
    assert_non_null(*action);
    return json_loads(second, 0, NULL);
}

static void a_run_is_told_the_task_its_files_and_its_action(void **state)
{
    struct conf_hook h = {.name = (char *)"publish",
                          .action = ACTION_EXEC,
                          .exec = LIST("/bin/echo", "{file.path}"),
                          .timeout_ms = 60000};
    struct store_run run = {.row = 17, .attempt = 2, .trigger = "success"};
    struct store_task t = sample();
    struct hook_facts facts = {.task = &t, .files = "[{\"path\":\"/m/a.mp4\",\"kind\":\"video\"}]"};
    autofree char *lines = hook_run_text(&h, &run, &facts, NULL);
    json_t *action, *context = read_lines(lines, &action);
    const char *text;

    (void)state;
    assert_non_null(context);
    assert_int_equal(json_unpack(action, "{s:[s,s!]}", "argv", &text, &text), 0);
    assert_string_equal(text, "{file.path}");
    assert_int_equal(json_unpack(context, "{s:{s:s}}", "task", "prompt", &text), 0);
    assert_string_equal(text, "a \"boat\"");
    assert_int_equal(json_unpack(context, "{s:[{s:s}]}", "files", "path", &text), 0);
    assert_string_equal(text, "/m/a.mp4");
    assert_int_equal(json_unpack(context, "{s:[{s:s}]}", "result", "url", &text), 0);
    assert_string_equal(text, "https://m.example/a.mp4");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(context, "run"), "attempt")), 2);
    json_decref(action);
    json_decref(context);
}

static void a_run_of_no_task_is_told_what_happened(void **state)
{
    struct conf_hook h = {
        .name = (char *)"alarm", .action = ACTION_EXEC, .exec = LIST("/bin/echo")};
    struct store_run run = {.row = 18, .trigger = "dead", .details = "{\"run\":17}"};
    struct hook_facts facts = {.files = "[]", .earlier = json_pack("{s:i}", "exit_code", 3)};
    autofree char *lines = hook_run_text(&h, &run, &facts, NULL);
    json_t *action, *context = read_lines(lines, &action);
    int number = 0;

    (void)state;
    assert_null(json_object_get(context, "task"));
    assert_int_equal(json_unpack(context, "{s:{s:i}}", "details", "run", &number), 0);
    assert_int_equal(number, 17);
    assert_int_equal(json_unpack(context, "{s:{s:i}}", "after", "exit_code", &number), 0);
    assert_int_equal(number, 3);
    json_decref(action);
    json_decref(context);
    json_decref(facts.earlier);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_is_told_the_task_its_files_and_its_action),
        cmocka_unit_test(a_run_of_no_task_is_told_what_happened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
