/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "runner/action.h"
#include "runner/reap.h"
#include "runner/spawn_child.h"
#include "runner/tail.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define OUTPUT 65536

/* Long waits pass fifty times as fast: this takes the place of the library's function. */
int event_add(struct event *ev, const struct timeval *tv)
{
    static int (*real)(struct event *, const struct timeval *);
    struct timeval quick;

    if (real == NULL)
        real = (int (*)(struct event *, const struct timeval *))dlsym(RTLD_NEXT, "event_add");
    if (tv == NULL || tv->tv_sec < 5)
        return real(ev, tv);
    quick = (struct timeval){.tv_sec = tv->tv_sec / 50, .tv_usec = tv->tv_sec % 50 * 20000};
    return real(ev, &quick);
}

struct bench {
    struct event_base *base;
    struct reap *reap;
    struct action_env env;
    json_t *action, *context;
    void *running;
    int dones, expected;
    struct msg_done last;
    char detail[1024];
    char output[OUTPUT + 256];
    size_t output_len;
    int descriptors;
    char dir[64];
};

static struct bench b;

static void on_done(const struct msg_done *done, void *ctx)
{
    void **slot = ctx;

    b.last = *done;
    snprintf(b.detail, sizeof(b.detail), "%.*s", (int)done->detail.n, done->detail.p);
    assert_true(done->output.n < sizeof(b.output));
    memcpy(b.output, done->output.p, done->output.n);
    b.output[done->output.n] = '\0';
    b.output_len = done->output.n;
    exec_ops.free(*slot);
    *slot = NULL;
    if (++b.dones == b.expected)
        event_base_loopbreak(b.base);
}

static const struct action_events events = {.on_done = on_done};

static json_t *default_context(void)
{
    return json_pack("{s:s, s:{s:i, s:i, s:s, s:b}, s:{s:s, s:s, s:s, s:s}, s:[], s:s, s:[]}",
                     "event", "success", "run", "id", 17, "attempt", 1, "hook", "publish", "replay",
                     0, "task", "id", "t3k9", "prompt", "a cat", "state", "success", "err_code", "",
                     "result", "source", "callback", "files");
}

static void set_task(const char *member, json_t *value)
{
    json_object_set_new(json_object_get(b.context, "task"), member, value);
}

static void set_argv(int timeout_ms, json_t *argv)
{
    json_decref(b.action);
    b.action = json_pack("{s:s, s:o, s:i}", "kind", "exec", "argv", argv, "timeout_ms", timeout_ms);
    assert_non_null(b.action);
}

static void wait_dones(int n)
{
    struct timeval limit = {.tv_sec = 4, .tv_usec = 999999};

    b.expected = n;
    for (int i = 0; i < 8 && b.dones < n; i++) {
        event_base_loopexit(b.base, &limit);
        event_base_dispatch(b.base);
    }
    assert_int_equal(b.dones, n);
}

/* As the keeper writes it; kept until the next one. */
static struct slice line_of(const json_t *context)
{
    static char *text;

    free(text);
    text = json_dumps(context, JSON_COMPACT);
    return slice_str(text);
}

static void begin(void)
{
    b.dones = 0;
    b.running =
        exec_ops.start(&b.env, b.action, b.context, line_of(b.context), &events, &b.running);
    assert_int_equal(b.dones, 0);
}

static void run(json_t *argv)
{
    set_argv(600000, argv);
    begin();
    wait_dones(1);
}

static void run_shell(const char *script)
{
    run(json_pack("[s, s, s]", "/bin/sh", "-c", script));
}

static void expect(enum run_outcome outcome, int exit_code, const char *detail)
{
    if (b.last.outcome != outcome || b.last.exit_code != exit_code)
        fail_msg("outcome %u, exit %d, %s: %s", b.last.outcome, (int)b.last.exit_code, b.detail,
                 b.output);
    assert_string_equal(b.detail, detail);
}

static void a_command_that_ends_well_is_done(void **state)
{
    (void)state;
    run_shell("echo out; echo err >&2; echo out");
    expect(RUN_OK, 0, "exit status 0");
    assert_string_equal(b.output, "out\nerr\nout\n");
    assert_true(b.last.duration_ms >= 0 && b.last.duration_ms < 5000);
    assert_int_equal(b.last.retry_after_ms, -1);
}

static void the_exit_status_has_a_meaning(void **state)
{
    static const struct {
        const char *script;
        enum run_outcome outcome;
        int exit_code;
        const char *detail;
    } rows[] = {
        {"exit 1", RUN_FAILED, 1, "exit status 1"},
        {"exit 3", RUN_FAILED, 3, "exit status 3"},
        {"exit 65", RUN_FATAL, 65, "exit status 65"},
        {"exit 75", RUN_AGAIN, 75, "exit status 75"},
        {"exit 255", RUN_FAILED, 255, "exit status 255"},
        {"kill -SEGV $$", RUN_FAILED, -SIGSEGV, "killed by SIGSEGV"},
        {"kill -KILL $$", RUN_FAILED, -SIGKILL, "killed by SIGKILL"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        run_shell(rows[i].script);
        expect(rows[i].outcome, rows[i].exit_code, rows[i].detail);
    }
}

static void what_cannot_start_is_told(void **state)
{
    autofree char *text = mem_calloc(200001, 1);

    (void)state;
    run(json_pack("[s]", "/nonexistent/command"));
    expect(RUN_FAILED, 127, "cannot start: /nonexistent/command: No such file or directory");
    run(json_pack("[s]", "/etc/passwd"));
    expect(RUN_FAILED, 127, "cannot start: /etc/passwd: Permission denied");
    run(json_array());
    expect(RUN_FATAL, 127, "cannot start: argv: 1 to 1024 arguments are needed");
    run(json_pack("[s, i]", "/bin/true", 5));
    expect(RUN_FATAL, 127, "cannot start: argv: not text");
    memset(text, 'x', 200000);
    set_task("prompt", json_string(text));
    run(json_pack("[s, s]", "/bin/true", "{task.prompt}"));
    expect(RUN_FATAL, 127, "cannot start: argument 1 is over 131071 bytes");
}

/* T16: whatever a stranger writes stays one argument, and nobody interprets it. */
static void no_value_is_ever_interpreted(void **state)
{
    static const char *const naughty[] = {
        "; touch /tmp/owned",
        "$(id)",
        "`id`",
        "-rf /",
        "a\nb",
        "a b  c",
        "'\"\\",
        "*",
        "~",
        "%s%n",
        "{task.id}",
        "{{x}}",
        "\x1b[31m",
        "\xf0\x9f\x90\x88",
        "",
        "a=b",
        "--help",
        "|cat",
        "&&",
        "$HOME",
        "\r\n",
        "#",
        "!",
        "..",
        "/etc/passwd",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(naughty); i++) {
        autofree char *want = mem_printf("<%s><x%sx><t3k9>", naughty[i], naughty[i]);

        set_task("prompt", json_string(naughty[i]));
        run(json_pack("[s, s, s, s, s]", "/usr/bin/printf", "<%s>", "{task.prompt}",
                      "x{task.prompt}x", "{task.id}"));
        expect(RUN_OK, 0, "exit status 0");
        assert_string_equal(b.output, want);
        run(json_pack("[s, s]", "/usr/bin/printenv", "VIDUHOOK_PROMPT"));
        b.output[b.output_len - 1] = '\0';
        assert_string_equal(b.output, naughty[i]);
    }
}

static void a_stranger_never_chooses_the_program(void **state)
{
    (void)state;
    set_task("prompt", json_string("/bin/true"));
    run(json_pack("[s]", "{task.prompt}"));
    expect(RUN_FAILED, 127, "cannot start: {task.prompt}: No such file or directory");
}

static void the_environment_is_made_from_nothing(void **state)
{
    static const char *const allowed[] = {"PATH=", "HOME=", "LANG=C.UTF-8", "TZ=", "VIDUHOOK_"};
    const char *line;
    int n = 0;

    (void)state;
    setenv("LD_LIBRARY_PATH", "/nowhere", 1);
    setenv("SECRET", "s3cret", 1);
    setenv("TZ", "Asia/Shanghai", 1);
    set_task("LD_PRELOAD", json_string("/evil.so"));
    set_task("err_code", json_string("X\nLD_PRELOAD=/evil.so"));
    run(json_pack("[s, s, s, s]", "/bin/sed", "-z", "s/^/\\x01/", "/proc/self/environ"));
    unsetenv("LD_LIBRARY_PATH");
    unsetenv("SECRET");
    unsetenv("TZ");
    expect(RUN_OK, 0, "exit status 0");
    for (line = strchr(b.output, 1); line != NULL; line = strchr(line + 1, 1), n++) {
        bool fits = false;

        for (size_t i = 0; i < ARRAY_LEN(allowed); i++)
            fits = fits || str_starts(line + 1, allowed[i]);
        if (!fits)
            fail_msg("in the environment: %s", line + 1);
    }
    assert_true(n > 15);
    run_shell("echo $VIDUHOOK_EVENT $VIDUHOOK_TASK_ID $VIDUHOOK_HOOK $VIDUHOOK_RUN_ID "
              "$VIDUHOOK_ATTEMPT $VIDUHOOK_STATE \"[$VIDUHOOK_FILE]\"");
    assert_string_equal(b.output, "success t3k9 publish 17 1 success []\n");
}

static void large_values_are_cut_between_characters(void **state)
{
    autofree char *text = mem_calloc(300001, 1);

    (void)state;
    for (size_t i = 0; i < 100000; i++)
        memcpy(text + 3 * i, "\xe7\x8c\xab", 3);
    set_task("prompt", json_string(text));
    set_task("err_code", json_string(text));
    run_shell("printf '%s' \"$VIDUHOOK_PROMPT\" | wc -c; printf '%s' \"$VIDUHOOK_ERR_CODE\" | wc "
              "-c; wc -c");
    expect(RUN_OK, 0, "exit status 0");
    assert_true(str_starts(b.output, "4095\n32766\n6"));
}

static void a_nul_ends_a_value(void **state)
{
    (void)state;
    set_task("prompt", json_stringn("before\0after", 12));
    run(json_pack("[s, s, s]", "/usr/bin/printf", "<%s>", "{task.prompt}"));
    assert_string_equal(b.output, "<before>");
    run(json_pack("[s, s]", "/usr/bin/printenv", "VIDUHOOK_PROMPT"));
    assert_string_equal(b.output, "before\n");
}

static void the_context_is_on_stdin(void **state)
{
    autofree char *want = json_dumps(b.context, JSON_COMPACT);
    autofree char *twice = mem_printf("%s\n%s\n", want, want);

    (void)state;
    run_shell("cat; cat /proc/self/fd/0");
    assert_string_equal(b.output, twice);
}

static void nobody_can_change_the_context(void **state)
{
    (void)state;
    run_shell("printf x >&0 || echo no; printf x >> /proc/self/fd/0 || echo no; cat | head -c 1");
    assert_non_null(strstr(b.output, "no\n"));
    assert_string_equal(b.output + b.output_len - 1, "{");
}

static void a_child_begins_clean(void **state)
{
    unsigned long long ignored;
    sigset_t usr1;
    int inherited = open("/dev/null", O_RDONLY); /* without CLOEXEC */

    (void)state;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    signal(SIGQUIT, SIG_IGN); /* as a shell does for what it starts in the background */
    spawn_set_signals();
    run(json_pack("[s, s, s, s]", "/bin/grep", "-E", "^(SigBlk|SigIgn):", "/proc/self/status"));
    signal(SIGTERM, SIG_DFL);
    signal(SIGINT, SIG_DFL);
    signal(SIGHUP, SIG_DFL);
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    assert_true(str_starts(b.output, "SigBlk:\t0000000000000000\nSigIgn:\t"));
    ignored = strtoull(strstr(b.output, "SigIgn:\t") + 8, NULL, 16);
    assert_int_equal(ignored & ~(3ULL << 31), 0);         /* 32 and 33 are the C library's own */
    run(json_pack("[s, s]", "/bin/ls", "/proc/self/fd")); /* 3 is the directory it reads */
    assert_string_equal(b.output, "0\n1\n2\n3\n");
    run_shell("set -- $(cat /proc/$$/stat); [ $1 = $5 ] && [ $1 = $6 ] && echo leader");
    assert_string_equal(b.output, "leader\n");
    close(inherited);
}

static void a_flood_leaves_its_end(void **state)
{
    (void)state;
    run_shell("yes 0123456789 | head -c 50000000; echo; echo the end");
    expect(RUN_OK, 0, "exit status 0");
    assert_true(str_starts(b.output, "[49934473 bytes before this were left out]\n"));
    assert_true(str_ends(b.output, "\nthe end\n"));
    assert_int_equal(b.output_len, OUTPUT + strlen("[49934473 bytes before this were left out]\n"));
}

static void without_output_there_is_none(void **state)
{
    (void)state;
    b.env.output = 0;
    run_shell("echo something");
    expect(RUN_OK, 0, "exit status 0");
    assert_string_equal(b.output, "[10 bytes before this were left out]\n");
}

static void closed_output_is_not_the_end(void **state)
{
    (void)state;
    run_shell("exec <&- >&- 2>&-; sleep 0.3; exit 3");
    expect(RUN_FAILED, 3, "exit status 3");
    assert_true(b.last.duration_ms >= 290);
}

static void a_grandchild_holds_the_output_for_a_second_at_most(void **state)
{
    (void)state;
    run_shell("sleep 3 & echo started");
    expect(RUN_OK, 0, "exit status 0");
    assert_string_equal(b.output, "started\n");
    assert_true(b.last.duration_ms >= 900 && b.last.duration_ms < 2500);
    run_shell("(sleep 0.3; echo late) & echo started");
    assert_string_equal(b.output, "started\nlate\n");
    assert_true(b.last.duration_ms < 900);
}

static void time_is_limited(void **state)
{
    (void)state;
    set_argv(200, json_pack("[s, s]", "/bin/sleep", "1000"));
    begin();
    wait_dones(1);
    expect(RUN_FAILED, -SIGTERM, "killed by SIGTERM after timeout of 200ms");
    set_argv(200, json_pack("[s, s, s]", "/bin/sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait"));
    begin();
    wait_dones(1);
    expect(RUN_FAILED, 0, "exit status 0 after timeout of 200ms");
}

static void who_ignores_term_is_killed(void **state)
{
    (void)state;
    set_argv(200, json_pack("[s, s, s]", "/bin/sh", "-c",
                            "trap '' TERM; echo ready; while :; do sleep 1; done"));
    begin();
    wait_dones(1);
    expect(RUN_FAILED, -SIGKILL, "killed by SIGKILL after timeout of 200ms");
    assert_true(str_starts(b.output, "ready\n"));
    assert_true(b.last.duration_ms < 2000);
}

static pid_t pid_in(const char *file)
{
    autofree char *path = fs_join(b.dir, file);
    autofree char *text = NULL;
    uint64_t pid = 0;
    size_t n;

    if (fs_read_file(path, 100, &text, &n, NULL) == 0)
        assert_int_equal(str_to_u64(text, strcspn(text, "\n"), INT32_MAX, &pid), 0);
    unlink(path);
    return (pid_t)pid;
}

/* Those who left the session, with and without the pipe, and their children. */
static void nobody_escapes_a_timeout(void **state)
{
    static const char *const scripts[] = {
        "setsid sh -c 'trap \"\" TERM HUP; echo $$ > %s/pid; sleep 1000; :' & sleep 1000",
        "setsid sh -c 'exec <&- >&- 2>&-; trap \"\" TERM; echo $$ > %s/pid; sleep 1000; :' & exec "
        "sleep 1000",
        "(setsid setsid sh -c 'echo $$ > %s/pid; sleep 1000; :' >/dev/null 2>&1 &) ; sleep 1000",
        "(trap '' TERM; exec env -i sh -c 'echo $$ > %s/pid; exec sleep 1000' >/dev/null 2>&1) & "
        "exec sleep 1000",
        "trap '' TERM; (echo $BASHPID; sh -c 'echo $$ > %s/pid; trap \"\" TERM; sleep 1000; :') & "
        "sleep 1000; sleep 1000",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(scripts); i++) {
        autofree char *script = mem_calloc(1000, 1);
        const char *at = strstr(scripts[i], "%s");
        pid_t pid;

        snprintf(script, 1000, "%.*s%s%s", (int)(at - scripts[i]), scripts[i], b.dir, at + 2);
        set_argv(600, json_pack("[s, s, s]", "/bin/sh", "-c", script));
        begin();
        wait_dones(1);
        assert_int_equal(b.last.outcome, RUN_FAILED);
        pid = pid_in("pid");
        assert_true(pid > 1);
        if (kill(pid, 0) == 0 || errno != ESRCH)
            fail_msg("script %zu: the escapee lives", i);
        assert_true(b.last.duration_ms < 3500);
    }
}

static void a_timeout_kills_nobody_elses_orphans(void **state)
{
    pid_t pid;
    autofree char *script = mem_printf(
        "setsid sh -c 'echo $$ > %s/other; exec sleep 1000' >/dev/null 2>&1 & sleep 0.2", b.dir);

    (void)state;
    run_shell(script);
    expect(RUN_OK, 0, "exit status 0");
    pid = pid_in("other");
    json_object_set_new(json_object_get(b.context, "run"), "id", json_integer(18));
    set_argv(100, json_pack("[s, s]", "/bin/sleep", "1000"));
    begin();
    wait_dones(1);
    assert_int_equal(kill(pid, 0), 0);
    kill(pid, SIGKILL);
}

static void a_small_fork_bomb_is_over_with_the_timeout(void **state)
{
    (void)state;
    set_argv(500, json_pack("[s, s, s]", "/bin/sh", "-c",
                            "f() {{ n=$1; [ $n -gt 4 ] || for i in 1 2; do (setsid sh -c 'sleep "
                            "1000' & f $((n+1))) & done; wait; sleep 1000; }}; trap '' TERM; f 0"));
    begin();
    wait_dones(1);
    assert_int_equal(b.last.outcome, RUN_FAILED);
    assert_true(b.last.duration_ms < 5000);
}

static void stopping_has_its_own_outcome(void **state)
{
    (void)state;
    set_argv(60000, json_pack("[s, s]", "/bin/sleep", "1000"));
    begin();
    exec_ops.stop(b.running, RUN_AGAIN, "stopped with the daemon");
    exec_ops.stop(b.running, RUN_FATAL, "twice");
    wait_dones(1);
    expect(RUN_AGAIN, -SIGTERM, "killed by SIGTERM, stopped with the daemon");
}

static void freeing_kills_and_is_silent(void **state)
{
    autofree char *script = mem_printf("echo $$ > %s/freed; echo; exec sleep 1000", b.dir);
    int64_t until_ms = clock_mono_ms() + 5000;
    autofree char *path = fs_join(b.dir, "freed");
    struct stat st;
    pid_t pid;

    (void)state;
    set_argv(60000, json_pack("[s, s, s]", "/bin/sh", "-c", script));
    begin();
    while ((stat(path, &st) < 0 || st.st_size == 0) && clock_mono_ms() < until_ms)
        event_base_loop(b.base, EVLOOP_NONBLOCK);
    event_base_loop(b.base, EVLOOP_NONBLOCK);
    exec_ops.free(b.running);
    exec_ops.free(NULL);
    pid = pid_in("freed");
    assert_true(pid > 1);
    while (kill(pid, 0) == 0 && clock_mono_ms() < until_ms)
        event_base_loop(b.base, EVLOOP_ONCE);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(b.dones, 0);
}

static void many_at_once(void **state)
{
    enum { MANY = 100 };
    static void *slots[MANY];

    (void)state;
    set_argv(60000, json_pack("[s, s, s]", "/bin/sh", "-c", "echo $VIDUHOOK_RUN_ID; exit 0"));
    b.dones = 0;
    for (int i = 0; i < MANY; i++)
        slots[i] =
            exec_ops.start(&b.env, b.action, b.context, line_of(b.context), &events, &slots[i]);
    wait_dones(MANY);
    assert_string_equal(b.output, "17\n");
}

static void the_room_ends_with_all_of_them(void **state)
{
    autofree char *script = mem_printf(
        "env -i setsid sh -c 'echo $$ > %s/last; sleep 1000' >/dev/null 2>&1 & sleep 0.2", b.dir);
    pid_t pid;

    (void)state;
    run_shell(script);
    pid = pid_in("last");
    assert_int_equal(kill(pid, 0), 0);
    reap_kill_all(b.reap);
    assert_int_equal(kill(pid, 0), -1);
}

static void a_tail_keeps_the_end_of_anything(void **state)
{
    static const char text[] = "abcdefghijklmnopqrstuvwxyz";

    (void)state;
    for (size_t size = 1; size < 12; size++)
        for (size_t step = 1; step < 26; step++) {
            struct tail t = TAIL_INIT(size);
            autobuf struct buf out = BUF_INIT(1000);

            for (size_t at = 0; at < 26; at += step)
                tail_add(&t, text + at, 26 - at < step ? 26 - at : step);
            tail_text(&t, &out);
            assert_string_equal(buf_text(&out) + out.len - size, text + 26 - size);
            tail_free(&t);
        }
}

static void a_tail_is_text_whatever_went_through(void **state)
{
    static const char bytes[] = "a\0b\xff\xc3\xa9\xe6\xb0";
    struct tail t = TAIL_INIT(64);
    struct tail cut = TAIL_INIT(4);
    autobuf struct buf out = BUF_INIT(1000);

    (void)state;
    tail_add(&t, bytes, sizeof(bytes) - 1);
    tail_text(&t, &out);
    assert_string_equal(buf_text(&out), "a?b?\xc3\xa9??");
    tail_add(&cut, "x\xe6\xb0\xb4yz", 6); /* in the middle of a character */
    buf_reset(&out);
    tail_text(&cut, &out);
    assert_string_equal(buf_text(&out), "[2 bytes before this were left out]\n??yz");
    tail_free(&t);
    tail_free(&cut);
}

static int open_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static bool has_children(void)
{
    autofree char *path = mem_printf("/proc/self/task/%d/children", (int)getpid());
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    autofree char *text = NULL;
    size_t n = 0;

    assert_int_equal(fs_read_fd(fd, 1 << 20, &text, &n), 0);
    return n != 0;
}

static int set_up(void **state)
{
    (void)state;
    b = (struct bench){.descriptors = open_descriptors()};
    snprintf(b.dir, sizeof(b.dir), "/tmp/test_exec.XXXXXX");
    if (mkdtemp(b.dir) == NULL)
        return -1;
    b.base = event_base_new();
    b.reap = reap_new(b.base);
    b.env = (struct action_env){.base = b.base, .reap = b.reap, .output = OUTPUT};
    b.context = default_context();
    return b.context == NULL;
}

/* No zombie, no child, no descriptor is left: orphans that live on must have been killed. */
static int tear_down(void **state)
{
    int64_t until_ms = clock_mono_ms() + 5000;
    struct timeval tick = {.tv_usec = 20000};

    (void)state;
    reap_soon(b.reap);
    while (has_children() && clock_mono_ms() < until_ms) {
        event_base_loopexit(b.base, &tick);
        event_base_dispatch(b.base);
    }
    if (has_children())
        return -1;
    reap_free(b.reap);
    event_base_free(b.base);
    json_decref(b.action);
    json_decref(b.context);
    rmdir(b.dir);
    return open_descriptors() == b.descriptors ? 0 : -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_command_that_ends_well_is_done),
        TEST(the_exit_status_has_a_meaning),
        TEST(what_cannot_start_is_told),
        TEST(no_value_is_ever_interpreted),
        TEST(a_stranger_never_chooses_the_program),
        TEST(the_environment_is_made_from_nothing),
        TEST(large_values_are_cut_between_characters),
        TEST(a_nul_ends_a_value),
        TEST(the_context_is_on_stdin),
        TEST(nobody_can_change_the_context),
        TEST(a_child_begins_clean),
        TEST(a_flood_leaves_its_end),
        TEST(without_output_there_is_none),
        TEST(closed_output_is_not_the_end),
        TEST(a_grandchild_holds_the_output_for_a_second_at_most),
        TEST(time_is_limited),
        TEST(who_ignores_term_is_killed),
        TEST(nobody_escapes_a_timeout),
        TEST(a_timeout_kills_nobody_elses_orphans),
        TEST(a_small_fork_bomb_is_over_with_the_timeout),
        TEST(stopping_has_its_own_outcome),
        TEST(freeing_kills_and_is_silent),
        TEST(many_at_once),
        TEST(the_room_ends_with_all_of_them),
        cmocka_unit_test(a_tail_keeps_the_end_of_anything),
        cmocka_unit_test(a_tail_is_text_whatever_went_through),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
