/*
 * JSON from strangers: one parse with limits, and careful reading of what came out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_DOCUMENT_H
#define VIDU_DOCUMENT_H

#include "base/buf.h"

#include <jansson.h>

#define DOCUMENT_MAX_DEPTH  32
#define DOCUMENT_MAX_VALUES 100000
#define DOCUMENT_MAX_COUNT  1000000000000

/*
 * One JSON object, nothing before and nothing after it but white space. -E2BIG: nested deeper
 * than DOCUMENT_MAX_DEPTH or more than DOCUMENT_MAX_VALUES in it, seen before the parser begins.
 * -EINVAL: not JSON, not an object, not UTF-8, a member twice, a number beyond 64 bits. *out is a
 * new reference.
 */
MUST_CHECK int document_parse(const char *text, size_t n, json_t **out, struct err *err);

/* The bytes of a string, empty for everything else (NULL too); may hold NUL. */
struct slice document_text(const json_t *v);
/* The text of a member, borrowed from it; "" when it is absent or no string. */
const char *document_member(const json_t *object, const char *name);
/* A new string; "" for NULL, and for what is not UTF-8. */
json_t *document_string(const char *s);
/* An owned copy of a string, every NUL in it as U+FFFD; NULL when v is no string. */
char *document_copy(const json_t *v);
/*
 * A short text or whole number as text, NULs as '?', cut between characters; "" for everything
 * else. size >= 1.
 */
void document_word(const json_t *v, char *out, size_t size);
/* 40 and "40" are 40; -1 for everything that is not a whole number from 0 to DOCUMENT_MAX_COUNT,
 * beyond which sums would overflow. */
int64_t document_count(const json_t *v);
/*
 * An identifier, sent as text or as a whole number. Absent, null and "" give "" in out. -EINVAL:
 * something that cannot be one (id_is_remote).
 */
MUST_CHECK int document_id(const json_t *v, char *out, size_t size);

void document_free(json_t **v);
#define autojson __attribute__((cleanup(document_free)))

#endif
