/* SPDX-License-Identifier: MIT */
#include "base/proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_birth_stays_what_it_is_under_any_name(void **state)
{
    static const char *const names[] = {"plain", ") Z 1 1 1", "a b) S", "(((", ""};
    uint64_t birth = proc_birth(getpid());

    (void)state;
    assert_true(birth > 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_int_equal(prctl(PR_SET_NAME, names[i]), 0);
        assert_int_equal(proc_birth(getpid()), birth);
    }
    assert_true(proc_birth(1) < birth);
}

static void who_has_ended_has_no_birth(void **state)
{
    siginfo_t info;
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(0);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_int_equal(proc_birth(pid), 0); /* a zombie */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(proc_birth(pid), 0);
}

static void descendants_are_found_however_deep(void **state)
{
    autopids struct pids below = {0};
    int fds[2];
    char byte;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    pid = fork();
    if (pid == 0) {
        setsid();
        if (fork() != 0)
            pause();
        _exit(write(fds[1], "x", 1) == 1 ? pause() : 1);
    }
    assert_int_equal(read(fds[0], &byte, 1), 1);
    proc_descendants(getpid(), &below);
    assert_int_equal(below.n, 2);
    assert_int_equal(below.list[0], pid);
    for (size_t i = 0; i < below.n; i++)
        kill(below.list[below.n - 1 - i], SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_birth_stays_what_it_is_under_any_name),
        cmocka_unit_test(who_has_ended_has_no_birth),
        cmocka_unit_test(descendants_are_found_however_deep),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
