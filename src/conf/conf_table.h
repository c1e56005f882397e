/*
 * The one table of options: what validates a file also fills the snapshot, shows it, releases it
 * and documents it.
 *
 * A row belongs to a scope: the file itself, one provider, one hook. A scope is an object (struct
 * conf, conf_provider, conf_hook) and the offset of a row lies in it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_TABLE_H
#define CONF_CONF_TABLE_H

#include "conf/conf.h"
#include "conf/conf_node.h"

enum conf_scope { SCOPE_FILE, SCOPE_PROVIDER, SCOPE_HOOK };

struct conf_fill {
    struct conf_findings *found;
    const char *dir;       /* absolute; relative paths start here */
    conf_check_pair *pair; /* NULL: certificates are not looked into */
    bool partial; /* a file could not be read: what seems to be missing may stand in there */
};

struct conf_row;

/* Every type has set; the others may be NULL. */
struct conf_type {
    /* Stores the node's value, replacing what was there, or reports why it cannot. */
    void (*set)(const struct conf_fill *fill, const struct conf_row *row,
                const struct conf_node *node, void *object);
    /* Appends the value as YAML on one line; false (and nothing appended) when it is not set. */
    bool (*show)(const struct conf_row *row, const void *object, struct buf *out);
    void (*release)(const struct conf_row *row, void *object);
};

struct conf_row {
    struct conf_option doc;
    const struct conf_type *type;
    enum conf_scope scope;
    const char *key; /* the name within the scope: limits.max_body */
    size_t offset;
    const int *values; /* words: what the alternatives of the range stand for; NULL: 0, 1, ... */
    bool required;
    bool computed; /* the fallback is for people; code of the scope presets the value */
};

extern const struct conf_row conf_rows[];
extern const size_t conf_n_rows;

/*
 * Defaults first, then everything in the map. Reports unknown, mistyped and missing options.
 * What code presets (computed) it must have set before.
 */
void conf_table_fill(const struct conf_fill *fill, enum conf_scope scope,
                     const struct conf_node *map, void *object);
void conf_table_release(enum conf_scope scope, void *object);

#endif
