/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/fs.h"
#include "runner/runner.h"
#include "tests/unit/http/file_server.h"
#include "wire/channel.h"
#include "wire/hello.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cmocka.h>

/* The room in a process of its own; this one plays the keeper. */
struct bench {
    struct file_server server;
    pid_t room;
    int fd;
    struct frame frame;
    char *memory;
    char dir[64];
};

static struct bench b;

static void say(enum message_type type, uint64_t id, const void *msg)
{
    assert_int_equal(channel_write_blocking(b.fd, type, id, msg), 0);
}

static void hear(enum message_type type, uint64_t id, void *msg)
{
    free(b.memory);
    b.memory = NULL;
    assert_int_equal(channel_read_blocking(b.fd, FRAME_MAX, 15000, &b.frame, &b.memory), 0);
    if (b.frame.type != type)
        fail_msg("%s instead of %s", message_name(b.frame.type), message_name(type));
    assert_int_equal(b.frame.id, id);
    assert_int_equal(message_read(&b.frame, msg), 0);
}

static void hello(const char *allow, int runs)
{
    struct hello_runner h = {
        .log = {.level = 3}, .n_allow = 1, .keep_free = 0, .output = 65536, .runs = runs};
    struct msg_hello msg = {.version = WIRE_VERSION};
    autofree char *json = NULL;

    h.allow[0] = (char *)allow;
    json = hello_runner_write(&h);
    msg.json = slice_str(json);
    say(MSG_HELLO, 1, &msg);
}

static void greet(void)
{
    autofree char *rule = mem_printf("127.0.0.1:%d", b.server.port);
    struct msg_ready ready;

    hello(rule, 4);
    hear(MSG_READY, 1, &ready);
    assert_int_equal(ready.error.n, 0);
}

static void say_run(uint64_t run, const char *action, const char *result)
{
    autofree char *json = mem_printf(
        "%s\n{\"event\":\"success\",\"run\":{\"id\":%llu,\"attempt\":2},"
        "\"task\":{\"id\":\"t3k9\",\"prompt\":\"A cat\",\"created_at\":\"2026-11-20T17:05:27Z\"},"
        "\"result\":%s,\"files\":[]}",
        action, (unsigned long long)run, result);
    struct msg_run msg = {.run = run, .attempt = 2, .text = slice_str(json)};

    say(MSG_RUN, run + 100, &msg);
}

static void say_shell(uint64_t run, const char *script)
{
    autofree char *action =
        mem_printf("{\"kind\":\"exec\",\"argv\":[\"/bin/sh\",\"-c\",\"%s\"]}", script);

    say_run(run, action, "[]");
}

static struct msg_done hear_done(uint64_t run)
{
    struct msg_done done;

    hear(MSG_DONE, run + 100, &done);
    assert_int_equal(done.run, run);
    assert_int_equal(done.attempt, 2);
    return done;
}

/* The exit status of the room, which has to end by itself. */
static int wait_room(void)
{
    int64_t until_ms = clock_mono_ms() + 15000;
    int status = 0;

    while (waitpid(b.room, &status, WNOHANG) == 0) {
        if (clock_mono_ms() > until_ms) {
            kill(b.room, SIGKILL);
            waitpid(b.room, &status, 0);
        }
        usleep(5000);
    }
    b.room = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_command_is_run_and_reported(void **state)
{
    struct msg_done done;

    (void)state;
    greet();
    say_shell(7, "echo $VIDUHOOK_RUN_ID $VIDUHOOK_ATTEMPT; exit 75");
    done = hear_done(7);
    assert_int_equal(done.outcome, RUN_AGAIN);
    assert_int_equal(done.exit_code, 75);
    assert_true(slice_is(done.output, "7 2\n"));
    assert_true(slice_is(done.detail, "exit status 75"));
}

static void commands_are_confined(void **state)
{
    struct msg_done done;

    (void)state;
    greet();
    say_shell(1, "grep NoNewPrivs /proc/self/status; ulimit -c; pwd; umask; cat "
                 "/proc/self/oom_score_adj; ls /proc/self/fd | wc -l; env | grep -c CANARY");
    done = hear_done(1);
    if (!slice_is(done.output, "NoNewPrivs:\t1\n0\n/\n0022\n500\n4\n0\n"))
        fail_msg("%s", done.output.p);
}

static void a_download_asks_for_fresh_urls(void **state)
{
    autofree char *action = mem_printf("{\"kind\":\"download\",\"dir\":\"%s\"}", b.dir);
    autofree char *old =
        mem_printf("[{\"url\":\"http://127.0.0.1:%d/status/403\"}]", b.server.port);
    autofree char *new = mem_printf("[{\"url\":\"http://127.0.0.1:%d/good/x\"}]", b.server.port);
    struct msg_fresh fresh = {.run = 9, .result = slice_str(new), .error = {"", 0}};
    struct msg_refresh refresh;
    struct msg_progress progress;
    struct msg_done done;

    (void)state;
    greet();
    say_run(9, action, old);
    hear(MSG_REFRESH, 109, &refresh);
    assert_int_equal(refresh.run, 9);
    assert_true(slice_is(refresh.task, "t3k9"));
    say(MSG_FRESH, 109, &fresh);
    hear(MSG_PROGRESS, 109, &progress);
    assert_int_equal(progress.run, 9);
    assert_int_equal(progress.total, 300000);
    assert_true(slice_is(progress.name, "A cat [vidu-t3k9].mp4"));
    done = hear_done(9);
    assert_int_equal(done.outcome, RUN_OK);
    assert_non_null(strstr(done.files.p, "/2026-11/A cat [vidu-t3k9].mp4\""));
}

static void fresh_urls_may_be_rubbish(void **state)
{
    autofree char *action = mem_printf("{\"kind\":\"download\",\"dir\":\"%s\"}", b.dir);
    struct msg_fresh fresh = {.run = 9, .result = SLICE_LIT("{]"), .error = {"", 0}};
    struct msg_refresh refresh;
    struct msg_done done;

    (void)state;
    greet();
    say(MSG_FRESH, 1, &fresh); /* nobody asked */
    say_run(9, action, "[]");
    hear(MSG_REFRESH, 109, &refresh);
    say(MSG_FRESH, 109, &fresh);
    done = hear_done(9);
    assert_int_equal(done.outcome, RUN_AGAIN);
    assert_true(slice_is(done.detail, "no fresh URL: the answer is not understood"));
}

static void what_is_no_run_is_refused(void **state)
{
    static const char *const actions[] = {"{}", "null", "{\"kind\":\"http\"}", "[", "{\"kind\":5}"};
    struct msg_done done;

    (void)state;
    greet();
    for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
        say_run(i, actions[i], "[]");
        done = hear_done(i);
        assert_int_equal(done.outcome, RUN_FATAL);
    }
}

static void the_same_run_is_not_started_twice(void **state)
{
    struct msg_cancel cancel = {.run = 3};
    struct msg_done done;

    (void)state;
    greet();
    say_shell(3, "sleep 1000");
    say_shell(3, "echo twice");
    done = hear_done(3);
    assert_int_equal(done.outcome, RUN_AGAIN); /* its lease was over: not the end of the run */
    assert_int_equal(done.output.n, 0);
    assert_true(slice_is(done.detail, "the attempt before has not ended yet"));
    say(MSG_CANCEL, 0, &cancel);
    hear_done(3);
}

static void more_than_the_agreed_number_come_again(void **state)
{
    struct msg_done done;

    (void)state;
    greet();
    for (uint64_t i = 0; i < 5; i++)
        say_shell(i, "sleep 1000");
    done = hear_done(4);
    assert_int_equal(done.outcome, RUN_AGAIN);
}

static void a_cancelled_run_is_not_repeated(void **state)
{
    struct msg_cancel cancel = {.run = 3};
    struct msg_done done;

    (void)state;
    greet();
    say_shell(3, "sleep 1000");
    say(MSG_CANCEL, 0, &cancel);
    cancel.run = 4711;
    say(MSG_CANCEL, 0, &cancel);
    done = hear_done(3);
    assert_int_equal(done.outcome, RUN_FATAL);
    assert_true(slice_is(done.detail, "killed by SIGTERM, cancelled"));
}

static void a_ping_is_answered_with_counters(void **state)
{
    struct msg_ping ping = {.stamp = 12345};
    struct msg_pong pong;

    (void)state;
    greet();
    say_shell(1, "true");
    hear_done(1);
    say(MSG_PING, 77, &ping);
    hear(MSG_PONG, 77, &pong);
    assert_int_equal(pong.stamp, 12345);
    assert_true(slice_is(pong.json,
                         "{\"runs\":0,\"runs_started\":1,\"runs_succeeded\":1,\"runs_failed\":0}"));
}

static void draining_finishes_and_ends_well(void **state)
{
    struct msg_drain drain = {.grace_ms = 10000};

    (void)state;
    greet();
    say_shell(1, "sleep 0.3; echo finished");
    say(MSG_DRAIN, 0, &drain);
    say_shell(2, "echo never");
    assert_int_equal(hear_done(2).outcome, RUN_AGAIN);
    assert_int_equal(hear_done(1).outcome, RUN_OK);
    assert_int_equal(wait_room(), 0);
}

static void grace_ends(void **state)
{
    struct msg_drain drain = {.grace_ms = 200};
    struct msg_done done;

    (void)state;
    greet();
    say_shell(1, "sleep 1000");
    say(MSG_DRAIN, 0, &drain);
    done = hear_done(1);
    assert_int_equal(done.outcome, RUN_AGAIN);
    assert_true(slice_is(done.detail, "killed by SIGTERM, stopped with the daemon"));
    assert_int_equal(wait_room(), 0);
}

static void draining_an_idle_room_ends_it(void **state)
{
    struct msg_drain drain = {.grace_ms = 60000};

    (void)state;
    greet();
    say(MSG_DRAIN, 0, &drain);
    assert_int_equal(wait_room(), 0);
}

/* The keeper is gone: so are the room and whatever it started, group or not. */
static void without_the_keeper_nothing_goes_on(void **state)
{
    autofree char *script = mem_printf("setsid sh -c 'echo $$ > %s/escapee; exec sleep 1000' & "
                                       "echo $$ > %s/leader; exec sleep 1000",
                                       b.dir, b.dir);
    static const char *const names[] = {"escapee", "leader"};
    int64_t until_ms = clock_mono_ms() + 5000;

    (void)state;
    greet();
    say_shell(1, script);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        autofree char *path = fs_join(b.dir, names[i]);
        struct stat st;

        while ((stat(path, &st) < 0 || st.st_size == 0) && clock_mono_ms() < until_ms)
            usleep(5000);
    }
    fs_close_slot(&b.fd);
    assert_int_equal(wait_room(), 1);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        autofree char *path = fs_join(b.dir, names[i]);
        autofree char *text = NULL;
        uint64_t pid;
        size_t n;

        assert_int_equal(fs_read_file(path, 100, &text, &n, NULL), 0);
        assert_int_equal(str_to_u64(text, n - 1, INT32_MAX, &pid), 0);
        assert_int_equal(kill((pid_t)pid, 0), -1);
        assert_int_equal(errno, ESRCH);
    }
}

static void a_bad_hello_is_told(void **state)
{
    struct msg_ready ready;

    (void)state;
    hello("not an address", 1);
    hear(MSG_READY, 1, &ready);
    assert_non_null(strstr(ready.error.p, "not an address"));
    assert_int_equal(wait_room(), 1);
}

static void nothing_is_run_before_hello(void **state)
{
    (void)state;
    say_shell(1, "true");
    assert_int_equal(wait_room(), 1);
}

static int set_up(void **state)
{
    static const int crashes[] = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE};
    struct rlimit core;
    int pair[2];

    (void)state;
    snprintf(b.dir, sizeof(b.dir), "/tmp/test_runner.XXXXXX");
    if (mkdtemp(b.dir) == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    setenv("CANARY", "s3cret", 1);
    b.room = fork();
    if (b.room == 0) {
        close(pair[0]);
        for (size_t i = 0; i < ARRAY_LEN(crashes); i++)
            signal(crashes[i], SIG_DFL); /* the test library's handlers are not for this process */
        if (getrlimit(RLIMIT_CORE, &core) == 0) {
            core.rlim_cur = core.rlim_max;
            setrlimit(RLIMIT_CORE, &core);
        }
        if (pair[1] != ROOM_CHANNEL_FD)
            dup2(pair[1], ROOM_CHANNEL_FD);
        closefrom(ROOM_CHANNEL_FD + 1);
        exit(runner_main());
    }
    close(pair[1]);
    b.fd = pair[0];
    return b.room < 0;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    fs_close_slot(&b.fd);
    if (b.room > 0)
        wait_room();
    free(b.memory);
    b.memory = NULL;
    return nftw(b.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int start_all(void **state)
{
    (void)state;
    return file_server_start(&b.server, NULL);
}

static int stop_all(void **state)
{
    (void)state;
    file_server_stop(&b.server);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_command_is_run_and_reported),
        TEST(commands_are_confined),
        TEST(a_download_asks_for_fresh_urls),
        TEST(fresh_urls_may_be_rubbish),
        TEST(what_is_no_run_is_refused),
        TEST(the_same_run_is_not_started_twice),
        TEST(more_than_the_agreed_number_come_again),
        TEST(a_cancelled_run_is_not_repeated),
        TEST(a_ping_is_answered_with_counters),
        TEST(draining_finishes_and_ends_well),
        TEST(grace_ends),
        TEST(draining_an_idle_room_ends_it),
        TEST(without_the_keeper_nothing_goes_on),
        TEST(a_bad_hello_is_told),
        TEST(nothing_is_run_before_hello),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
