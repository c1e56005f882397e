/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/clock.h"
#include "base/fs.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* stderr into a pipe while fn writes; what came out. */
static char *captured(void (*fn)(void))
{
    char *text = NULL;
    int saved = dup(STDERR_FILENO);
    int pipe_fds[2];
    size_t n;

    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    dup2(pipe_fds[1], STDERR_FILENO);
    fn();
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(pipe_fds[1]);
    assert_int_equal(fs_read_fd(pipe_fds[0], 1U << 20, &text, &n), 0);
    close(pipe_fds[0]);
    return text;
}

static void write_hostile(void)
{
    log_open("keeper", false, LOG_LEVEL_INFO);
    log_info("callback.accepted", LOG_S("task", "t1"), LOG_I("bytes", -5),
             LOG_S("why", "a\nforged=line\x1b[2J\xc2\x9b \"q\\"), LOG_S("none", NULL));
    log_debug("never", LOG_S("shown", "x"));
}

static void foreign_bytes_cannot_forge_a_line(void **state)
{
    autofree char *text = NULL;

    (void)state;
    clock_freeze(1, 1746533382123);
    text = captured(write_hostile);
    clock_freeze(-1, -1);
    assert_string_equal(text, "2025-05-06T12:09:42.123Z info callback.accepted room=keeper task=t1 "
                              "bytes=-5 why=\"a\\x0aforged=line\\x1b[2J\\xc2\\x9b \\\"q\\\\\" "
                              "none=-\n");
}

static void write_json(void)
{
    log_open("receiver 1", true, LOG_LEVEL_INFO);
    log_warn("x.y", LOG_S("k", "a\"\n"), LOG_I("n", 3));
}

static void json_lines_are_json(void **state)
{
    autofree char *text = NULL;

    (void)state;
    clock_freeze(1, 1746533382123);
    text = captured(write_json);
    clock_freeze(-1, -1);
    assert_string_equal(text, "{\"time\":\"2025-05-06T12:09:42.123Z\",\"level\":\"warn\",\"event\":"
                              "\"x.y\",\"room\":\"receiver 1\",\"k\":\"a\\\"\\n\",\"n\":3}\n");
}

static void write_many(void)
{
    log_open("", false, LOG_LEVEL_INFO);
    clock_freeze(1000000, 1746533382123);
    for (int i = 0; i < 100; i++)
        log_error("disk.error", LOG_I("i", i));
    clock_freeze(1020000, 1746533402123);
    log_error("disk.error", LOG_I("i", 100));
    clock_freeze(-1, -1);
}

static void repeating_errors_are_limited_and_counted(void **state)
{
    autofree char *text = NULL;
    size_t lines = 0;

    (void)state;
    text = captured(write_many);
    for (const char *at = text; (at = strchr(at, '\n')) != NULL; at++)
        lines++;
    assert_int_equal(lines, 11);
    assert_non_null(strstr(text, "i=100 left_out=90\n"));
}

static void write_long(void)
{
    static char big[8000];

    memset(big, 'x', sizeof(big) - 1);
    log_open("", false, LOG_LEVEL_INFO);
    log_info("a", LOG_S("one", big), LOG_S("two", big), LOG_S("three", big), LOG_S("four", big),
             LOG_S("five", big));
}

static void a_line_is_never_longer_than_a_pipe_takes_at_once(void **state)
{
    autofree char *text = NULL;

    (void)state;
    text = captured(write_long);
    assert_true(strlen(text) <= 4096);
    assert_true(str_ends(text, "x\n"));
    assert_non_null(strstr(text, "three="));
    assert_null(strstr(text, "five="));
}

static void fill_and_write(void)
{
    char block[4096] = {0};

    fs_set_nonblock(STDERR_FILENO);
    while (write(STDERR_FILENO, block, sizeof(block)) > 0)
        continue;
    log_open("", false, LOG_LEVEL_INFO);
    log_info("does.not.block");
}

static void a_full_pipe_does_not_block(void **state)
{
    autofree char *text = NULL;

    (void)state;
    text = captured(fill_and_write);
    assert_int_equal(text[0], 0); /* came back at all, and nothing was squeezed in */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(foreign_bytes_cannot_forge_a_line),
        cmocka_unit_test(json_lines_are_json),
        cmocka_unit_test(repeating_errors_are_limited_and_counted),
        cmocka_unit_test(a_line_is_never_longer_than_a_pipe_takes_at_once),
        cmocka_unit_test(a_full_pipe_does_not_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
