/* SPDX-License-Identifier: MIT */
#include "http/fetch_publish.h"

#include "base/encode.h"
#include "base/fs.h"
#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAMES_MAX 99

/* Whether the file of this name holds exactly the bytes of the digest. */
static bool holds(int dir_fd, const char *name, uint64_t size, const uint8_t digest[SHA256_LEN])
{
    autoclose int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct crypto_digest *d;
    uint8_t found[SHA256_LEN];
    char chunk[1 << 14];
    struct stat st;
    ssize_t n;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
        return false;
    d = crypto_digest_new();
    while ((n = read(fd, chunk, sizeof(chunk))) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            crypto_digest_add(d, chunk, (size_t)n);
    crypto_digest_final(d, found);
    return n == 0 && memcmp(found, digest, SHA256_LEN) == 0;
}

static int find_name(const struct part *p, const struct publish_plan *plan,
                     const uint8_t digest[SHA256_LEN], struct published *out)
{
    struct stat st;
    int rc = -EEXIST;

    for (int i = 1; rc == -EEXIST && i <= NAMES_MAX; i++) {
        char suffix[8] = "";

        if (i > 1)
            snprintf(suffix, sizeof(suffix), "-%d", i);
        snprintf(out->name, sizeof(out->name), "%s%s%s", plan->stem, suffix, plan->ext);
        if (plan->before != NULL && fstatat(p->dir_fd, out->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            plan->before(out->name, plan->ctx);
        rc = fs_take_name(p->dir_fd, p->file, out->name);
        if (rc == -EEXIST && holds(p->dir_fd, out->name, p->size, digest)) {
            out->existed = true;
            rc = unlinkat(p->dir_fd, p->file, 0) < 0 ? -errno : 0;
        }
    }
    return rc;
}

int part_publish(struct part *p, const struct publish_plan *plan, struct published *out)
{
    uint8_t digest[SHA256_LEN];
    int rc;

    *out = (struct published){.existed = false};
    crypto_digest_final(p->digest, digest);
    p->digest = NULL;
    encode_hex(digest, SHA256_LEN, out->sha256);
    if (ftruncate(p->fd, (off_t)p->size) < 0 || fchmod(p->fd, plan->mode) < 0 || fsync(p->fd) < 0)
        return -errno;
    /* Before the rename: after it, the meta file may be that of somebody else's new part. */
    fs_close_slot(&p->meta_fd);
    if (unlinkat(p->dir_fd, p->meta, 0) < 0 && errno != ENOENT)
        return -errno;
    rc = find_name(p, plan, digest, out);
    if (rc == 0 && fsync(p->dir_fd) < 0)
        rc = -errno;
    return rc;
}
