/*
 * A table of text: columns as wide as they need to be, the last one cut to the window.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/buf.h"

struct table;

/* titles: NULL-terminated, borrowed; one starting with '>' is aligned to the right. */
struct table *table_new(const char *const *titles);
void table_free(struct table *t);
/* The next cell, from left to right; the text is escaped here. color: SGR parameters or "". */
void table_cell(struct table *t, const char *text, const char *color);
void table_cellf(struct table *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* width: columns of a line, 0: no limit. */
void table_render(const struct table *t, size_t width, bool color, struct buf *out);

#endif
