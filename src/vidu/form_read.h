/*
 * What a form (multipart/form-data, RFC 7578) says, for the record: a form goes to its provider as
 * it came, so nothing depends on this. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_FORM_READ_H
#define VIDU_FORM_READ_H

#include "base/str.h"

#include <jansson.h>

#define FORM_READ_MAX_PARTS 64
#define FORM_READ_MAX_NAME  128         /* bytes */
#define FORM_READ_MAX_TEXT  (16U << 10) /* bytes of all texts that are kept as they are */

/* Whether a Content-Type is multipart/form-data. */
bool form_read_is_form(struct slice content_type);
/*
 * {"name": "text", ...}; files, and texts that are no UTF-8 or too long, as "[image/png 52113 bytes
 * sha256:...]". What cannot be understood is left out, and so is what is over the limits: any bytes
 * are fine. Owned by the caller.
 */
json_t *form_read(struct slice content_type, struct slice body);

#endif
