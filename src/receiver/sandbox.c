/* SPDX-License-Identifier: MIT */
#include "receiver/sandbox.h"

#include "base/fs.h"
#include "base/log.h"

#include <errno.h>
#include <linux/landlock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* struct landlock_ruleset_attr as of ABI 6; kernels look at as much of it as they know. */
struct ruleset {
    uint64_t files;
    uint64_t net;
    uint64_t scoped;
};

/* What each ABI of Landlock added (kernel documentation, userspace-api/landlock). */
static const struct {
    int abi;
    size_t size;
    struct ruleset adds;
} abis[] = {
    {1, 8, {.files = 0x1fff}},   /* from execute to make_sym */
    {2, 8, {.files = 1 << 13}},  /* refer */
    {3, 8, {.files = 1 << 14}},  /* truncate */
    {4, 16, {.net = 3}},         /* bind and connect over TCP */
    {5, 16, {.files = 1 << 15}}, /* ioctl of devices */
    {6, 24, {.scoped = 3}},      /* abstract unix sockets, signals */
};

static int set_limit(unsigned resource, rlim_t most)
{
    struct rlimit now;

    if (getrlimit(resource, &now) != 0)
        return -errno;
    if (most > now.rlim_max)
        most = now.rlim_max;
    return setrlimit(resource, &(struct rlimit){most, most}) == 0 ? 0 : -errno;
}

/* The log may be a file that somebody redirected; it must be able to grow. */
static bool logs_to_file(void)
{
    struct stat st;

    return fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode);
}

/* Without them `limits.connections` is a promise that cannot be kept. */
static void warn_of_few_files(rlim_t wanted)
{
    struct rlimit now;

    if (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_max < wanted)
        log_warn("limits.too_few_files", LOG_I("allowed", (int64_t)now.rlim_max),
                 LOG_I("wanted", (int64_t)wanted),
                 LOG_S("remedy", "raise LimitNOFILE= or ulimit -Hn, or lower limits.connections"));
}

static int set_limits(int files, struct err *err)
{
    const struct {
        unsigned resource;
        rlim_t most;
        const char *name;
    } rows[] = {
        {RLIMIT_NOFILE, (rlim_t)files, "RLIMIT_NOFILE"},
        {RLIMIT_CORE, 0, "RLIMIT_CORE"},
        {RLIMIT_NPROC, 0, "RLIMIT_NPROC"},
        {RLIMIT_FSIZE, logs_to_file() ? RLIM_INFINITY : 0, "RLIMIT_FSIZE"},
    };

    warn_of_few_files((rlim_t)files);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int rc = set_limit(rows[i].resource, rows[i].most);

        if (rc < 0)
            return err_sys(err, rc, "%s", rows[i].name);
    }
    return 0;
}

/* A ruleset without a rule: everything it handles is denied. */
static int forbid_files(struct err *err)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    struct ruleset handled = {0};
    autoclose int fd = -1;
    size_t size = 0;

    if (abi < 1) {
        log_warn("sandbox.no_landlock", LOG_S("means", "files are denied by other means only"));
        return 0;
    }
    for (size_t i = 0; i < ARRAY_LEN(abis) && abis[i].abi <= abi; i++) {
        handled.files |= abis[i].adds.files;
        handled.net |= abis[i].adds.net;
        handled.scoped |= abis[i].adds.scoped;
        size = abis[i].size;
    }
    fd = (int)syscall(SYS_landlock_create_ruleset, &handled, size, 0);
    if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0) != 0)
        return err_sys(err, -errno, "Landlock");
    return 0;
}

int sandbox_enter(int files, struct err *err)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return err_sys(err, -errno, "prctl");
    if (set_limits(files, err) != 0 || forbid_files(err) != 0)
        return -EPERM;
    return sandbox_seccomp(err);
}
