/*
 * JSON the way a Go service writes it: no blanks, and & < > U+2028 U+2029 escaped in strings.
 *
 * Each function appends one member (with its key) or one element (key NULL) and the comma before
 * it where one is due.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_JSON_H
#define SIM_SIM_JSON_H

#include "base/buf.h"

#include <jansson.h>

void sim_json_open(struct buf *b, const char *key, char bracket);
void sim_json_close(struct buf *b, char bracket);
void sim_json_text(struct buf *b, const char *key, const char *p, size_t n);
void sim_json_str(struct buf *b, const char *key, const char *s);
void sim_json_int(struct buf *b, const char *key, int64_t n);
void sim_json_bool(struct buf *b, const char *key, bool v);
/* A value that is JSON text already. */
void sim_json_raw(struct buf *b, const char *key, const char *text);
/* A value that was read, with all that is in it. */
void sim_json_value(struct buf *b, const char *key, const json_t *v);

#endif
