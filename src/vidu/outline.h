/*
 * A large JSON object, read at the speed of memory: its long texts are checked where they lie,
 * and stay there. A parser that copies byte by byte would hold up its loop for a third of a second
 * with a 20 MiB request, nearly all of it one image in base64.
 *
 *   text     {"model": "viduq2", "images": ["data:image/png;base64,iVBORw0K..."], "seed": 1}
 *   outline  {"model": "viduq2", "images": ["\u00000"], "seed": 1}
 *
 * What is parsed is the outline. A value that begins with NUL is the number of a long text; text
 * that begins with NUL by itself counts as long, so that the two are never taken for each other.
 * Keys stay as they are. What is accepted is exactly what document_parse accepts.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_OUTLINE_H
#define VIDU_OUTLINE_H

#include "vidu/document.h"

struct outline;

/*
 * As document_parse. Texts of up to keep bytes, as they are written, are kept in the tree. text is
 * borrowed until the end; *out is to be freed.
 */
MUST_CHECK int outline_parse(const char *text, size_t n, size_t keep, struct outline **out,
                             struct err *err);
/* The tree. Its texts are to be read with the functions below. */
json_t *outline_root(const struct outline *o);
struct slice outline_source(const struct outline *o);

/*
 * The bytes of a string of the tree, empty for everything else. *memory is what has to be released
 * when the bytes have been used, or NULL.
 */
struct slice outline_text(const struct outline *o, const json_t *v, json_t **memory);
/* Any value of the tree as it is meant; a new reference. */
json_t *outline_value(const struct outline *o, json_t *v);
/* document_copy of such a string. */
char *outline_copy(const struct outline *o, const json_t *v);
/* What stands in the text for a member of the top object that is a string, with its quotes, or
 * null; empty when there is none of that name. */
struct slice outline_member(const struct outline *o, const char *name);

void outline_free(struct outline **o);
#define autooutline __attribute__((cleanup(outline_free)))

#endif
