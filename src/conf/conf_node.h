/*
 * A configuration file as a tree: texts, lists and maps, each with its place in the file.
 *
 * Every value is text; the table of options gives it its type. The tree owns its nodes, their
 * keys and texts; file names belong to whoever parsed and outlive the tree.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_NODE_H
#define CONF_CONF_NODE_H

#include "base/str.h"
#include "conf/conf.h"

enum conf_node_kind {
    NODE_EMPTY, /* `key:` with nothing behind it */
    NODE_TEXT,
    NODE_LIST,
    NODE_MAP
};

struct conf_node {
    enum conf_node_kind kind;
    const char *file;
    int line, column;
    char *key; /* under which it stands in a map, or NULL */
    int key_line, key_column;
    char *text; /* NODE_TEXT */
    struct conf_node **items;
    size_t n;
};

/* Where findings go; errors counts them. */
struct conf_findings {
    conf_report *report; /* may be NULL */
    void *ctx;
    int errors;
    const char *provider; /* takes the place of NAME in `providers.NAME.`; NULL: none is filled */
};

void conf_found(struct conf_findings *f, const char *file, int line, int column, const char *fmt,
                ...) PRINTF_LIKE(5, 6);
/* At the value of a node, and at the key it stands under. */
void conf_found_at(struct conf_findings *f, const struct conf_node *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
void conf_found_key(struct conf_findings *f, const struct conf_node *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

struct conf_node *conf_node_new(enum conf_node_kind kind, const char *file, int line, int column);
void conf_node_free(struct conf_node *node);
/* Takes the child over. */
void conf_node_add(struct conf_node *parent, struct conf_node *child);
/* The value under a key of a map; NULL when there is none or node is no map (or NULL). */
struct conf_node *conf_node_get(const struct conf_node *node, const char *key);
/* "a text", "a list", ... for messages. */
const char *conf_node_kind_name(const struct conf_node *node);

/*
 * Lays the map `over` upon `base` and frees it: maps merge deep, the list `hooks` at the top is
 * appended to, everything else in `over` replaces. An empty value replaces nothing.
 */
void conf_node_merge(struct conf_node *base, struct conf_node *over);

#endif
