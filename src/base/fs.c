/* SPDX-License-Identifier: MIT */
#include "base/fs.h"

#include "base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fs_close_slot(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

int fs_read_fd(int fd, size_t max, char **data, size_t *len)
{
    autobuf struct buf b = BUF_INIT(max);
    char chunk[16384];

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            break;
        buf_add(&b, chunk, (size_t)n);
        if (!buf_ok(&b))
            return -EFBIG;
    }
    *len = b.len;
    *data = buf_take(&b);
    return 0;
}

/* The mode is asked of the descriptor that is read, so the file cannot change in between. */
static int read_file(const char *path, bool is_private, size_t max, char **data, size_t *len,
                     struct err *err)
{
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    int rc;

    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, -errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EINVAL, "%s: not a regular file", path);
    if (is_private && (st.st_mode & 0007) != 0)
        return err_set(err, -EPERM, "%s is open to every user (mode %04o); run: chmod o= %s", path,
                       (unsigned)st.st_mode & 07777, path);
    rc = fs_read_fd(fd, max, data, len);
    if (rc == -EFBIG)
        return err_set(err, rc, "%s: larger than %zu bytes", path, max);
    return rc < 0 ? err_sys(err, rc, "%s", path) : 0;
}

int fs_read_file(const char *path, size_t max, char **data, size_t *len, struct err *err)
{
    return read_file(path, false, max, data, len, err);
}

int fs_read_private_file(const char *path, size_t max, char **data, size_t *len, struct err *err)
{
    return read_file(path, true, max, data, len, err);
}

int fs_write_all(int fd, const void *p, size_t n)
{
    const char *at = p;

    while (n > 0) {
        ssize_t done = write(fd, at, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -errno;
        at += done;
        n -= (size_t)done;
    }
    return 0;
}

char *fs_join(const char *dir, const char *name)
{
    return name[0] == '/' ? mem_strdup(name) : mem_printf("%s/%s", dir, name);
}

char *fs_dirname(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (slash == NULL)
        return mem_strdup(".");
    return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

int fs_sync_dir(const char *path, struct err *err)
{
    autoclose int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0 || fsync(fd) < 0)
        return err_sys(err, -errno, "%s", path);
    return 0;
}

/* A synced file under a name of its own beside the target. */
static int write_temp(const char *temp, const void *p, size_t n, mode_t mode)
{
    autoclose int fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    int rc;

    if (fd < 0)
        return -errno;
    rc = fs_write_all(fd, p, n);
    if (rc == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0))
        rc = -errno;
    return rc;
}

static int publish(const char *path, const void *p, size_t n, mode_t mode, bool replace,
                   struct err *err)
{
    autofree char *dir = fs_dirname(path);
    autofree char *temp = mem_printf("%s.%d.tmp", path, (int)getpid());
    int rc = write_temp(temp, p, n, mode);

    if (rc == 0 && renameat2(AT_FDCWD, temp, AT_FDCWD, path, replace ? 0 : RENAME_NOREPLACE) < 0)
        rc = -errno;
    if (rc < 0) {
        unlink(temp);
        return err_sys(err, rc, "%s", path);
    }
    return fs_sync_dir(dir, err);
}

int fs_replace_file(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
{
    return publish(path, p, n, mode, true, err);
}

int fs_create_file(const char *path, const void *p, size_t n, mode_t mode, struct err *err)
{
    return publish(path, p, n, mode, false, err);
}

int fs_mkdirs(const char *path, mode_t mode, struct err *err)
{
    autofree char *copy = mem_strdup(path);
    struct stat st;

    for (char *at = copy + 1;; at++) {
        char kept = *at;

        if (kept != '/' && kept != '\0')
            continue;
        *at = '\0';
        if (mkdir(copy, mode) < 0 && errno != EEXIST)
            return err_sys(err, -errno, "%s", copy);
        *at = kept;
        if (kept == '\0')
            break;
    }
    if (stat(path, &st) < 0)
        return err_sys(err, -errno, "%s", path);
    return S_ISDIR(st.st_mode) ? 0 : err_set(err, -ENOTDIR, "%s: not a directory", path);
}

/* Not every file system knows RENAME_NOREPLACE. */
int fs_take_name(int dir_fd, const char *from, const char *to)
{
    if (renameat2(dir_fd, from, dir_fd, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS)
        return -errno;
    if (linkat(dir_fd, from, dir_fd, to, 0) < 0)
        return -errno;
    return unlinkat(dir_fd, from, 0) < 0 ? -errno : 0;
}

int fs_set_nonblock(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

void fs_hold_standard(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    fs_close_slot(&fd);
}

int fs_set_cloexec(int fd, int on)
{
    return fcntl(fd, F_SETFD, on ? FD_CLOEXEC : 0) < 0 ? -errno : 0;
}
