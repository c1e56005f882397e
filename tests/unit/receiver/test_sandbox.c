/* SPDX-License-Identifier: MIT */
#include "receiver/sandbox.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILES 77

struct inmate {
    pid_t pid;
    int tell, hear; /* one byte each way */
};

/* A child in the sandbox, which says so and then waits. */
static struct inmate lock_up(void)
{
    int up[2];
    int down[2];
    struct inmate in;
    char byte = 0;

    assert_int_equal(pipe2(up, O_CLOEXEC), 0);
    assert_int_equal(pipe2(down, O_CLOEXEC), 0);
    in = (struct inmate){.pid = fork(), .tell = down[1], .hear = up[0]};
    if (in.pid == 0) {
        struct err err;

        close(down[1]);
        if (sandbox_enter(FILES, &err) != 0 || write(up[1], "y", 1) != 1)
            _exit(1);
        _exit(read(down[0], &byte, 1) == 1 ? 0 : 2);
    }
    close(up[1]);
    close(down[0]);
    assert_int_equal(read(in.hear, &byte, 1), 1);
    return in;
}

static void release(struct inmate *in)
{
    int status;

    assert_int_equal(write(in->tell, "x", 1), 1);
    assert_int_equal(waitpid(in->pid, &status, 0), in->pid);
    assert_int_equal(status, 0);
    close(in->tell);
    close(in->hear);
}

static char *proc_text(pid_t pid, const char *name)
{
    autofree char *path = mem_printf("/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text;
    size_t n;

    assert_true(fd >= 0);
    assert_int_equal(fs_read_fd(fd, 1 << 16, &text, &n), 0);
    close(fd);
    return text;
}

static void the_kernel_confirms_what_was_given_up(void **state)
{
    struct inmate in = lock_up();
    autofree char *status = proc_text(in.pid, "status");
    autofree char *limits = proc_text(in.pid, "limits");

    (void)state;
    assert_non_null(strstr(status, "\nNoNewPrivs:\t1\n"));
#ifdef HAVE_SECCOMP
    assert_non_null(strstr(status, "\nSeccomp:\t2\n"));
#endif
    assert_non_null(strstr(limits, "\nMax open files            77                   77 "));
    assert_non_null(strstr(limits, "\nMax core file size        0                    0 "));
    assert_non_null(strstr(limits, "\nMax processes             0                    0 "));
    release(&in);
}

/* What only Landlock stops: a datagram to an abstract socket from outside (ABI 6). */
static int send_to_abstract(int from, const struct sockaddr_un *to)
{
    struct err err;

    if (sandbox_enter(FILES, &err) != 0)
        return 1;
    return sendto(from, "x", 1, 0, (const struct sockaddr *)to, sizeof(*to)) < 0 ? 7 : 0;
}

static void landlock_is_part_of_it(void **state)
{
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int to = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int from = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int status;
    pid_t pid;

    (void)state;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 6)
        skip();
    snprintf(sa.sun_path + 1, sizeof(sa.sun_path) - 1, "viduhook-test-%d", (int)getpid());
    assert_int_equal(bind(to, (struct sockaddr *)&sa, sizeof(sa)), 0);
    assert_int_equal(sendto(from, "x", 1, 0, (struct sockaddr *)&sa, sizeof(sa)), 1);
    pid = fork();
    if (pid == 0)
        _exit(send_to_abstract(from, &sa));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 7);
    close(to);
    close(from);
}

/* A log that is a file must still be able to grow, and not kill the room with SIGXFSZ. */
static int log_into(int fd)
{
    struct err err;

    dup2(fd, STDERR_FILENO);
    if (sandbox_enter(FILES, &err) != 0)
        return 1;
    log_open("test", false, LOG_LEVEL_INFO);
    log_info("still.here");
    return 0;
}

static void a_log_that_is_a_file_goes_on(void **state)
{
    FILE *file = tmpfile();
    char text[1000] = "";
    int status;
    pid_t pid;

    (void)state;
    assert_non_null(file);
    pid = fork();
    if (pid == 0)
        _exit(log_into(fileno(file)));
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_true(pread(fileno(file), text, sizeof(text) - 1, 0) > 0);
    assert_non_null(strstr(text, "still.here"));
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_confirms_what_was_given_up),
        cmocka_unit_test(landlock_is_part_of_it),
        cmocka_unit_test(a_log_that_is_a_file_goes_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
