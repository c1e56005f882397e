/*
 * What a placeholder does to its value: {task.prompt|trunc:80|json}. Filters are applied from left
 * to right.
 *
 *   raw        the value as it is
 *   json       a quoted JSON string
 *   url        percent-encoded, all but unreserved characters (RFC 3986 2.3)
 *   path       safe as one file name (template_file_name)
 *   xml        text for an element or a quoted attribute (XML 1.0: what it cannot hold is left out)
 *   trunc:N    at most N bytes, cut between characters
 *   %...       for a time: %Y %m %d %H %M %S in UTC, %% is a percent sign; else letters stay
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_TEMPLATE_FILTER_H
#define VIDU_TEMPLATE_FILTER_H

#include "vidu/template.h"

/* As the manual names them; ends with a NULL name. */
struct template_filter_name {
    const char *name, *help;
};
extern const struct template_filter_name template_filter_names[];

/* Applies a checked filter to a value. The name and its argument are borrowed from the template. */
typedef void template_filter_fn(const char *value, struct slice argument, struct buf *out);

struct template_filter {
    template_filter_fn *apply;
    struct slice argument;
    bool escapes; /* decides what the value may hold: the place's own escape is not added */
};

/* word: between the bars. -EINVAL with what is wrong and, when it is near one, a suggestion. */
MUST_CHECK int template_filter_find(struct slice word, struct template_filter *out,
                                    struct err *err);

/* How a value is escaped that stands in such a place; false: not at all. */
bool template_filter_of_place(enum template_place place, struct template_filter *out);

#endif
