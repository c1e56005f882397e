/*
 * The last step of a download: a complete part gets its name.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_FETCH_PUBLISH_H
#define HTTP_FETCH_PUBLISH_H

#include "http/fetch_part.h"

struct published {
    char name[256];
    char sha256[SHA256_HEX_LEN + 1];
    bool existed;
};

struct publish_plan {
    const char *stem, *ext;
    mode_t mode;
    /* Called before the file is seen under this name, when it is free; NULL: not called. */
    void (*before)(const char *name, void *ctx);
    void *ctx;
};

/*
 * Syncs the part and names it stem + ext, never replacing anything: the same bytes under that
 * name are taken as done, other bytes make it stem + "-2" + ext, and so on. Syncs the directory.
 * After a failure the part is in an unknown state and has to be discarded.
 */
MUST_CHECK int part_publish(struct part *p, const struct publish_plan *plan, struct published *out);

#endif
