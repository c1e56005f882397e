/*
 * One URL into one file (hardening.md 3.3).
 *
 * Bytes go to `.NAME.part` beside the target; what a broken transfer left there is resumed with
 * Range and If-Range as long as the server says it is the same thing. Without a strong validator
 * nothing can be resumed, so no part is kept then. At the end: length, type
 * and (for video) that no box of the MP4 file is cut off are checked, the file is synced, given its
 * name without ever replacing another, and the directory is synced. Nobody sees a partial file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_FETCH_H
#define HTTP_FETCH_H

#include "http/client.h"

#include <sys/types.h>

enum fetch_kind { FETCH_VIDEO, FETCH_IMAGE, FETCH_AUDIO, FETCH_ANY };

enum fetch_result {
    FETCH_OK,
    FETCH_EXPIRED, /* 403, 404, 410: ask for a fresh URL and start again, the part is kept */
    FETCH_AGAIN,   /* network, 408, 425, 429, 5xx, short body: the part is kept */
    FETCH_FULL,    /* no space, or the space to leave free would be used: the part is kept */
    FETCH_BAD,     /* refused address, wrong type, over the size limit: the part is deleted */
};

struct fetch_request {
    const char *url;
    int dir_fd;       /* opened directory; borrowed until on_done */
    const char *name; /* one component, made by us, at most 220 bytes; for images and audio without
                         its extension, which is chosen by magic bytes */
    enum fetch_kind kind;
    uint64_t max_size;
    uint64_t keep_free; /* bytes the file system must still have afterwards */
    mode_t mode;
    int64_t timeout_ms;
};

struct fetch_outcome {
    enum fetch_result result;
    char name[256]; /* the final name: may carry a suffix when the wanted one held other bytes */
    uint64_t bytes;
    uint64_t resumed_at; /* 0: from the start */
    char sha256[65];     /* hex */
    bool existed;        /* the same bytes were there already */
    int http_status;
    int64_t retry_after_ms; /* -1: absent */
    char detail[512];       /* why, for people and the log; no query string */
};

struct fetch;
struct fetch_ops {
    void (*on_progress)(struct fetch *f, uint64_t done, uint64_t total, void *ctx); /* <= 5 per s */
    /* The file is complete and about to be seen under this name, unless another takes it now: what
     * must stand beside it first is written here. May be NULL. */
    void (*on_naming)(struct fetch *f, const char *name, void *ctx);
    void (*on_done)(struct fetch *f, const struct fetch_outcome *o,
                    void *ctx); /* f is gone after */
};

/* NULL with err when it cannot even start. The strings are copied. */
struct fetch *fetch_start(struct client *c, const struct fetch_request *req,
                          const struct fetch_ops *ops, void *ctx, struct err *err);
/* What will be added to the name that was asked for, such as ".jpg"; "" while that is not known. */
const char *fetch_extension(const struct fetch *f);
/* Keeps the part; no callback follows. */
void fetch_cancel(struct fetch *f);

/* Deletes parts that nobody has touched for so long. */
void fetch_sweep(int dir_fd, int64_t older_than_ms);

#endif
