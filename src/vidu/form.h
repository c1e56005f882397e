/*
 * A request as a form (multipart/form-data, RFC 7578), for the endpoints that take nothing else:
 * every member of the JSON object is a part, and a data URI in the field for media is a file.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_FORM_H
#define VIDU_FORM_H

#include "vidu/outline.h"

#define FORM_BOUNDARY_SIZE 48

/* A boundary that no content can foresee. */
void form_boundary(char out[FORM_BOUNDARY_SIZE]);

/*
 * Texts as they are, other values as JSON. file_field (NULL: none) may hold a base64 data URI,
 * whose bytes become a file; any other text there is a text. -EINVAL: a name with a quote or a
 * control character, or base64 that is none; -E2BIG: over out's ceiling.
 */
MUST_CHECK int form_build(const struct outline *o, const char *file_field, const char *boundary,
                          struct buf *out, struct err *err);

/*
 * A file as a further part of a form that form_build has built: its head is put in, and its end.
 * Returns where in out the bytes of the file belong. A shortage shows in buf_ok.
 */
size_t form_make_room(struct buf *out, const char *boundary, const char *name, const char *type);

#endif
