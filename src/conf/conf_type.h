/*
 * Types of options: text to value and back.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_TYPE_H
#define CONF_CONF_TYPE_H

#include "conf/conf_table.h"

extern const struct conf_type conf_type_text;     /* char * */
extern const struct conf_type conf_type_path;     /* char *, made absolute */
extern const struct conf_type conf_type_int;      /* int */
extern const struct conf_type conf_type_size;     /* uint64_t or int64_t, bytes */
extern const struct conf_type conf_type_duration; /* int64_t, milliseconds */
extern const struct conf_type conf_type_bool;     /* bool */
extern const struct conf_type conf_type_word;     /* int or enum: one alternative of the range */
extern const struct conf_type conf_type_switch;   /* bool: the second alternative of the range */
extern const struct conf_type conf_type_set;      /* unsigned: one bit for each alternative */
extern const struct conf_type conf_type_list;     /* struct conf_list */

/* The place of a row's value. */
static inline void *conf_slot(const struct conf_row *row, void *object)
{
    return (char *)object + row->offset;
}
static inline const void *conf_slot_const(const struct conf_row *row, const void *object)
{
    return (const char *)object + row->offset;
}

/* The text of a node that must be one and not "", or NULL after a finding. */
const char *conf_want_text(const struct conf_fill *fill, const char *name,
                           const struct conf_node *node);
/* Whether a path begins with ~, which means nothing here: a finding says so. */
bool conf_is_tilde(const struct conf_fill *fill, const char *name, const struct conf_node *node,
                   const char *path);
/* Three or four octal digits, 0777 at most; *out is left alone when they are not. */
bool conf_parse_octal(const char *text, unsigned *out);
/* The option's unsigned, like 0022. */
bool conf_show_octal(const struct conf_row *row, const void *object, struct buf *out);
/*
 * Calls one for each item of a list of texts; a single text is a list of one, an empty value a
 * list of none. False after a finding: not a list, longer than max, an item that is no text.
 */
typedef void conf_each_text(const struct conf_fill *fill, const struct conf_row *row,
                            const struct conf_node *item, void *object);
bool conf_each(const struct conf_fill *fill, const struct conf_row *row,
               const struct conf_node *node, size_t max, conf_each_text *one, void *object);

/* What types of one text, and of a list of texts, have in common whatever they check. */
bool conf_text_show(const struct conf_row *row, const void *object, struct buf *out);
void conf_text_release(const struct conf_row *row, void *object);
/* In place of what was there: one adds each item, or reports it. */
void conf_list_set(const struct conf_fill *fill, const struct conf_row *row,
                   const struct conf_node *node, void *object, conf_each_text *one);
bool conf_list_show(const struct conf_row *row, const void *object, struct buf *out);
void conf_list_release(const struct conf_row *row, void *object);

void conf_list_add(struct conf_list *list, const char *text);
void conf_list_free(struct conf_list *list);

/* As YAML: plain where that is safe, else in double quotes. */
void conf_show_text(const char *text, struct buf *out);

#endif
