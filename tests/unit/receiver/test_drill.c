/* SPDX-License-Identifier: MIT */
#include "receiver/drill.h"

#include "base/fs.h"
#include "base/mem.h"
#include "receiver/receiver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int without_sandbox(void)
{
    struct drill d;

    return drill_open(&d) == 0 && drill_run(&d) != 0 ? 7 : 0;
}

/* Runs it in a child; its exit status, and what it printed (owned by the caller). */
static int run(int (*what)(void), char **output)
{
    int pipefd[2];
    size_t n;
    int status;
    pid_t pid;

    assert_int_equal(pipe2(pipefd, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        dup2(pipefd[1], STDOUT_FILENO);
        _exit(what());
    }
    close(pipefd[1]);
    assert_int_equal(fs_read_fd(pipefd[0], 1 << 16, output, &n), 0);
    close(pipefd[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static size_t count(const char *text, const char *word)
{
    size_t n = 0;

    while ((text = strstr(text, word)) != NULL) {
        text += strlen(word);
        n++;
    }
    return n;
}

#ifdef HAVE_SECCOMP
static void in_the_sandbox_everything_is_denied(void **state)
{
    autofree char *output = NULL;
    int status = run(receiver_drill, &output);

    (void)state;
    if (count(output, "ALLOWED\n") != 0)
        fail_msg("%s", output);
    assert_true(count(output, " denied\n") >= 40);
    assert_int_equal(status, 0);
}
#endif

static void without_it_the_drill_says_so(void **state)
{
    static const char *const possible_for_anybody[] = {"open-read",    "open-write",  "socket-inet",
                                                       "connect",      "execve",      "fork",
                                                       "memfd_create", "kill-parent", "mmap-exec"};
    autofree char *output = NULL;
    int status = run(without_sandbox, &output);

    (void)state;
    assert_int_equal(status, 7);
    for (size_t i = 0; i < ARRAY_LEN(possible_for_anybody); i++) {
        autofree char *line = mem_printf("drill %s ALLOWED\n", possible_for_anybody[i]);

        if (strstr(output, line) == NULL)
            fail_msg("%s\n%s", line, output);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef HAVE_SECCOMP
        cmocka_unit_test(in_the_sandbox_everything_is_denied),
#endif
        cmocka_unit_test(without_it_the_drill_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
