/* SPDX-License-Identifier: MIT */
#include "conf/conf_node.h"

#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define FINDING_MAX 8192

/* A finding is one line and moves no cursor, whatever the value it quotes. */
static void add_visible(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            buf_addf(out, "\\x%02x", (unsigned)*text);
        else
            buf_addc(out, *text);
}

#define ANY_PROVIDER "providers.NAME."

/* The table calls an option of every provider by one name; people are told whose it is. */
static void add_named(const struct conf_findings *f, const char *text, struct buf *out)
{
    const char *at = f->provider != NULL ? strstr(text, ANY_PROVIDER) : NULL;

    for (; at != NULL; at = strstr(text, ANY_PROVIDER)) {
        autofree char *before = mem_strndup(text, (size_t)(at - text));

        add_visible(out, before);
        buf_adds(out, "providers.");
        add_visible(out, f->provider);
        buf_addc(out, '.');
        text = at + strlen(ANY_PROVIDER);
    }
    add_visible(out, text);
}

static void found(struct conf_findings *f, const char *file, int line, int column, const char *fmt,
                  va_list ap) PRINTF_LIKE(5, 0);

static void found(struct conf_findings *f, const char *file, int line, int column, const char *fmt,
                  va_list ap)
{
    autobuf struct buf shown = BUF_INIT(FINDING_MAX);
    char text[1024];

    f->errors++;
    if (f->report == NULL)
        return;
    vsnprintf(text, sizeof(text), fmt, ap);
    add_named(f, text, &shown);
    f->report(file, line, column, buf_text(&shown), f->ctx);
}

void conf_found(struct conf_findings *f, const char *file, int line, int column, const char *fmt,
                ...)
{
    va_list ap;

    va_start(ap, fmt);
    found(f, file, line, column, fmt, ap);
    va_end(ap);
}

void conf_found_at(struct conf_findings *f, const struct conf_node *at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    found(f, at->file, at->line, at->column, fmt, ap);
    va_end(ap);
}

void conf_found_key(struct conf_findings *f, const struct conf_node *at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    found(f, at->file, at->key_line, at->key_column, fmt, ap);
    va_end(ap);
}

struct conf_node *conf_node_new(enum conf_node_kind kind, const char *file, int line, int column)
{
    struct conf_node *node = mem_calloc(1, sizeof(*node));

    node->kind = kind;
    node->file = file;
    node->line = line;
    node->column = column;
    return node;
}

/* Recursion is as deep as the tree, which the parser limits. */
void conf_node_free(struct conf_node *node)
{
    if (node == NULL)
        return;
    for (size_t i = 0; i < node->n; i++)
        conf_node_free(node->items[i]);
    free(node->items);
    free(node->key);
    free(node->text);
    free(node);
}

void conf_node_add(struct conf_node *parent, struct conf_node *child)
{
    /* grows at powers of two */
    if ((parent->n & (parent->n - 1)) == 0)
        parent->items = mem_realloc(parent->items, parent->n != 0 ? parent->n * 2 : 1,
                                    sizeof(struct conf_node *));
    parent->items[parent->n++] = child;
}

static struct conf_node **find_slot(const struct conf_node *map, const char *key)
{
    for (size_t i = 0; i < map->n; i++)
        if (str_eq(map->items[i]->key, key))
            return &map->items[i];
    return NULL;
}

struct conf_node *conf_node_get(const struct conf_node *node, const char *key)
{
    struct conf_node **slot = node != NULL && node->kind == NODE_MAP ? find_slot(node, key) : NULL;

    return slot != NULL ? *slot : NULL;
}

const char *conf_node_kind_name(const struct conf_node *node)
{
    static const char *const names[] = {
        [NODE_EMPTY] = "empty",
        [NODE_TEXT] = "a text",
        [NODE_LIST] = "a list",
        [NODE_MAP] = "a map",
    };

    return names[node->kind];
}

static void append_items(struct conf_node *base, struct conf_node *over)
{
    for (size_t i = 0; i < over->n; i++)
        conf_node_add(base, over->items[i]);
    over->n = 0;
    conf_node_free(over);
}

static void merge_map(struct conf_node *base, struct conf_node *over, bool top)
{
    for (size_t i = 0; i < over->n; i++) {
        struct conf_node *new = over->items[i];
        struct conf_node **slot = find_slot(base, new->key);

        if (slot == NULL) {
            conf_node_add(base, new);
        } else if (new->kind == NODE_EMPTY) {
            conf_node_free(new);
        } else if ((*slot)->kind == NODE_MAP && new->kind == NODE_MAP) {
            merge_map(*slot, new, false);
        } else if (top && str_eq(new->key, "hooks") && (*slot)->kind == NODE_LIST &&
                   new->kind == NODE_LIST) {
            append_items(*slot, new);
        } else {
            conf_node_free(*slot);
            *slot = new;
        }
    }
    over->n = 0;
    conf_node_free(over);
}

void conf_node_merge(struct conf_node *base, struct conf_node *over)
{
    merge_map(base, over, true);
}
