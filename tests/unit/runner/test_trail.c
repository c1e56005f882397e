/* SPDX-License-Identifier: MIT */
#include "runner/trail.h"

#include "base/proc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static int ready[2];

/* A leader with a child in a session of its own, which has a child as well once it is told to; both
 * know nothing but their parents. */
static pid_t start_leader(bool grown)
{
    char byte;
    pid_t pid = fork();

    if (pid == 0) {
        if (fork() != 0)
            pause();
        setsid();
        signal(SIGTERM, SIG_IGN);
        if (grown && fork() == 0)
            pause();
        _exit(write(ready[1], "x", 1) == 1 ? pause() : 1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    return pid;
}

/* Everybody that is not this process's own child any more ends as one: it is a subreaper. */
static int reap_all(void)
{
    int n = 0;

    while (waitpid(-1, NULL, 0) > 0)
        n++;
    return n;
}

static void who_was_below_is_killed_after_its_parent_went(void **state)
{
    struct trail t = {0};
    pid_t leader = start_leader(true);

    (void)state;
    trail_follow(&t, leader);
    trail_follow(&t, leader); /* nobody twice */
    assert_int_equal(t.n, 2);
    kill(leader, SIGKILL);
    assert_int_equal(waitpid(leader, NULL, 0), leader);
    assert_int_equal(trail_kill(&t), 2);
    assert_int_equal(reap_all(), 2);
    assert_int_equal(trail_kill(&t), 0);
    trail_free(&t);
}

static void who_comes_later_is_killed_along(void **state)
{
    struct trail t = {0};
    pid_t leader = start_leader(true);
    autopids struct pids below = {0};

    (void)state;
    proc_children(leader, &below);
    trail_follow(&t, leader);
    t.n = 1; /* as if it had been alone then */
    assert_int_equal(t.marks[0].pid, below.list[0]);
    assert_int_equal(trail_kill(&t), 2);
    kill(leader, SIGKILL);
    assert_int_equal(reap_all(), 3);
    trail_free(&t);
}

static void a_pid_in_use_again_is_not_touched(void **state)
{
    struct trail t = {0};
    pid_t leader = start_leader(false);
    pid_t child;

    (void)state;
    trail_follow(&t, leader);
    assert_int_equal(t.n, 1);
    child = t.marks[0].pid;
    t.marks[0].birth--;
    assert_int_equal(trail_kill(&t), 0);
    assert_true(proc_birth(child) != 0);
    kill(child, SIGKILL);
    kill(leader, SIGKILL);
    reap_all();
    trail_free(&t);
}

static int set_up(void **state)
{
    (void)state;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    return pipe(ready);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_was_below_is_killed_after_its_parent_went),
        cmocka_unit_test(who_comes_later_is_killed_along),
        cmocka_unit_test(a_pid_in_use_again_is_not_touched),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
