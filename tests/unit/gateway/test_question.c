/* SPDX-License-Identifier: MIT */
#include "gateway/question.h"

#include "base/clock.h"

#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include <cmocka.h>

struct asked {
    struct event_base *base;
    struct channel *ch, *far;
    struct questions *qs;
    int answers, expired;
    bool more;
    struct asker asker;
};

static void ignore_frame(struct channel *ch, const struct frame *f, void *ctx)
{
    (void)ch;
    (void)f;
    (void)ctx;
}

static void ignore_close(struct channel *ch, const char *why, void *ctx)
{
    (void)ch;
    (void)why;
    (void)ctx;
}

static const struct channel_ops ops = {ignore_frame, ignore_close};

static int open_questions(void **state)
{
    struct asked *a = mem_calloc(1, sizeof(*a));
    int pair[2];

    *state = a;
    a->base = event_base_new();
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    a->ch = channel_new(a->base, pair[0], FRAME_MAX, &ops, a);
    a->far = channel_new(a->base, pair[1], FRAME_MAX, &ops, a);
    a->qs = questions_new(a->ch);
    clock_freeze(1000, 1000);
    return 0;
}

static int close_questions(void **state)
{
    struct asked *a = *state;

    clock_freeze(-1, -1);
    questions_free(a->qs);
    channel_free(a->ch);
    channel_free(a->far);
    event_base_free(a->base);
    free(a);
    return 0;
}

static bool on_answer(const struct frame *f, struct asker asker, void *ctx)
{
    struct asked *a = ctx;

    a->answers += f != NULL;
    a->expired += f == NULL;
    a->asker = asker;
    return a->more;
}

/* The ids count from 1. */
static void ask(struct asked *a, struct asker asker)
{
    struct msg_command msg = {.uid = 0};

    assert_int_equal(question_ask(a->qs, MSG_COMMAND, &msg, MSG_RESULT, asker, on_answer, a), 0);
}

static void answer(struct asked *a, uint64_t id)
{
    questions_answer(a->qs, &(struct frame){.type = MSG_RESULT, .id = id});
}

static void an_answer_comes_once_and_knows_who_asked(void **state)
{
    struct asked *a = *state;

    ask(a, (struct asker){5, 6});
    ask(a, (struct asker){7, 8});
    answer(a, 2);
    assert_int_equal(a->answers, 1);
    assert_true(a->asker.client == 7 && a->asker.id == 8);
    answer(a, 2);
    answer(a, 3);
    assert_int_equal(a->answers, 1);
    answer(a, 1);
    assert_int_equal(a->answers, 2);
    assert_int_equal(questions_open(a->qs), 0);
}

static void an_answer_of_another_type_is_none(void **state)
{
    struct asked *a = *state;

    ask(a, (struct asker){5, 6});
    questions_answer(a->qs, &(struct frame){.type = MSG_RECORDED, .id = 1});
    assert_int_equal(a->answers, 0);
    answer(a, 1);
    assert_int_equal(a->answers, 1);
}

static void without_an_answer_it_expires_once(void **state)
{
    struct asked *a = *state;

    ask(a, (struct asker){5, 6});
    clock_freeze(1000 + QUESTION_DEADLINE_MS - 1, 0);
    questions_expire(a->qs);
    assert_int_equal(a->expired, 0);
    clock_freeze(1000 + QUESTION_DEADLINE_MS, 0);
    questions_expire(a->qs);
    questions_expire(a->qs);
    assert_int_equal(a->expired, 1);
    answer(a, 1);
    assert_int_equal(a->answers, 0);
}

static void each_part_of_an_answer_renews_the_deadline(void **state)
{
    struct asked *a = *state;

    ask(a, (struct asker){5, 6});
    ask(a, (struct asker){7, 8});
    a->more = true;
    clock_freeze(1000 + QUESTION_DEADLINE_MS - 1, 0);
    answer(a, 1);
    clock_freeze(1000 + QUESTION_DEADLINE_MS, 0);
    questions_expire(a->qs);
    assert_true(a->expired == 1 && a->asker.client == 7);
    a->more = false;
    answer(a, 1);
    assert_int_equal(a->answers, 2);
}

static void questions_of_a_client_are_forgotten_with_it(void **state)
{
    struct asked *a = *state;

    ask(a, (struct asker){5, 1});
    ask(a, (struct asker){7, 1});
    ask(a, (struct asker){5, 2});
    assert_int_equal(questions_open(a->qs), 3);
    questions_drop(a->qs, 5);
    assert_int_equal(questions_open(a->qs), 1);
    answer(a, 1);
    answer(a, 3);
    assert_int_equal(a->answers, 0);
    answer(a, 2);
    assert_int_equal(a->answers, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_questions, close_questions)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_comes_once_and_knows_who_asked),
        TEST(an_answer_of_another_type_is_none),
        TEST(without_an_answer_it_expires_once),
        TEST(each_part_of_an_answer_renews_the_deadline),
        TEST(questions_of_a_client_are_forgotten_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
