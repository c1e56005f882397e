/*
 * The chunked coding, strictly (hardening.md R11, RFC 9112 7.1).
 *
 * A size line is at most 16 hex digits, and 256 bytes with its extensions, which are checked for
 * harmless bytes and ignored; CRLF is demanded everywhere; the trailer section is dropped. Bodies
 * that are mostly framing are refused. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_CHUNK_H
#define HTTP_CHUNK_H

#include "base/str.h"

#define CHUNK_MAX_DIGITS  16
#define CHUNK_MAX_LINE    256
#define CHUNK_MAX_TRAILER 4096

enum chunk_result {
    CHUNK_MORE, /* everything was used, more is to come */
    CHUNK_DATA, /* *data is a piece of the body; call again with what is left */
    CHUNK_END,  /* the body is complete; bytes that are left belong to the next request */
    CHUNK_BAD,
};

struct chunk { /* starts zeroed */
    int state;
    uint64_t left;    /* bytes of the present chunk that have not come yet */
    size_t digits;    /* of its size */
    size_t line;      /* bytes of the present line */
    size_t trailer;   /* bytes of the trailer section */
    uint64_t framing; /* bytes so far that are not body */
    uint64_t body;    /* bytes so far that are */
};

/* Looks at p[0..n); *used says how many of them are done with. data points into p. */
enum chunk_result chunk_next(struct chunk *c, const char *p, size_t n, size_t *used,
                             struct slice *data);

#endif
