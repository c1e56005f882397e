/*
 * Text for terminals: what strangers wrote made harmless, widths, colours.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_TERM_H
#define CLI_TERM_H

#include "base/buf.h"

/*
 * Appends text of unknown origin. Control characters (C0, DEL, C1) and those that turn the
 * direction of writing become \uXXXX, bytes that are not UTF-8 \xNN. With lines, LF and TAB stay.
 * JSON text passed through here (with lines) keeps its meaning.
 */
void term_escape(struct buf *out, const char *p, size_t n, bool lines);
void term_adds(struct buf *out, const char *s); /* NULL is fine; one line */

/* Columns that escaped text takes; East Asian wide characters count two. */
size_t term_columns(const char *s);
/* Appends s, cut to the given columns with an ellipsis when it is longer. */
void term_add_cut(struct buf *out, const char *s, size_t columns);

/* The SGR parameters for a task's or run's state, "" for none. */
const char *term_state_color(const char *state);
/* Appends s between a colour and its end, or just s when color is empty. */
void term_add_colored(struct buf *out, const char *color, const char *s);

/* Columns of the terminal on fd; COLUMNS counts first; 80 when unknown. */
size_t term_window(int fd);

#endif
