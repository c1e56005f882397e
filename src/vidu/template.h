/*
 * Placeholders in a hook's arguments and names: {task.id}, {file.path}, {task.prompt|json}.
 *
 * A template is checked when the configuration is loaded (unknown names are refused with a
 * suggestion) and filled when the hook runs. `{{` and `}}` stand for braces. Up to four filters
 * may follow a name: {task.prompt|trunc:80|json}; see vidu/template_filter.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_TEMPLATE_H
#define VIDU_TEMPLATE_H

#include "base/buf.h"

struct template_name {
    const char *name; /* task.id */
    const char *env;  /* VIDUHOOK_TASK_ID, or NULL when it is no variable */
    const char *help;
};

/* Every name a template may use, in the order of the manual; ends with a NULL name. */
extern const struct template_name template_names[];

MUST_CHECK int template_check(const char *text, struct err *err);

/* Value of a name; never NULL, and not changed until the next call. ctx is the caller's. */
typedef const char *template_lookup(const char *name, void *ctx);
/* Fills a template that template_check accepted. Values are never expanded again. */
void template_fill(const char *text, template_lookup *lookup, void *ctx, struct buf *out);

/* Where a template stands: how a value is escaped there, unless raw, json, url or xml did. */
enum template_place {
    TEMPLATE_PLAIN, /* not at all */
    TEMPLATE_URL,   /* percent-encoded */
    TEMPLATE_JSON,  /* inside the quotes of a JSON string */
    TEMPLATE_LINE,  /* a blank for every control character */
};
void template_fill_at(const char *text, enum template_place place, template_lookup *lookup,
                      void *ctx, struct buf *out);

/*
 * One file name from any text (media-servers.md section 1): composes letters and their marks
 * (vidu/compose.h), strips / \ : * ? " < > | and control
 * characters, leading dots, trailing dots and blanks, defuses the word "sample" and the endings
 * that media servers hide, cuts at max bytes between characters. May come out empty.
 */
void template_file_name(const char *text, size_t max, struct buf *out);

#endif
