/*
 * The head of a request, checked strictly (hardening.md R10, 1.2).
 *
 * A pure function over bytes. What it accepts, every HTTP/1 parser reads alike, and that is the
 * point: evhttp's own parser is lax, so nothing reaches it that did not pass here.
 *
 * A Host must be one, and well formed; which name it has decides nothing, and none is answered
 * with 421 (RFC 9110 15.5.20). There is one site here, no answer depends on the name or repeats
 * it, and a path with its sealed key is known to one sender only, whatever name led a stranger
 * here. To refuse, on the other hand, would lose callbacks that are right: those of tasks that
 * were submitted under an earlier public_url, and all of them behind a proxy that sends a name of
 * its own (nginx does unless told otherwise).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_HEAD_H
#define HTTP_HEAD_H

#include "base/str.h"

#define HEAD_MAX_BYTES 8192
#define HEAD_MAX_LINES 64
#define HEAD_MAX_LINE  4096

struct head_field {
    struct slice name;
    struct slice value; /* without surrounding blanks */
};

enum head_body { HEAD_BODY_NONE, HEAD_BODY_LENGTH, HEAD_BODY_CHUNKED };

/* Slices point into the bytes that were checked. */
struct head {
    size_t bytes; /* length of the head with its empty line */
    struct slice method;
    struct slice target; /* origin form as sent */
    struct slice path;   /* target up to '?' */
    struct slice query;  /* behind '?'; empty when there is none */
    int minor;           /* HTTP/1.minor: 0 or 1 */
    struct slice host;
    enum head_body body;
    uint64_t content_length; /* with HEAD_BODY_LENGTH */
    bool expect_continue;
    bool keep_alive; /* what the client wishes */
    size_t n_fields;
    struct head_field fields[HEAD_MAX_LINES];
};

enum head_result {
    HEAD_OK,
    HEAD_MORE,  /* well formed so far, not complete */
    HEAD_BAD,   /* not acceptable; reason says why */
    HEAD_LARGE, /* over one of the limits above */
};

/*
 * Looks at the first n bytes of a stream. May be called again with more of the same stream;
 * *scanned (0 at first) remembers how far the search for the end has come, so that no byte is
 * looked at twice. reason is static text, set with HEAD_BAD and HEAD_LARGE. The request line is
 * judged as soon as it is whole.
 */
enum head_result head_check(const char *p, size_t n, size_t *scanned, struct head *out,
                            const char **reason);
/* The only field of this name (any case); NULL when it is absent. *n says how many there are. */
const struct head_field *head_field(const struct head *h, const char *name, size_t *n);

#endif
