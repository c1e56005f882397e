/* SPDX-License-Identifier: MIT */
#include "cli/stored.h"

#include "base/encode.h"
#include "base/fs.h"
#include "vidu/crypto.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)64 << 10)

const char *stored_name(enum stored s)
{
    static const char *const names[STORED_COUNT] = {
        [STORED_OK] = "ok",
        [STORED_MISSING] = "missing",
        [STORED_CHANGED] = "changed",
        [STORED_UNREADABLE] = "unreadable",
    };

    return (unsigned)s < STORED_COUNT ? names[s] : "?";
}

/* Why it could not be opened or read. A link answers ELOOP. */
static enum stored judge(int error, const char *path, struct err *err)
{
    if (error == ENOENT || error == ENOTDIR) {
        err_set(err, -error, "%s: is not there", path);
        return STORED_MISSING;
    }
    if (error == ELOOP) {
        err_set(err, -error, "%s: is a link now", path);
        return STORED_CHANGED;
    }
    err_sys(err, -error, "%s", path);
    return STORED_UNREADABLE;
}

/* 0 and the hexadecimal digest of everything up to the end, or -errno. */
static int hash(int fd, char out[SHA256_HEX_LEN + 1])
{
    struct crypto_digest *d = crypto_digest_new();
    autofree char *chunk = mem_calloc(CHUNK, 1);
    uint8_t digest[SHA256_LEN];
    ssize_t n;

    while ((n = read(fd, chunk, CHUNK)) > 0 || (n < 0 && errno == EINTR))
        if (n > 0)
            crypto_digest_add(d, chunk, (size_t)n);
    n = n < 0 ? -errno : 0;
    crypto_digest_final(d, digest);
    encode_hex(digest, SHA256_LEN, out);
    return (int)n;
}

enum stored stored_check(const char *path, int64_t bytes, const char *sha256, struct err *err)
{
    autoclose int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char now[SHA256_HEX_LEN + 1];
    struct stat st;
    int rc;

    if (fd < 0 || fstat(fd, &st) < 0)
        return judge(errno, path, err);
    if (!S_ISREG(st.st_mode) || st.st_size != bytes) {
        err_set(err, -EINVAL, "%s: has %lld bytes, %lld were stored", path, (long long)st.st_size,
                (long long)bytes);
        return STORED_CHANGED;
    }
    rc = hash(fd, now);
    if (rc < 0)
        return judge(-rc, path, err);
    if (str_eq_nocase(now, sha256))
        return STORED_OK;
    err_set(err, -EINVAL, "%s: holds other bytes than were stored", path);
    return STORED_CHANGED;
}
