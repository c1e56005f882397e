/* SPDX-License-Identifier: MIT */
#include "wire/channel.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int fd[2];

static int open_pair(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd);
}

static int close_pair(void **state)
{
    (void)state;
    close(fd[0]);
    if (fd[1] >= 0)
        close(fd[1]);
    return 0;
}

static void a_message_goes_across(void **state)
{
    struct msg_recorded m = {SLICE_LIT("t123"), SLICE_LIT("disk full"), SLICE_LIT("")}, got;
    struct frame f;
    autofree char *memory = NULL;

    (void)state;
    assert_int_equal(channel_write_blocking(fd[0], MSG_RECORDED, 42, &m), 0);
    assert_int_equal(channel_read_blocking(fd[1], FRAME_MAX, 1000, &f, &memory), 0);
    assert_int_equal(f.id, 42);
    assert_int_equal(message_read(&f, &got), 0);
    assert_string_equal(got.task.p, "t123");
    assert_string_equal(got.error.p, "disk full");
}

static void silence_times_out_also_inside_a_frame(void **state)
{
    struct frame f;
    char *memory = NULL;
    uint8_t head[FRAME_HEAD];

    (void)state;
    assert_int_equal(channel_read_blocking(fd[1], FRAME_MAX, 10, &f, &memory), -ETIMEDOUT);
    frame_write_head(head, MSG_PING, 1, 8);
    assert_int_equal(write(fd[0], head, sizeof(head)), sizeof(head));
    assert_int_equal(channel_read_blocking(fd[1], FRAME_MAX, 10, &f, &memory), -ETIMEDOUT);
    assert_null(memory);
}

static void a_closed_end_is_a_broken_pipe(void **state)
{
    struct msg_ping ping = {1};
    struct frame f;
    char *memory = NULL;

    (void)state;
    close(fd[1]);
    fd[1] = -1;
    assert_int_equal(channel_read_blocking(fd[0], FRAME_MAX, 1000, &f, &memory), -EPIPE);
    assert_int_equal(channel_write_blocking(fd[0], MSG_PING, 1, &ping), -EPIPE);
}

static void a_frame_over_the_limit_is_refused_before_it_is_read(void **state)
{
    struct frame f;
    char *memory = NULL;
    uint8_t head[FRAME_HEAD];

    (void)state;
    frame_write_head(head, MSG_PING, 1, 101);
    assert_int_equal(write(fd[0], head, sizeof(head)), sizeof(head));
    assert_int_equal(channel_read_blocking(fd[1], 100, 1000, &f, &memory), -EPROTO);
}

static void a_large_message_waits_for_its_reader(void **state)
{
    struct msg_command m = {7, SLICE_LIT("{}"), {NULL, 4 << 20}}, got;
    char *blob = mem_calloc(m.blob.n, 1);
    struct frame f;
    char *memory = NULL;
    pid_t child;
    int status;

    (void)state;
    m.blob.p = blob;
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(channel_write_blocking(fd[0], MSG_COMMAND, 1, &m) == 0 ? 0 : 1);
    assert_int_equal(channel_read_blocking(fd[1], FRAME_MAX, 10000, &f, &memory), 0);
    assert_int_equal(message_read(&f, &got), 0);
    assert_int_equal(got.blob.n, 4 << 20);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    free(memory);
    free(blob);
}

static void an_oversized_message_is_not_begun(void **state)
{
    char *text = mem_calloc(70000, 1);
    struct msg_ready m = {{text, 70000}};
    char c;

    (void)state;
    assert_int_equal(channel_write_blocking(fd[0], MSG_READY, 1, &m), -EMSGSIZE);
    assert_int_equal(recv(fd[1], &c, 1, MSG_DONTWAIT), -1);
    free(text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_pair, close_pair)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_goes_across),
        TEST(silence_times_out_also_inside_a_frame),
        TEST(a_closed_end_is_a_broken_pipe),
        TEST(a_frame_over_the_limit_is_refused_before_it_is_read),
        TEST(a_large_message_waits_for_its_reader),
        TEST(an_oversized_message_is_not_begun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
