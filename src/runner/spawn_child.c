/* SPDX-License-Identifier: MIT */
#include "runner/spawn_child.h"

#include "base/mem.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The functions of the C library would tell our own threads (the resolver's) to follow. */
#ifdef SYS_setresuid32
#define CALL_SETGROUPS SYS_setgroups32
#define CALL_SETRESGID SYS_setresgid32
#define CALL_SETRESUID SYS_setresuid32
#else
#define CALL_SETGROUPS SYS_setgroups
#define CALL_SETRESGID SYS_setresgid
#define CALL_SETRESUID SYS_setresuid
#endif

/* Written by the child, read by us when it is gone. */
struct failure {
    const char *what;
    int code;
};

/* All that is not as a program expects it: to set each of the 64 for every command took a fiftieth
 * of the time of a short one. */
static const int ignored[] = {SIGHUP, SIGINT, SIGPIPE, SIGTERM};

void spawn_set_signals(void)
{
    for (int i = 1; i < NSIG; i++)
        signal(i, SIG_DFL); /* KILL and STOP, and the library's own, refuse */
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        signal(ignored[i], SIG_IGN);
}

static void set_signals(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;

    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        sigaction(ignored[i], &plain, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static int set_files(const struct child_plan *p)
{
    if (dup2(p->in, STDIN_FILENO) < 0 || dup2(p->out, STDOUT_FILENO) < 0 ||
        dup2(p->out, STDERR_FILENO) < 0)
        return -1;
    return (int)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
}

static int set_limits(const struct child_plan *p)
{
    for (size_t i = 0; i < p->n_limits; i++) {
        const struct child_limit *wanted = &p->limits[i];
        struct rlimit limit;

        if (getrlimit((__rlimit_resource_t)wanted->resource, &limit) < 0)
            return -1;
        if (wanted->hard < limit.rlim_max)
            limit.rlim_max = wanted->hard;
        limit.rlim_cur = wanted->soft < limit.rlim_max ? wanted->soft : limit.rlim_max;
        if (setrlimit((__rlimit_resource_t)wanted->resource, &limit) < 0)
            return -1;
    }
    return 0;
}

/* Each needs the right that the next one takes away. */
static int set_user(const struct child_plan *p)
{
    if (!p->switch_user)
        return 0;
    if (syscall(CALL_SETGROUPS, p->n_groups, p->groups) < 0 ||
        syscall(CALL_SETRESGID, p->gid, p->gid, p->gid) < 0 ||
        syscall(CALL_SETRESUID, p->uid, p->uid, p->uid) < 0)
        return -1;
    if (p->uid != 0 && syscall(CALL_SETRESUID, 0, 0, 0) == 0) {
        errno = EPERM; /* there is a way back */
        return -1;
    }
    return 0;
}

static int set_session(const struct child_plan *p)
{
    (void)p;
    set_signals();
    return setsid() < 0 ? -1 : 0;
}

static int set_directory(const struct child_plan *p)
{
    umask(p->umask);
    return chdir(p->cwd);
}

static int become(const struct child_plan *p)
{
    return execve(p->argv[0], p->argv, p->envp);
}

static const struct step {
    const char *what; /* NULL: the program itself */
    int (*take)(const struct child_plan *p);
} steps[] = {
    {"session", set_session}, {"descriptors", set_files}, {"limits", set_limits},
    {"user", set_user},       {"cwd", set_directory},     {NULL, become},
};

static _Noreturn void run_child(const struct child_plan *p, volatile struct failure *failure)
{
    size_t i = 0;

    while (steps[i].take(p) == 0)
        i++;
    failure->what = steps[i].what;
    failure->code = errno;
    _exit(127);
}

static __attribute__((noinline)) pid_t start(const struct child_plan *p,
                                             volatile struct failure *failure)
{
    pid_t pid = vfork();

    if (pid == 0)
        run_child(p, failure);
    return pid;
}

int spawn_child(const struct child_plan *plan, pid_t *out, struct err *err)
{
    volatile struct failure failure = {.code = 0};
    sigset_t all, before;
    pid_t pid;
    int rc;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before); /* no handler of ours may run in the child */
    pid = start(plan, &failure);
    rc = pid < 0 ? -errno : -failure.code;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid > 0 && rc < 0)
        waitpid(pid, NULL, 0);
    if (rc < 0)
        return failure.what != NULL ? err_sys(err, rc, "%s: %s", plan->argv[0], failure.what)
                                    : err_sys(err, rc, "%s", plan->argv[0]);
    *out = pid;
    return 0;
}
