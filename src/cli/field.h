/*
 * Members of JSON objects, as the control socket has them. A missing member is an empty one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_FIELD_H
#define CLI_FIELD_H

#include "base/buf.h"

#include <jansson.h>

const char *field_text(const json_t *object, const char *name); /* "" */
int64_t field_number(const json_t *object, const char *name, int64_t fallback);
/* A time, written as RFC 3339; 0 when there is none. */
int64_t field_time(const json_t *object, const char *name);
/* The member when it is an array, else NULL; jansson takes NULL for an empty array. */
const json_t *field_array(const json_t *object, const char *name);
/* Whatever a scalar member holds, escaped for the terminal. */
void field_show(const json_t *value, struct buf *out);
/* {"album": "x", "raw": ""} as "album=x raw". */
void field_show_tags(const json_t *tags, struct buf *out);
/* An object with one text member when value is not NULL, else an empty one. */
json_t *field_object(const char *name, const char *value);
/* Sets a text member unless value is NULL; bytes that are no UTF-8 become \\xff. */
void field_set_text(json_t *object, const char *name, const char *value);

#endif
