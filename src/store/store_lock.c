/*
 * The file stays when the lock goes: unlinking it would let two processes lock two files of the
 * same name. Its content is for people and the error message only; the lock is what counts.
 *
 * SPDX-License-Identifier: MIT
 */
#include "store/store_lock.h"

#include "base/fs.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HOLDER_MAX 63

/* "123 viduhookd\n", as lock_sign writes it, to "process 123 (viduhookd)". */
static void describe_holder(int fd, char *out, size_t size)
{
    char line[HOLDER_MAX + 1] = "";
    ssize_t n = pread(fd, line, HOLDER_MAX, 0);
    char name[32] = "";
    int pid = 0;

    if (n > 0 && sscanf(line, "%d %31[a-zA-Z0-9_.:-]", &pid, name) == 2 && pid > 0)
        snprintf(out, size, "process %d (%s)", pid, name);
    else
        snprintf(out, size, "another process");
}

static int lock_sign(int fd)
{
    char line[HOLDER_MAX + 1];
    int n =
        snprintf(line, sizeof(line), "%d %.31s\n", (int)getpid(), program_invocation_short_name);

    if (ftruncate(fd, 0) < 0 || lseek(fd, 0, SEEK_SET) < 0)
        return -errno;
    return fs_write_all(fd, line, (size_t)n);
}

int store_lock_take(const char *store, bool create, int *fd, struct err *err)
{
    autofree char *path = mem_printf("%s.lock", store);
    autoclose int file = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | (create ? O_CREAT : 0), 0600);
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    char holder[96];
    int rc;

    if (file < 0 && errno == ENOENT && !create) {
        *fd = -1;
        return 0;
    }
    if (file < 0)
        return err_sys(err, -errno, "%s", path);
    if (fcntl(file, F_OFD_SETLK, &lock) < 0) {
        if (errno != EAGAIN && errno != EACCES)
            return err_sys(err, -errno, "%s: cannot be locked", path);
        describe_holder(file, holder, sizeof(holder));
        return err_set(err, -EBUSY, "%s is held by %s", store, holder);
    }
    rc = lock_sign(file);
    if (rc < 0 && rc != -ENOSPC)
        return err_sys(err, rc, "%s", path);
    *fd = file;
    file = -1;
    return 0;
}

void store_lock_drop(int fd)
{
    fs_close_slot(&fd);
}
