/*
 * The file a download grows in: `.NAME.part`, locked, and `.NAME.part.meta` beside it, which says
 * how many bytes are safely on disk and of what (a strong validator and the total). Only what the
 * meta file vouches for is ever resumed.
 *
 * The fields are read by fetch.c and written here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_FETCH_PART_H
#define HTTP_FETCH_PART_H

#include "base/err.h"
#include "vidu/crypto.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define PART_VALIDATOR_SIZE 256
#define PART_NAME_MAX       220

struct part {
    int dir_fd; /* borrowed */
    int fd, meta_fd;
    char file[256], meta[256];
    uint64_t keep_free;
    uint64_t size;    /* bytes written */
    uint64_t hashed;  /* of these, known to the digest */
    uint64_t started; /* of these, handed to the disk */
    uint64_t synced;
    bool torn;      /* the disk has lost something behind synced */
    uint64_t total; /* 0: not known */
    char validator[PART_VALIDATOR_SIZE];
    struct crypto_digest *digest;
};

/*
 * Opens what an earlier transfer left, or an empty part. -EBUSY: somebody else is writing it.
 * part_close is due in any case.
 */
MUST_CHECK int part_open(struct part *p, int dir_fd, const char *name, uint64_t keep_free);
void part_close(struct part *p);

/* Adds the next bytes of a resumed part to the digest: 1 when there are more, 0 done. */
MUST_CHECK int part_rehash(struct part *p);
/* Empty again, as the beginning of what validator ("" for none) and total name. */
MUST_CHECK int part_restart(struct part *p, const char *validator, uint64_t total);
/* Room for so many more bytes and the reserve; -ENOSPC. */
MUST_CHECK int part_reserve(struct part *p, uint64_t more);
MUST_CHECK int part_write(struct part *p, const void *data, size_t n);
/* The first bytes, fewer than n when there are no more. */
MUST_CHECK ssize_t part_head(const struct part *p, void *out, size_t n);

/* Leaves it for a later resume; deletes it when that is impossible. */
void part_keep(struct part *p);
void part_discard(struct part *p);

/* Deletes parts, and meta files without one, that were last written before this time. */
void part_sweep(int dir_fd, time_t before);

#endif
