/*
 * Whether a file of a library still is what was stored.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_STORED_H
#define CLI_STORED_H

#include "base/str.h"

enum stored {
    STORED_OK,
    STORED_MISSING,
    STORED_CHANGED,    /* another size, other bytes, or no regular file any more */
    STORED_UNREADABLE, /* not for us, or the disk fails */
    STORED_COUNT
};
const char *stored_name(enum stored s);

/*
 * Reads the whole file, 64 KiB at a time; a link in place of it is a change and not followed.
 * sha256: 64 hexadecimal digits, of either case. err says why, unless it is STORED_OK.
 */
enum stored stored_check(const char *path, int64_t bytes, const char *sha256, struct err *err);

#endif
