/*
 * Files: whole, bounded, and replaced atomically.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_FS_H
#define BASE_FS_H

#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

/* `autoclose int fd = -1` is closed when fd goes out of scope. */
void fs_close_slot(int *fd);
#define autoclose __attribute__((cleanup(fs_close_slot)))

/* A regular file of at most max bytes into *data (owned by the caller, NUL behind). -EFBIG. */
MUST_CHECK int fs_read_file(const char *path, size_t max, char **data, size_t *len,
                            struct err *err);
/* The same for a secret, to be released with mem_wipe_free: -EPERM when every user may do something
 * with the file (a bit of 007). */
MUST_CHECK int fs_read_private_file(const char *path, size_t max, char **data, size_t *len,
                                    struct err *err);
/* Everything from a descriptor up to its end; -EFBIG over max. */
MUST_CHECK int fs_read_fd(int fd, size_t max, char **data, size_t *len);
/* All n bytes or -errno; goes on after EINTR and short writes. */
MUST_CHECK int fs_write_all(int fd, const void *p, size_t n);
/* New content under the old name: temp file beside it, sync, rename, sync of the directory. */
MUST_CHECK int fs_replace_file(const char *path, const void *p, size_t n, mode_t mode,
                               struct err *err);
/* A new file; -EEXIST when the name is taken. Synced like fs_replace_file. */
MUST_CHECK int fs_create_file(const char *path, const void *p, size_t n, mode_t mode,
                              struct err *err);
/* The file `from` gets the name `to` in the same directory, never replacing anything: -EEXIST. */
MUST_CHECK int fs_take_name(int dir_fd, const char *from, const char *to);
/* As `mkdir -p`; existing directories keep their mode. */
MUST_CHECK int fs_mkdirs(const char *path, mode_t mode, struct err *err);
MUST_CHECK int fs_sync_dir(const char *path, struct err *err);

/* "dir/name", or name alone when it is absolute; owned by the caller. */
char *fs_join(const char *dir, const char *name);
/* The directory part of a path, "." when there is none; owned by the caller. */
char *fs_dirname(const char *path);

/*
 * Before anything is opened: standard input, output and error are taken when they are closed, or
 * the next file or socket would get their number and be written to by mistake. What is written to
 * them still fails with EBADF.
 */
void fs_hold_standard(void);
int fs_set_nonblock(int fd);
int fs_set_cloexec(int fd, int on);

#endif
