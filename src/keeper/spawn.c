/* SPDX-License-Identifier: MIT */
#include "keeper/spawn.h"

#include "wire/hello.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LIFTED_FROM 64

/* What a room may inherit. Everything else may be a secret of the operator's. */
static const char *const kept_variables[] = {
    "PATH",           "HOME",         "LANG",          "TZ",           "TMPDIR",
    "JOURNAL_STREAM", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS",
};

int spawn_lift(int fd)
{
    int lifted = fcntl(fd, F_DUPFD_CLOEXEC, LIFTED_FROM);

    if (lifted < 0 && errno == EINVAL) /* RLIMIT_NOFILE is below that */
        return -EMFILE;
    return lifted < 0 ? -errno : lifted;
}

int spawn_pair(int out[2], struct err *err)
{
    int pair[2];
    int rc = 0;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
        return err_sys(err, -errno, "socketpair");
    out[0] = spawn_lift(pair[0]);
    out[1] = spawn_lift(pair[1]);
    close(pair[0]);
    close(pair[1]);
    if (out[0] < 0 || out[1] < 0) {
        rc = out[0] < 0 ? out[0] : out[1];
        if (out[0] >= 0)
            close(out[0]);
        if (out[1] >= 0)
            close(out[1]);
    }
    return rc < 0 ? err_sys(err, rc, "socketpair") : 0;
}

static char **build_environment(void)
{
    char **env = mem_calloc(ARRAY_LEN(kept_variables) + 1, sizeof(*env));
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(kept_variables); i++) {
        const char *value = getenv(kept_variables[i]);

        if (value != NULL)
            env[n++] = mem_printf("%s=%s", kept_variables[i], value);
    }
    return env;
}

static void free_environment(char **env)
{
    for (size_t i = 0; env[i] != NULL; i++)
        free(env[i]);
    free(env);
}

static int add_descriptors(posix_spawn_file_actions_t *actions, int channel_fd, const int *fds,
                           size_t n_fds)
{
    int rc = posix_spawn_file_actions_adddup2(actions, channel_fd, ROOM_CHANNEL_FD);

    for (int fd = STDIN_FILENO; rc == 0 && fd <= STDOUT_FILENO; fd++)
        rc = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
    for (size_t i = 0; rc == 0 && i < n_fds; i++)
        rc = posix_spawn_file_actions_adddup2(actions, fds[i], ROOM_FIRST_FD + (int)i);
    if (rc == 0)
        rc = posix_spawn_file_actions_addclosefrom_np(actions, ROOM_FIRST_FD + (int)n_fds);
    return rc;
}

static int set_attributes(posix_spawnattr_t *attr)
{
    sigset_t none;
    sigset_t all;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(attr, &none);
    posix_spawnattr_setsigdefault(attr, &all);
    posix_spawnattr_setpgroup(attr, 0);
    return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETPGROUP);
}

int spawn_room(const char *title, const char *room, int channel_fd, const int *fds, size_t n_fds,
               pid_t *pid, int *pidfd, struct err *err)
{
    autofree char *option = mem_printf("--room=%s", room);
    char *argv[] = {(char *)title, option, NULL};
    char **env = build_environment();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    pid_t child = 0;
    int rc;

    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    rc = add_descriptors(&actions, channel_fd, fds, n_fds);
    if (rc == 0)
        rc = set_attributes(&attr);
    if (rc == 0)
        rc = posix_spawn(&child, "/proc/self/exe", &actions, &attr, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    free_environment(env);
    if (rc != 0)
        return err_sys(err, -rc, "cannot start %s", title);
    *pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    if (*pidfd < 0) {
        rc = errno;
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
        return err_sys(err, -rc, "cannot watch %s", title);
    }
    *pid = child;
    return 0;
}
