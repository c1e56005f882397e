/* SPDX-License-Identifier: MIT */
#include "keeper/describe.h"

#include "keeper/handout.h"
#include "task_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

/* A task with so many files. */
static int n_files;

static int file_list(struct store *s, int64_t task, store_on_file *fn, void *ctx)
{
    (void)s;
    for (int i = 0; i < n_files; i++)
        fn(&(struct store_file){.task = task,
                                .run = 1,
                                .path = "/srv/media/vidu/2026-11-29 a paper boat on a lake.mp4",
                                .kind = "video",
                                .sha256 = "",
                                .bytes = 1},
           ctx);
    return 0;
}

static int task_by_row(struct store *s, int64_t row, struct store_task *out)
{
    (void)s;
    (void)row;
    *out = sample();
    return 0;
}

static int event_by_row(struct store *s, int64_t row, store_on_event *fn, void *ctx)
{
    (void)s;
    fn(&(struct store_event){.row = row, .source = SOURCE_CALLBACK, .body = SLICE_LIT("[]")}, ctx);
    return 0;
}

static int event_list(struct store *s, int64_t task, store_on_event *fn, void *ctx)
{
    size_t n = 9U << 20;
    autofree char *body = mem_calloc(n, 1);

    (void)s;
    (void)task;
    fn(
        &(struct store_event){
            .row = 5, .source = SOURCE_CALLBACK, .verdict = "accepted", .body = {body, n}},
        ctx);
    return 0;
}

static const struct store_ops ops = {.file_list = file_list,
                                     .task_by_row = task_by_row,
                                     .event_by_row = event_by_row,
                                     .event_list = event_list};

static void a_task_may_have_many_files(void **state)
{
    struct store store = {.ops = &ops};
    struct keeper k = {.store = &store};
    struct conf_hook h = {.name = (char *)"h", .action = ACTION_EXEC};
    struct store_run run = {.row = 2, .task = 1, .hook = "h", .trigger = "success"};
    autofree char *text = NULL;
    const char *why = NULL;
    json_t *context;
    struct err err;

    (void)state;
    n_files = 2000;
    assert_int_equal(describe_run(&k, &h, &run, &text, &why, &err), 0);
    assert_non_null(text);
    assert_null(why);
    context = json_loads(strchr(text, '\n') + 1, 0, NULL);
    assert_int_equal(json_array_size(json_object_get(context, "files")), 2000);
    json_decref(context);
}

/* An error would spoil every batch, and the run would be claimed again in the next. */
static void what_is_not_understood_any_more_is_no_error_of_the_store(void **state)
{
    struct store store = {.ops = &ops};
    struct keeper k = {.store = &store};
    struct conf_hook h = {.name = (char *)"h", .action = ACTION_EXEC};
    struct store_run run = {.row = 2, .task = 1, .hook = "h", .trigger = "success", .event = 5};
    autofree char *text = NULL;
    const char *why = NULL;
    struct err err;

    (void)state;
    n_files = 0;
    assert_int_equal(describe_run(&k, &h, &run, &text, &why, &err), 0);
    assert_null(text);
    assert_non_null(why);
}

static void what_is_sent_as_it_came_is_whole(void **state)
{
    struct store store = {.ops = &ops};
    struct keeper k = {.store = &store};
    struct conf_hook h = {.name = (char *)"h", .action = ACTION_HTTP, .http.format = FORMAT_RAW};
    struct store_run run = {.row = 2, .task = 1, .hook = "h", .trigger = "success"};
    json_t *more = handout_more(&k, &h, &run);

    (void)state;
    assert_int_equal(json_string_length(json_object_get(more, "raw")), 12U << 20);
    json_decref(more);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_may_have_many_files),
        cmocka_unit_test(what_is_sent_as_it_came_is_whole),
        cmocka_unit_test(what_is_not_understood_any_more_is_no_error_of_the_store),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
