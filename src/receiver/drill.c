/*
 * The proof that the sandbox holds, from inside. A try counts as denied only when the kernel says
 * EPERM or EACCES: any other error means that the call was reached, and with better arguments would
 * have worked. The arguments are harmless, so that a drill without a sandbox breaks nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "receiver/drill.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "receiver/receiver.h"
#include "receiver/sandbox.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATH_READ  "/etc/passwd"
#define PATH_WRITE "/tmp/viduhook-drill"
#define NOWHERE    "/nonexistent/viduhook-drill"

static int close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
    return fd;
}

/* -- files -- */

static int try_open_read(const struct drill *d)
{
    (void)d;
    return close_if_open(open(PATH_READ, O_RDONLY | O_CLOEXEC));
}

static int try_open_write(const struct drill *d)
{
    int fd;

    (void)d;
    fd = close_if_open(open(PATH_WRITE, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (fd >= 0)
        unlink(PATH_WRITE);
    return fd;
}

static int try_openat_dir(const struct drill *d)
{
    (void)d;
    return close_if_open(openat(AT_FDCWD, "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int try_open_path(const struct drill *d)
{
    (void)d;
    return close_if_open(open("/", O_PATH | O_CLOEXEC));
}

static int try_stat(const struct drill *d)
{
    struct stat st;

    (void)d;
    return stat(PATH_READ, &st);
}

static int try_mkdir(const struct drill *d)
{
    (void)d;
    return mkdir(NOWHERE, 0700);
}

static int try_unlink(const struct drill *d)
{
    (void)d;
    return unlink(NOWHERE);
}

static int try_rename(const struct drill *d)
{
    (void)d;
    return rename(NOWHERE, NOWHERE "2");
}

static int try_symlink(const struct drill *d)
{
    (void)d;
    return symlink("/", NOWHERE);
}

static int try_chmod(const struct drill *d)
{
    (void)d;
    return chmod(NOWHERE, 0600);
}

static int try_truncate(const struct drill *d)
{
    (void)d;
    return truncate(NOWHERE, 0);
}

static int try_chdir(const struct drill *d)
{
    (void)d;
    return chdir("/");
}

static int try_memfd(const struct drill *d)
{
    (void)d;
    return close_if_open(memfd_create("drill", MFD_CLOEXEC));
}

/* -- network -- */

static const struct sockaddr_in nobody = {
    .sin_family = AF_INET, .sin_addr.s_addr = 0x0100007f, .sin_port = 0x0100};

static int try_socket_inet(const struct drill *d)
{
    (void)d;
    return close_if_open(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int try_socket_udp(const struct drill *d)
{
    (void)d;
    return close_if_open(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

static int try_socket_unix(const struct drill *d)
{
    (void)d;
    return close_if_open(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int try_socket_netlink(const struct drill *d)
{
    (void)d;
    return close_if_open(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static int try_connect(const struct drill *d)
{
    return connect(d->socket, (const struct sockaddr *)&nobody, sizeof(nobody));
}

static int try_bind(const struct drill *d)
{
    return bind(d->socket, (const struct sockaddr *)&nobody, sizeof(sa_family_t));
}

static int try_listen(const struct drill *d)
{
    return listen(d->socket, 1);
}

/* -- processes -- */

static int try_execve(const struct drill *d)
{
    char *argv[] = {(char *)"drill", NULL};

    (void)d;
    return execve(NOWHERE, argv, argv + 1);
}

static int try_execveat(const struct drill *d)
{
    char *argv[] = {(char *)"drill", NULL};

    (void)d;
    return (int)syscall(SYS_execveat, AT_FDCWD, NOWHERE, argv, argv + 1, 0);
}

static int reap(pid_t pid)
{
    if (pid == 0)
        _exit(0);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return pid < 0 ? -1 : 0;
}

static int try_fork(const struct drill *d)
{
    (void)d;
    return reap(fork());
}

/* As vfork, but with memory of its own. */
static int try_clone_vfork(const struct drill *d)
{
    (void)d;
    return reap((pid_t)syscall(SYS_clone, CLONE_VFORK | SIGCHLD, NULL, NULL, NULL, NULL));
}

static int try_clone3(const struct drill *d)
{
    (void)d;
    return (int)syscall(SYS_clone3, NULL, 0);
}

static int try_ptrace(const struct drill *d)
{
    (void)d;
    return (int)ptrace(PTRACE_PEEKDATA, getppid(), NULL, NULL);
}

static int try_kill_parent(const struct drill *d)
{
    (void)d;
    return kill(getppid(), 0);
}

static int try_tgkill(const struct drill *d)
{
    (void)d;
    return (int)syscall(SYS_tgkill, 1, 1, 0);
}

static int try_read_process(const struct drill *d)
{
    char byte;
    struct iovec here = {&byte, 1};
    struct iovec there = {(void *)&nobody, 1};

    (void)d;
    return (int)process_vm_readv(getpid(), &here, 1, &there, 1, 0);
}

static int try_pidfd_open(const struct drill *d)
{
    (void)d;
    return close_if_open((int)syscall(SYS_pidfd_open, 1, 0));
}

static int try_prlimit(const struct drill *d)
{
    (void)d;
    return setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

/* -- privileges and the kernel -- */

static int try_setuid(const struct drill *d)
{
    (void)d;
    return setuid(getuid());
}

static int try_setgroups(const struct drill *d)
{
    (void)d;
    return (int)syscall(SYS_setgroups, -1, NULL);
}

static int try_dumpable(const struct drill *d)
{
    (void)d;
    return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int try_mount(const struct drill *d)
{
    (void)d;
    return mount("none", NOWHERE, "tmpfs", 0, NULL);
}

static int try_chroot(const struct drill *d)
{
    (void)d;
    return chroot(NOWHERE);
}

static int try_unshare(const struct drill *d)
{
    (void)d;
    return unshare(CLONE_FS);
}

static int try_setns(const struct drill *d)
{
    (void)d;
    return setns(-1, 0);
}

static int try_io_uring(const struct drill *d)
{
    (void)d;
    return close_if_open((int)syscall(SYS_io_uring_setup, 0, NULL));
}

static int try_bpf(const struct drill *d)
{
    (void)d;
    return close_if_open((int)syscall(SYS_bpf, 0, NULL, 0));
}

static int try_keyctl(const struct drill *d)
{
    (void)d;
    return (int)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static int try_perf(const struct drill *d)
{
    (void)d;
    return close_if_open((int)syscall(SYS_perf_event_open, NULL, 0, 0, -1, 0));
}

static int try_userfaultfd(const struct drill *d)
{
    (void)d;
    return close_if_open((int)syscall(SYS_userfaultfd, O_CLOEXEC));
}

static int try_epoll_create(const struct drill *d)
{
    (void)d;
    return close_if_open(epoll_create1(EPOLL_CLOEXEC));
}

/* -- memory that runs -- */

static int try_mmap_exec(const struct drill *d)
{
    void *p =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)d;
    if (p == MAP_FAILED)
        return -1;
    munmap(p, 4096);
    return 0;
}

static int try_mprotect_exec(const struct drill *d)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int rc = mprotect(p, 4096, PROT_READ | PROT_EXEC);
    int saved = errno;

    (void)d;
    munmap(p, 4096);
    errno = saved;
    return rc;
}

static const struct {
    const char *name;
    int (*attempt)(const struct drill *d);
} tries[] = {
    {"open-read", try_open_read},
    {"open-write", try_open_write},
    {"openat-directory", try_openat_dir},
    {"open-path", try_open_path},
    {"stat", try_stat},
    {"mkdir", try_mkdir},
    {"unlink", try_unlink},
    {"rename", try_rename},
    {"symlink", try_symlink},
    {"chmod", try_chmod},
    {"truncate", try_truncate},
    {"chdir", try_chdir},
    {"memfd_create", try_memfd},
    {"socket-inet", try_socket_inet},
    {"socket-udp", try_socket_udp},
    {"socket-unix", try_socket_unix},
    {"socket-netlink", try_socket_netlink},
    {"connect", try_connect},
    {"bind", try_bind},
    {"listen", try_listen},
    {"execve", try_execve},
    {"execveat", try_execveat},
    {"fork", try_fork},
    {"clone-vfork", try_clone_vfork},
    {"clone3", try_clone3},
    {"ptrace", try_ptrace},
    {"kill-parent", try_kill_parent},
    {"tgkill-init", try_tgkill},
    {"process_vm_readv", try_read_process},
    {"pidfd_open", try_pidfd_open},
    {"setrlimit", try_prlimit},
    {"setuid", try_setuid},
    {"setgroups", try_setgroups},
    {"prctl-dumpable", try_dumpable},
    {"mount", try_mount},
    {"chroot", try_chroot},
    {"unshare", try_unshare},
    {"setns", try_setns},
    {"io_uring_setup", try_io_uring},
    {"bpf", try_bpf},
    {"keyctl", try_keyctl},
    {"perf_event_open", try_perf},
    {"userfaultfd", try_userfaultfd},
    {"epoll_create", try_epoll_create},
    {"mmap-exec", try_mmap_exec},
    {"mprotect-exec", try_mprotect_exec},
};

int drill_open(struct drill *d)
{
    d->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return d->socket < 0 ? -errno : 0;
}

int drill_run(const struct drill *d)
{
    int reached = 0;

    for (size_t i = 0; i < ARRAY_LEN(tries); i++) {
        int rc = tries[i].attempt(d);
        bool denied = rc < 0 && (errno == EPERM || errno == EACCES);
        char line[80];
        int n = snprintf(line, sizeof(line), "drill %s %s\n", tries[i].name,
                         denied ? "denied" : "ALLOWED");

        reached += !denied;
        if (fs_write_all(STDOUT_FILENO, line, (size_t)n) != 0)
            reached++;
    }
    return reached;
}

int receiver_drill(void)
{
    struct drill d;
    struct err err;
    int reached;

    log_open("drill", false, LOG_LEVEL_INFO);
    if (drill_open(&d) != 0)
        return 1;
    if (sandbox_enter(64, &err) != 0) {
        log_error("drill.no_sandbox", LOG_E(&err));
        return 1;
    }
    reached = drill_run(&d);
    _exit(reached == 0 ? 0 : 1); /* as receiver_main does */
}
