/* SPDX-License-Identifier: MIT */
#include "conf/conf_yaml.h"

#include <string.h>
#include <yaml.h>

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one looked at; released by the next `advance` */
    const char *file;
    const char *text;
    size_t n;
    struct conf_findings *found;
    size_t nodes;
};

static int line_of(const yaml_mark_t *mark)
{
    return (int)mark->line + 1;
}

static int column_of(const yaml_mark_t *mark)
{
    return (int)mark->column + 1;
}

static void complain(struct reader *r, const yaml_mark_t *mark, const char *text)
{
    conf_found(r->found, r->file, line_of(mark), column_of(mark), "%s", text);
}

/* A byte that is no UTF-8 has an offset but no mark. */
static void complain_offset(struct reader *r, size_t offset)
{
    int line = 1;
    int column = 1;

    for (size_t i = 0; i < offset && i < r->n; i++) {
        column = r->text[i] == '\n' ? 1 : column + 1;
        line += r->text[i] == '\n';
    }
    conf_found(r->found, r->file, line, column, "not UTF-8 text: %s", r->parser.problem);
}

/* Whether a tab is among the blanks that the n-th line (from 0) begins with. */
static bool begins_with_tab(const struct reader *r, size_t n)
{
    struct slice rest = {r->text, r->n};
    const char *end;

    for (; n > 0 && (end = memchr(rest.p, '\n', rest.n)) != NULL; n--)
        rest = (struct slice){end + 1, rest.n - (size_t)(end + 1 - rest.p)};
    while (n == 0 && rest.n != 0 && *rest.p == ' ')
        rest = (struct slice){rest.p + 1, rest.n - 1};
    return n == 0 && rest.n != 0 && *rest.p == '\t';
}

/* libyaml's words, and what people need besides: where the thing began, and that tabs do not count.
 */
static void complain_syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    bool elsewhere = p->context != NULL && p->context_mark.line != p->problem_mark.line;
    autofree char *begin =
        elsewhere ? mem_printf(", which begins in line %d", line_of(&p->context_mark)) : NULL;

    if (p->error == YAML_READER_ERROR) {
        complain_offset(r, p->problem_offset);
        return;
    }
    conf_found(r->found, r->file, line_of(&p->problem_mark), column_of(&p->problem_mark),
               "%s%s%s%s%s", str_or(p->problem, "not YAML"), p->context != NULL ? " " : "",
               str_or(p->context, ""), str_or(begin, ""),
               begins_with_tab(r, p->problem_mark.line) ? "; indent with blanks, not with tabs"
                                                        : "");
}

static bool advance(struct reader *r)
{
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event))
        return true;
    memset(&r->event, 0, sizeof(r->event));
    complain_syntax(r);
    return false;
}

/* What YAML can do beyond plain data. Reading goes on, so that all of it is reported. */
static void check_plain(struct reader *r, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL)
        complain(r, &r->event.start_mark, "anchors (&name) are not supported; write it out");
    if (tag != NULL)
        complain(r, &r->event.start_mark, "tags (!name) are not supported; every value is text");
}

static struct conf_node *node_here(struct reader *r, enum conf_node_kind kind)
{
    const yaml_mark_t *mark = &r->event.start_mark;

    return conf_node_new(kind, r->file, line_of(mark), column_of(mark));
}

/* Bytes that no option has a use for and that neither a terminal nor a C string takes well. That it
 * is UTF-8 has been checked: behind 0xc2 another byte stands. */
static bool has_control(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];

        if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7f)
            return true;
        if (c == 0xc2 && (unsigned char)p[i + 1] < 0xa0)
            return true;
    }
    return false;
}

static struct conf_node *read_scalar(struct reader *r)
{
    const char *value = (const char *)r->event.data.scalar.value;
    size_t length = r->event.data.scalar.length;
    bool plain = r->event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    struct conf_node *node = node_here(r, plain && length == 0 ? NODE_EMPTY : NODE_TEXT);

    check_plain(r, r->event.data.scalar.anchor, r->event.data.scalar.tag);
    if (has_control(value, length))
        complain(r, &r->event.start_mark, "the text contains a control character");
    node->text = mem_strndup(value, length);
    return node;
}

static struct conf_node *read_alias(struct reader *r)
{
    struct conf_node *node = node_here(r, NODE_EMPTY);

    complain(r, &r->event.start_mark, "aliases (*name) are not supported; write it out");
    node->text = mem_strdup("");
    return node;
}

static void check_unique(struct reader *r, const struct conf_node *map, const struct conf_node *key)
{
    const struct conf_node *first = conf_node_get(map, key->text);

    if (first != NULL)
        conf_found_at(r->found, key, "'%s' stands here a second time; the first is in line %d",
                      key->text, first->key_line);
}

static struct conf_node *read_value(struct reader *r, int depth);

static bool read_list(struct reader *r, struct conf_node *list, int depth)
{
    for (;;) {
        struct conf_node *item;

        if (!advance(r))
            return false;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return true;
        item = read_value(r, depth);
        if (item == NULL)
            return false;
        conf_node_add(list, item);
    }
}

/* Key and value of one entry; the current event is the key. */
static bool read_entry(struct reader *r, struct conf_node *map, int depth)
{
    struct conf_node *key = read_value(r, depth);
    struct conf_node *value;

    if (key == NULL)
        return false;
    if (key->kind == NODE_LIST || key->kind == NODE_MAP) {
        conf_found_at(r->found, key, "a key must be a text, not %s", conf_node_kind_name(key));
        conf_node_free(key);
        return false;
    }
    check_unique(r, map, key);
    value = advance(r) ? read_value(r, depth) : NULL;
    if (value != NULL) {
        value->key = mem_strdup(key->text);
        value->key_line = key->line;
        value->key_column = key->column;
        conf_node_add(map, value);
    }
    conf_node_free(key);
    return value != NULL;
}

static bool read_map(struct reader *r, struct conf_node *map, int depth)
{
    for (;;) {
        if (!advance(r))
            return false;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            return true;
        if (!read_entry(r, map, depth))
            return false;
    }
}

static struct conf_node *read_branch(struct reader *r, enum conf_node_kind kind, int depth)
{
    struct conf_node *node = node_here(r, kind);
    bool ok;

    if (kind == NODE_LIST) {
        check_plain(r, r->event.data.sequence_start.anchor, r->event.data.sequence_start.tag);
        ok = read_list(r, node, depth + 1);
    } else {
        check_plain(r, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag);
        ok = read_map(r, node, depth + 1);
    }
    if (ok)
        return node;
    conf_node_free(node);
    return NULL;
}

/* The value that starts with the current event; NULL when reading cannot go on. */
static struct conf_node *read_value(struct reader *r, int depth)
{
    if (depth > CONF_YAML_MAX_DEPTH || ++r->nodes > CONF_YAML_MAX_NODES) {
        complain(r, &r->event.start_mark,
                 depth > CONF_YAML_MAX_DEPTH ? "nested too deeply" : "too many values in one file");
        return NULL;
    }
    switch (r->event.type) {
    case YAML_SCALAR_EVENT:
        return read_scalar(r);
    case YAML_SEQUENCE_START_EVENT:
        return read_branch(r, NODE_LIST, depth);
    case YAML_MAPPING_START_EVENT:
        return read_branch(r, NODE_MAP, depth);
    default:
        return read_alias(r);
    }
}

/* The only document of the stream, and nothing behind it. */
static struct conf_node *read_document(struct reader *r)
{
    struct conf_node *root;

    if (!advance(r) || !advance(r)) /* stream start, then document start or stream end */
        return NULL;
    if (r->event.type == YAML_STREAM_END_EVENT)
        return conf_node_new(NODE_MAP, r->file, 0, 0);
    root = advance(r) ? read_value(r, 0) : NULL;
    if (root == NULL)
        return NULL;
    if (!advance(r) || !advance(r)) { /* document end, stream end */
        conf_node_free(root);
        return NULL;
    }
    if (r->event.type != YAML_STREAM_END_EVENT)
        complain(r, &r->event.start_mark, "a second document starts here; only one is read");
    return root;
}

/* Releases what is no map. */
static struct conf_node *check_top(struct reader *r, struct conf_node *root)
{
    bool empty = root->kind == NODE_EMPTY;

    if (root->kind == NODE_MAP) {
        root->line = root->column = 0; /* what is missing in the file has no place in it */
        return root;
    }
    if (!empty)
        conf_found_at(r->found, root, "the file must be a map of options, not %s",
                      conf_node_kind_name(root));
    conf_node_free(root);
    return empty ? conf_node_new(NODE_MAP, r->file, 0, 0) : NULL;
}

/* What editors of other systems put in front. */
static struct slice skip_bom(const char *p, size_t n)
{
    bool bom = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0;

    return bom ? (struct slice){p + 3, n - 3} : (struct slice){p, n};
}

struct conf_node *conf_yaml_parse(const char *file, const char *text, size_t n,
                                  struct conf_findings *found)
{
    struct slice all = skip_bom(text, n);
    struct reader r = {.file = file, .text = all.p, .n = all.n, .found = found};
    struct conf_node *root;

    if (n > CONF_YAML_MAX_BYTES) {
        conf_found(found, file, 0, 0, "larger than %u bytes", CONF_YAML_MAX_BYTES);
        return NULL;
    }
    if (!yaml_parser_initialize(&r.parser))
        abort();
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)all.p, all.n);
    root = read_document(&r);
    if (root != NULL)
        root = check_top(&r, root);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    return root;
}
