/*
 * A text in the user's editor ($VISUAL, $EDITOR, else vi), in a file that nobody else can read.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_EDIT_H
#define CLI_EDIT_H

#include "base/buf.h"
#include "base/err.h"

#define EDIT_MAX (8U << 20)

/*
 * No shell: the variable is split on blanks. 0: *out is what the editor left, owned by the caller.
 * *path is where the text still lies, owned by the caller; edit_forget deletes it. The error names
 * the editor and its exit status; nothing is left then.
 */
MUST_CHECK int edit_text(struct slice text, struct buf *out, char **path, struct err *err);
/* Deletes what edit_text wrote, and frees path; NULL is fine. */
void edit_forget(char *path);

#endif
