/* SPDX-License-Identifier: MIT */
#include "http/mp4.h"

#include "base/mem.h"

#include <string.h>
#include <unistd.h>

#define BOXES_MAX  100000 /* a fragment each second for a day */
#define SIZE_TYPE  8      /* bytes: the size, then the type */
#define SIZE_LARGE 16     /* size 1: the true one, 64 bits, follows the type */

static const char known[][5] = {"ftyp", "styp", "moov", "moof", "mdat", "mfra", "free",
                                "skip", "wide", "udat", "uuid", "meta", "sidx", "emsg"};

static bool is_known(const uint8_t *type)
{
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (memcmp(known[i], type, 4) == 0)
            return true;
    return false;
}

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++)
        value = value << 8 | p[i];
    return value;
}

/* The size of the box whose head this is, 0 when it is none to be judged, or goes on to the end by
 * right. A head that is cut has zeros for the rest, so that it is never taken for a larger one. */
static uint64_t box_size(const uint8_t head[SIZE_LARGE])
{
    uint64_t size = big_endian(head, 4);
    bool large = size == 1;

    if (!is_known(head + 4))
        return 0;
    if (large)
        size = big_endian(head + SIZE_TYPE, 8);
    return size >= (large ? SIZE_LARGE : SIZE_TYPE) ? size : 0;
}

bool mp4_is_cut(int fd, uint64_t size, char type[5])
{
    uint64_t at = 0;

    for (int i = 0; i < BOXES_MAX && at < size; i++) {
        uint8_t head[SIZE_LARGE] = {0};
        ssize_t n = pread(fd, head, sizeof(head), (off_t)at);
        uint64_t box = n > 0 ? box_size(head) : 0;

        if (box == 0)
            return false;
        if (box > size - at) {
            memcpy(type, head + 4, 4);
            type[4] = '\0';
            return true;
        }
        at += box;
    }
    return false;
}
