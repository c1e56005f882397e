/*
 * A preloaded library between the keeper and its disk. VIDUHOOK_SHIM names a file, mapped by both
 * sides, with one row of four 64-bit numbers for each call below: what it does, its argument, how
 * often it was called, how often it has returned. VIDUHOOK_SHIM_FILES: only descriptors whose path
 * contains this text are touched.
 *
 * SPDX-License-Identifier: MIT
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum row { ROW_FSYNC, ROW_FDATASYNC, ROW_PWRITE, ROW_RENAME, ROWS };
enum action { PASS, FAIL, DELAY, DROP }; /* argument: errno, milliseconds */

struct control {
    volatile int64_t action, argument, called, returned;
};

static struct control *control;

__attribute__((constructor)) static void map_control(void)
{
    const char *path = getenv("VIDUHOOK_SHIM");
    int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
    void *p = MAP_FAILED;

    if (fd >= 0)
        p = mmap(NULL, ROWS * sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    control = p != MAP_FAILED ? p : NULL;
}

static int concerns(const char *path)
{
    const char *part = getenv("VIDUHOOK_SHIM_FILES");

    return control != NULL && part != NULL && strstr(path, part) != NULL;
}

static int concerns_fd(int fd)
{
    char link[64];
    char path[4096];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    return concerns(path);
}

/* 1: the call is made; else *rc is its result. */
static int enter(enum row row, int64_t *rc)
{
    struct control *c = &control[row];
    struct timespec delay = {c->argument / 1000, c->argument % 1000 * 1000000};

    c->called++;
    if (c->action == DELAY)
        nanosleep(&delay, NULL);
    if (c->action == FAIL)
        errno = (int)c->argument;
    *rc = c->action == FAIL ? -1 : 0;
    return c->action == PASS || c->action == DELAY;
}

static int64_t leave(enum row row, int64_t rc)
{
    if (rc >= 0)
        control[row].returned++;
    return rc;
}

static int sync_with(const char *name, enum row row, int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    int64_t rc;

    if (!concerns_fd(fd))
        return real(fd);
    if (enter(row, &rc))
        rc = real(fd);
    return (int)leave(row, rc);
}

int fsync(int fd)
{
    return sync_with("fsync", ROW_FSYNC, fd);
}

int fdatasync(int fd)
{
    return sync_with("fdatasync", ROW_FDATASYNC, fd);
}

ssize_t pwrite64(int fd, const void *p, size_t n, off64_t at)
{
    ssize_t (*real)(int, const void *, size_t, off64_t) =
        (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    int64_t rc;

    if (!concerns_fd(fd))
        return real(fd, p, n, at);
    if (enter(ROW_PWRITE, &rc))
        rc = real(fd, p, n, at);
    return leave(ROW_PWRITE, rc);
}

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) =
        (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
    int64_t rc;

    if (!concerns(to))
        return real(from, to);
    if (enter(ROW_RENAME, &rc))
        rc = real(from, to);
    return (int)leave(ROW_RENAME, rc);
}
