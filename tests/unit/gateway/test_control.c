/* SPDX-License-Identifier: MIT */
#include "gateway/control.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gateway_fixture.h"

static void send_result(struct fixture *t, uint64_t id, uint32_t more, const char *json)
{
    struct msg_result msg = {.more = more, .json = slice_str(json)};

    assert_int_equal(channel_send(t->keeper, MSG_RESULT, id, &msg), 0);
}

static void send_event(struct fixture *t, const char *task, const char *json)
{
    struct msg_event msg = {slice_str(task), slice_str(json)};

    assert_int_equal(channel_send(t->keeper, MSG_EVENT, 0, &msg), 0);
}

static void await_watchers(struct fixture *t, uint32_t n)
{
    struct msg_subscribe msg = {~0U};
    int which = count(&t->keeper_in, MSG_SUBSCRIBE);

    if (which > 0)
        assert_int_equal(message_read(find_frame(&t->keeper_in, MSG_SUBSCRIBE, which - 1), &msg),
                         0);
    while (msg.watchers != n)
        await(t, &t->keeper_in, MSG_SUBSCRIBE, which++, &msg);
}

static void a_client_is_greeted_with_version_and_providers(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_hello hello;
    json_t *json;

    await(t, &c->in, MSG_HELLO, 0, &hello);
    assert_int_equal(hello.version, WIRE_VERSION);
    json = json_loadb(hello.json.p, hello.json.n, 0, NULL);
    assert_non_null(json);
    assert_string_equal(text_of(json, "version"), PACKAGE_VERSION);
    assert_int_equal(json_integer_value(json_object_get(json, "pid")), getppid());
    assert_string_equal(json_string_value(json_array_get(json_object_get(json, "providers"), 1)),
                        "octo");
    assert_null(memmem(hello.json.p, hello.json.n, "secret", 6));
    json_decref(json);
}

static void a_command_is_forwarded_with_the_real_uid(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_command msg;
    unsigned int exit;
    json_t *json;
    const struct frame *f;

    command(c, "{\"command\":\"list\",\"limit\":3}", "blob");
    f = await(t, &t->keeper_in, MSG_COMMAND, 0, &msg);
    assert_int_equal(msg.uid, getuid());
    assert_string_equal(msg.json.p, "{\"command\":\"list\",\"limit\":3}");
    assert_string_equal(msg.blob.p, "blob");
    send_result(t, f->id, 0, "{\"tasks\":[]}");
    json = await_result(t, c, 0, &exit);
    assert_int_equal(find_frame(&c->in, MSG_RESULT, 0)->id, c->last_id);
    assert_true(json_is_array(json_object_get(json, "tasks")));
    json_decref(json);
}

static void answers_find_the_client_that_asked(void **state)
{
    struct fixture *t = *state;
    struct test_client *a = new_client(t);
    struct test_client *b = new_client(t);
    struct msg_command msg;
    unsigned int exit;
    json_t *json;
    uint64_t first;

    command(a, "{\"command\":\"show\",\"task\":\"ta\"}", "");
    first = await(t, &t->keeper_in, MSG_COMMAND, 0, &msg)->id;
    command(b, "{\"command\":\"show\",\"task\":\"tb\"}", "");
    send_result(t, await(t, &t->keeper_in, MSG_COMMAND, 1, &msg)->id, 0, "{\"x\":\"for b\"}");
    send_result(t, first, 0, "{\"x\":\"for a\"}");
    json = await_result(t, a, 0, &exit);
    assert_string_equal(text_of(json, "x"), "for a");
    json_decref(json);
    json = await_result(t, b, 0, &exit);
    assert_string_equal(text_of(json, "x"), "for b");
    json_decref(json);
}

static void an_answer_in_parts_arrives_in_parts(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_command msg;
    struct msg_result result;
    uint64_t id;

    command(c, "{\"command\":\"list\"}", "");
    id = await(t, &t->keeper_in, MSG_COMMAND, 0, &msg)->id;
    send_result(t, id, 1, "{\"n\":1}");
    send_result(t, id, 1, "{\"n\":2}");
    send_result(t, id, 0, "{\"n\":3}");
    send_result(t, id, 0, "{\"n\":4}"); /* nobody asked */
    await(t, &c->in, MSG_RESULT, 2, &result);
    assert_string_equal(result.json.p, "{\"n\":3}");
    turn(t);
    turn(t);
    assert_int_equal(count(&c->in, MSG_RESULT), 3);
}

static void a_silent_keeper_is_named_after_the_deadline(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_command msg;
    unsigned int exit;
    json_t *json;

    clock_freeze(1000, 1000);
    command(c, "{\"command\":\"list\"}", "");
    await(t, &t->keeper_in, MSG_COMMAND, 0, &msg);
    clock_freeze(1000 + QUESTION_DEADLINE_MS, 1000);
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_TIMED_OUT);
    assert_non_null(strstr(text_of(json, "error"), "30 seconds"));
    json_decref(json);
}

static void a_client_that_leaves_drops_its_questions(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct test_client *other;
    struct msg_command msg;
    uint64_t id;
    unsigned int exit;
    json_t *json;

    command(c, "{\"command\":\"list\"}", "");
    id = await(t, &t->keeper_in, MSG_COMMAND, 0, &msg)->id;
    leave_client(c);
    while (control_clients(t->g->control) != 0)
        turn(t);
    assert_int_equal(questions_open(t->g->questions), 0);
    send_result(t, id, 0, "{}");
    other = new_client(t);
    command(other, "{\"command\":\"status\"}", "");
    id = await(t, &t->keeper_in, MSG_COMMAND, 1, &msg)->id;
    send_result(t, id, 0, "{\"x\":\"y\"}");
    json = await_result(t, other, 0, &exit);
    assert_string_equal(text_of(json, "x"), "y");
    json_decref(json);
}

static void nonsense_is_answered_or_ends_the_connection(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct test_client *liar = new_client(t);
    unsigned int exit;
    json_t *json;

    command(c, "{\"command\":", "");
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_USAGE);
    json_decref(json);
    assert_int_equal(channel_send(liar->ch, MSG_REGISTER, 1, &(struct msg_register){0}), 0);
    until(t, &liar->in.closed, 1);
    assert_int_equal(count(&t->keeper_in, MSG_REGISTER), 0);
    assert_int_equal(count(&t->keeper_in, MSG_COMMAND), 0);
}

static void only_so_many_questions_at_once(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    unsigned int exit;
    json_t *json;

    for (int i = 0; i <= CONTROL_MAX_QUESTIONS; i++)
        command(c, "{\"command\":\"list\"}", "");
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_FAILED);
    assert_int_equal(find_frame(&c->in, MSG_RESULT, 0)->id, CONTROL_MAX_QUESTIONS + 1);
    assert_int_equal(count(&t->keeper_in, MSG_COMMAND), CONTROL_MAX_QUESTIONS);
    json_decref(json);
}

static void an_answered_question_makes_room_for_another(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_command msg;
    unsigned int exit;

    for (int i = 0; i < 2 * CONTROL_MAX_QUESTIONS; i++) {
        command(c, "{\"command\":\"list\"}", "");
        send_result(t, await(t, &t->keeper_in, MSG_COMMAND, i, &msg)->id, 0, "{}");
        json_decref(await_result(t, c, i, &exit));
        assert_int_equal(exit, EXIT_OK);
    }
}

static void watchers_get_the_events_they_asked_for(void **state)
{
    struct fixture *t = *state;
    struct test_client *all = new_client(t);
    struct test_client *one = new_client(t);
    struct test_client *none = new_client(t);
    struct msg_result begun;
    struct msg_event event;

    command(all, "{\"command\":\"watch\"}", "");
    command(one, "{\"command\":\"watch\",\"task\":\"tbbbbbbbbbbbb\"}", "");
    await(t, &all->in, MSG_RESULT, 0, &begun);
    assert_true(begun.more == 1 && begun.exit == EXIT_OK);
    await(t, &one->in, MSG_RESULT, 0, &begun);
    await_watchers(t, 2);
    send_event(t, "taaaaaaaaaaaa", "{\"n\":1}");
    send_event(t, "tbbbbbbbbbbbb", "{\"n\":2}");
    await(t, &all->in, MSG_EVENT, 1, &event);
    assert_string_equal(event.json.p, "{\"n\":2}");
    await(t, &one->in, MSG_EVENT, 0, &event);
    assert_string_equal(event.json.p, "{\"n\":2}");
    assert_int_equal(count(&one->in, MSG_EVENT), 1);
    assert_int_equal(count(&none->in, MSG_EVENT), 0);
}

static void the_keeper_knows_whether_anybody_watches(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);

    await_watchers(t, 0);
    command(c, "{\"command\":\"watch\"}", "");
    await_watchers(t, 1);
    leave_client(c);
    await_watchers(t, 0);
}

static void a_watch_of_no_task_is_refused(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    unsigned int exit;
    json_t *json;

    command(c, "{\"command\":\"watch\",\"task\":\"*\"}", "");
    json = await_result(t, c, 0, &exit);
    assert_int_equal(exit, EXIT_USAGE);
    assert_int_equal(control_watchers(t->g->control), 0);
    json_decref(json);
}

/* It would have taken the place of the first one, without a word. */
static void a_second_watch_of_one_connection_is_refused(void **state)
{
    struct fixture *t = *state;
    struct test_client *c = new_client(t);
    struct msg_event event;
    unsigned int exit;

    command(c, "{\"command\":\"watch\",\"task\":\"taaaaaaaaaaaa\"}", "");
    await_watchers(t, 1);
    command(c, "{\"command\":\"watch\",\"task\":\"tbbbbbbbbbbbb\"}", "");
    json_decref(await_result(t, c, 1, &exit));
    assert_int_equal(exit, EXIT_USAGE);
    send_event(t, "taaaaaaaaaaaa", "{\"n\":1}");
    await(t, &c->in, MSG_EVENT, 0, &event);
}

static void a_watcher_that_does_not_read_is_dropped(void **state)
{
    struct fixture *t = *state;
    struct test_client *good = new_client(t);
    int lazy = connect_control(t);
    struct msg_command watch = {0, SLICE_LIT("{\"command\":\"watch\"}"), {NULL, 0}};
    autofree char *json = mem_calloc(100002, 1);

    memset(json, ' ', 100000);
    memcpy(json, "{}", 2);
    command(good, "{\"command\":\"watch\"}", "");
    assert_int_equal(channel_write_blocking(lazy, MSG_COMMAND, 1, &watch), 0);
    await_watchers(t, 2);
    for (int i = 0; i < 20; i++) {
        send_event(t, "t1", json);
        while (count(&good->in, MSG_EVENT) <= i)
            turn(t);
    }
    await_watchers(t, 1);
    assert_int_equal(control_clients(t->g->control), 1);
    close(lazy);
}

static void say_output(struct fixture *t, uint64_t at, const char *text)
{
    struct msg_output msg = {.run = 7, .attempt = 1, .at = at, .text = slice_str(text)};

    channel_send(t->keeper, MSG_OUTPUT, 0, &msg);
}

static void the_keeper_knows_which_runs_are_followed(void **state)
{
    struct fixture *t = *state;
    struct test_client *one = new_client(t);
    struct test_client *other = new_client(t);
    struct msg_follow follow;
    struct msg_event event;

    command(one, "{\"command\":\"watch\",\"task\":\"taa\",\"run\":7}", "");
    await(t, &t->keeper_in, MSG_FOLLOW, 0, &follow);
    assert_true(follow.run == 7 && follow.followers == 1);
    command(other, "{\"command\":\"watch\",\"task\":\"taa\",\"run\":8}", "");
    await(t, &t->keeper_in, MSG_FOLLOW, 1, &follow);
    assert_true(follow.run == 8 && follow.followers == 1);
    say_output(t, 3, "hi \"you\"\n");
    await(t, &one->in, MSG_EVENT, 0, &event);
    assert_string_equal(event.json.p, "{\"event\":\"output\",\"run\":7,\"attempt\":1,\"at\":3,"
                                      "\"text\":\"hi \\\"you\\\"\\n\"}");
    leave_client(one);
    await(t, &t->keeper_in, MSG_FOLLOW, 2, &follow);
    assert_true(follow.run == 7 && follow.followers == 0);
    assert_int_equal(count(&other->in, MSG_EVENT), 0);
}

/* Its frames end with a NUL behind the text. */
static bool ends_with(const struct buf *b, const char *text, size_t behind)
{
    size_t n = strlen(text);

    return b->len >= n + behind && memcmp(buf_text(b) + b->len - behind - n, text, n) == 0;
}

/* Everything is sent before the client reads; what it gets then has a gap, and the end. */
static void a_slow_follower_misses_output_and_learns_where_it_ended(void **state)
{
    static const char watch_run[] = "{\"command\":\"watch\",\"task\":\"taa\",\"run\":7}";
    struct fixture *t = *state;
    int lazy = connect_control(t);
    struct msg_command watch = {0, {watch_run, sizeof(watch_run) - 1}, {NULL, 0}};
    autofree char *text = mem_calloc(30001, 1);
    struct msg_follow follow;
    struct msg_pong pong;
    autobuf struct buf got = BUF_INIT(4U << 20);
    int pieces = 0;

    memset(text, 'x', 30000);
    assert_int_equal(channel_write_blocking(lazy, MSG_COMMAND, 1, &watch), 0);
    await(t, &t->keeper_in, MSG_FOLLOW, 0, &follow);
    for (int i = 0; i < 100; i++)
        say_output(t, (uint64_t)i * 30000, text);
    say_output(t, 3000000, "");
    channel_send(t->keeper, MSG_PING, 1, &(struct msg_ping){1});
    await(t, &t->keeper_in, MSG_PONG, 0, &pong);
    assert_int_equal(control_clients(t->g->control), 1);
    for (int64_t until = clock_mono_ms() + 10000;
         !ends_with(&got, "\"at\":3000000,\"text\":\"\"}", 1);) {
        assert_true(clock_mono_ms() < until);
        char chunk[1 << 14];
        ssize_t n = recv(lazy, chunk, sizeof(chunk), MSG_DONTWAIT);

        assert_true(n != 0);
        if (n > 0)
            buf_add(&got, chunk, (size_t)n);
        else
            turn(t);
    }
    for (size_t i = 0; i + 8 < got.len; i++)
        pieces += memcmp(buf_text(&got) + i, "\"output\"", 8) == 0;
    assert_true(pieces > 1 && pieces < 100);
    close(lazy);
}

static void at_most_64_clients_and_the_next_one_waits(void **state)
{
    struct fixture *t = *state;
    struct test_client *last;
    struct msg_hello hello;

    for (int i = 0; i < CONTROL_MAX_CLIENTS; i++)
        await(t, &new_client(t)->in, MSG_HELLO, 0, &hello);
    last = new_client(t);
    for (int i = 0; i < 50; i++)
        turn(t);
    assert_int_equal(last->in.n, 0);
    assert_int_equal(control_clients(t->g->control), CONTROL_MAX_CLIENTS);
    leave_client(&t->clients[0]);
    await(t, &last->in, MSG_HELLO, 0, &hello);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_client_is_greeted_with_version_and_providers),
        TEST(a_command_is_forwarded_with_the_real_uid),
        TEST(answers_find_the_client_that_asked),
        TEST(an_answer_in_parts_arrives_in_parts),
        TEST(a_silent_keeper_is_named_after_the_deadline),
        TEST(a_client_that_leaves_drops_its_questions),
        TEST(nonsense_is_answered_or_ends_the_connection),
        TEST(only_so_many_questions_at_once),
        TEST(an_answered_question_makes_room_for_another),
        TEST(watchers_get_the_events_they_asked_for),
        TEST(the_keeper_knows_whether_anybody_watches),
        TEST(a_watch_of_no_task_is_refused),
        TEST(a_second_watch_of_one_connection_is_refused),
        TEST(a_watcher_that_does_not_read_is_dropped),
        TEST(the_keeper_knows_which_runs_are_followed),
        TEST(a_slow_follower_misses_output_and_learns_where_it_ended),
        TEST(at_most_64_clients_and_the_next_one_waits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
