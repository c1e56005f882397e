/* SPDX-License-Identifier: MIT */
#include "http/fetch_part.h"

#include "base/fs.h"
#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define WRITEBACK_BYTES (1U << 20)
#define SYNC_BYTES      (32U << 20)
#define REHASH_BYTES    (4U << 20) /* in one turn of the loop */
#define META_MAX        1024
#define META_HEAD       "viduhook-part 1"

/* ---- the meta file ---- */

/* Takes one line off *rest. */
static struct slice take_line(struct slice *rest)
{
    const char *end = rest->n != 0 ? memchr(rest->p, '\n', rest->n) : NULL;
    size_t n = end != NULL ? (size_t)(end - rest->p) : 0;
    struct slice line = {rest->p, n};

    if (end != NULL)
        n++;
    rest->p += n;
    rest->n -= n;
    return line;
}

static int parse_meta(struct part *p, struct slice text, uint64_t file_size)
{
    struct slice head = take_line(&text);
    struct slice synced = take_line(&text);
    struct slice total = take_line(&text);
    struct slice validator = take_line(&text);
    uint64_t synced_n, total_n;

    if (!slice_is(head, META_HEAD) || validator.n == 0 || validator.n >= PART_VALIDATOR_SIZE)
        return -EINVAL;
    if (str_to_u64(synced.p, synced.n, file_size, &synced_n) < 0 ||
        str_to_u64(total.p, total.n, INT64_MAX, &total_n) < 0)
        return -EINVAL;
    if (synced_n == 0 || (total_n != 0 && synced_n > total_n))
        return -EINVAL;
    p->size = p->started = p->synced = synced_n;
    p->total = total_n;
    memcpy(p->validator, validator.p, validator.n);
    p->validator[validator.n] = '\0';
    return 0;
}

static int read_meta(struct part *p, uint64_t file_size)
{
    autofree char *text = NULL;
    size_t n;
    int rc;

    p->meta_fd = openat(p->dir_fd, p->meta, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (p->meta_fd < 0)
        return -errno;
    rc = fs_read_fd(p->meta_fd, META_MAX, &text, &n);
    return rc < 0 ? rc : parse_meta(p, (struct slice){text, n}, file_size);
}

/*
 * One write over the old text, which is never longer than the new: a kill leaves one or the
 * other. After a power cut it may be empty or old, and both only cost bytes.
 */
static int write_meta(struct part *p)
{
    char text[META_MAX];
    int n;

    if (p->meta_fd < 0)
        return 0;
    n = snprintf(text, sizeof(text), META_HEAD "\n%020llu\n%020llu\n%s\n",
                 (unsigned long long)p->synced, (unsigned long long)p->total, p->validator);
    return pwrite(p->meta_fd, text, (size_t)n, 0) == n ? 0 : -EIO;
}

static int drop_meta(struct part *p)
{
    fs_close_slot(&p->meta_fd);
    return unlinkat(p->dir_fd, p->meta, 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* ---- opening ---- */

/* Whether the locked descriptor still is what the name means, and nothing else means it too. */
static bool is_still_ours(const struct part *p, const struct stat *st)
{
    struct stat named;

    return fstatat(p->dir_fd, p->file, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
           named.st_ino == st->st_ino && named.st_dev == st->st_dev;
}

/*
 * One attempt: 0, -EBUSY, -EAGAIN when the name changed under us, or what went wrong. Whoever
 * held the lock before may have published the file: then the name is free and we start again.
 * A second link means that publishing was cut off after its link(2), so the bytes belong to the
 * finished file: the name goes, never the bytes.
 */
static int try_open(struct part *p, struct stat *st)
{
    p->fd =
        openat(p->dir_fd, p->file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    if (p->fd < 0 && errno != ELOOP)
        return -errno;
    if (p->fd >= 0 && flock(p->fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? -EBUSY : -errno;
    if (p->fd >= 0 && fstat(p->fd, st) < 0)
        return -errno;
    if (p->fd >= 0 && !is_still_ours(p, st))
        return -EAGAIN;
    if (p->fd >= 0 && S_ISREG(st->st_mode) && st->st_nlink == 1 && st->st_uid == geteuid())
        return 0;
    return unlinkat(p->dir_fd, p->file, 0) < 0 ? -errno : -EAGAIN;
}

int part_open(struct part *p, int dir_fd, const char *name, uint64_t keep_free)
{
    struct stat st;
    int rc = -EAGAIN;

    *p = (struct part){.dir_fd = dir_fd, .fd = -1, .meta_fd = -1, .keep_free = keep_free};
    if (strlen(name) > PART_NAME_MAX)
        return -ENAMETOOLONG;
    snprintf(p->file, sizeof(p->file), ".%s.part", name);
    snprintf(p->meta, sizeof(p->meta), ".%s.part.meta", name);
    for (int i = 0; i < 8 && rc == -EAGAIN; i++) {
        fs_close_slot(&p->fd);
        rc = try_open(p, &st);
    }
    if (rc < 0) {
        fs_close_slot(&p->fd); /* not ours: part_keep and part_discard must not touch it */
        return rc;
    }
    p->digest = crypto_digest_new();
    if (read_meta(p, (uint64_t)st.st_size) < 0)
        return part_restart(p, "", 0);
    if (ftruncate(p->fd, (off_t)p->size) < 0 || lseek(p->fd, (off_t)p->size, SEEK_SET) < 0)
        return -errno;
    return 0;
}

void part_close(struct part *p)
{
    fs_close_slot(&p->meta_fd);
    fs_close_slot(&p->fd);
    crypto_digest_free(p->digest);
    p->digest = NULL;
}

/* ---- growing ---- */

int part_rehash(struct part *p)
{
    static const size_t chunk_size = 1 << 16;
    autofree char *chunk = mem_calloc(chunk_size, 1);
    uint64_t until = p->size - p->hashed > REHASH_BYTES ? p->hashed + REHASH_BYTES : p->size;

    while (p->hashed < until) {
        size_t want = until - p->hashed < chunk_size ? (size_t)(until - p->hashed) : chunk_size;
        ssize_t n = pread(p->fd, chunk, want, (off_t)p->hashed);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        crypto_digest_add(p->digest, chunk, (size_t)n);
        p->hashed += (uint64_t)n;
    }
    return p->hashed < p->size;
}

int part_restart(struct part *p, const char *validator, uint64_t total)
{
    int rc = drop_meta(p);

    if (rc < 0)
        return rc;
    if (ftruncate(p->fd, 0) < 0 || lseek(p->fd, 0, SEEK_SET) < 0)
        return -errno;
    crypto_digest_free(p->digest);
    p->digest = crypto_digest_new();
    p->size = p->hashed = p->started = p->synced = 0;
    p->torn = false;
    p->total = total;
    snprintf(p->validator, sizeof(p->validator), "%s", validator);
    if (p->validator[0] == '\0')
        return 0;
    p->meta_fd =
        openat(p->dir_fd, p->meta, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return p->meta_fd < 0 ? -errno
                          : write_meta(p); /* its block is wanted before the disk is full */
}

static int check_reserve(const struct part *p, uint64_t more)
{
    struct statvfs fs;
    uint64_t need, room;

    if (fstatvfs(p->fd, &fs) < 0)
        return -errno;
    if (__builtin_add_overflow(more, p->keep_free, &need) ||
        __builtin_mul_overflow((uint64_t)fs.f_bavail, (uint64_t)fs.f_frsize, &room))
        return -ENOSPC;
    return room < need ? -ENOSPC : 0;
}

int part_reserve(struct part *p, uint64_t more)
{
    int rc = check_reserve(p, more);

    if (rc < 0 || more == 0)
        return rc;
    if (fallocate(p->fd, FALLOC_FL_KEEP_SIZE, (off_t)p->size, (off_t)more) == 0)
        return 0;
    return errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? -errno : 0;
}

/* The kernel tells a loss once: a later sync that succeeds says nothing about it. */
static int lost_bytes(struct part *p, int error)
{
    p->torn = true;
    return -error;
}

/* The disk works while more arrives, so that a sync, which stops the whole process, is short. */
static int start_writeback(struct part *p)
{
    uint64_t until = p->size - p->size % WRITEBACK_BYTES;
    uint64_t from = p->started;

    if (until <= from)
        return 0;
    p->started = until;
    if (sync_file_range(p->fd, (off_t)from, (off_t)(until - from), SYNC_FILE_RANGE_WRITE) == 0)
        return 0;
    return errno == EIO || errno == ENOSPC || errno == EDQUOT ? lost_bytes(p, errno) : 0;
}

static int sync_part(struct part *p)
{
    if (fdatasync(p->fd) < 0)
        return lost_bytes(p, errno);
    p->synced = p->size;
    return write_meta(p);
}

int part_write(struct part *p, const void *data, size_t n)
{
    int rc = fs_write_all(p->fd, data, n);

    if (rc < 0)
        return rc;
    crypto_digest_add(p->digest, data, n);
    p->size += n;
    p->hashed += n;
    rc = start_writeback(p);
    if (rc < 0 || p->size - p->synced < SYNC_BYTES)
        return rc;
    rc = sync_part(p);
    return rc < 0 ? rc : check_reserve(p, 0);
}

ssize_t part_head(const struct part *p, void *out, size_t n)
{
    ssize_t got = pread(p->fd, out, n, 0);

    return got < 0 ? -errno : got;
}

/* ---- leaving ---- */

void part_discard(struct part *p)
{
    if (p->fd >= 0 && drop_meta(p) == 0)
        unlinkat(p->dir_fd, p->file, 0);
    part_close(p);
}

void part_keep(struct part *p)
{
    bool useless;

    if (p->torn)
        p->size = p->synced;
    useless = p->size == 0 || p->validator[0] == '\0';
    /* The truncation gives back what was set aside, and cuts what a failed write left. */
    if (p->fd < 0 || useless || ftruncate(p->fd, (off_t)p->size) < 0 || sync_part(p) < 0)
        part_discard(p);
    else
        part_close(p);
}

/* ---- what nobody came back for ---- */

static bool is_in_use(int dir_fd, const char *file)
{
    autoclose int fd = openat(dir_fd, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static void sweep_one(int dir_fd, const char *name, time_t before)
{
    autofree char *part = mem_strdup(name);
    bool is_meta = str_ends(name, ".part.meta");
    struct stat st;

    if (name[0] != '.' || (!is_meta && !str_ends(name, ".part")))
        return;
    if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_mtime >= before)
        return;
    if (is_meta)
        part[strlen(part) - strlen(".meta")] = '\0';
    if (!is_in_use(dir_fd, part))
        unlinkat(dir_fd, name, 0);
}

void part_sweep(int dir_fd, time_t before)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *e;

    if (d == NULL) {
        fs_close_slot(&fd);
        return;
    }
    while ((e = readdir(d)) != NULL)
        sweep_one(dir_fd, e->d_name, before);
    closedir(d);
}
