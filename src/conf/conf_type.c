/* SPDX-License-Identifier: MIT */
#include "conf/conf_type.h"

#include "base/fs.h"

#include <errno.h>
#include <string.h>

const char *conf_want_text(const struct conf_fill *fill, const char *name,
                           const struct conf_node *node)
{
    if (node->kind == NODE_EMPTY || (node->kind == NODE_TEXT && node->text[0] == '\0'))
        conf_found_at(fill->found, node, "'%s' has no value", name);
    else if (node->kind != NODE_TEXT)
        conf_found_at(fill->found, node, "'%s' must be a single value, not %s", name,
                      conf_node_kind_name(node));
    else
        return node->text;
    return NULL;
}

bool conf_is_tilde(const struct conf_fill *fill, const char *name, const struct conf_node *node,
                   const char *path)
{
    if (!str_starts(path, "~/") && !str_eq(path, "~"))
        return false;
    conf_found_at(fill->found, node, "'%s': ~ is a folder's name here, not your home; write %s out",
                  name, path);
    return true;
}

bool conf_parse_octal(const char *text, unsigned *out)
{
    size_t n = strlen(text);
    unsigned value = 0;

    if (n < 3 || n > 4 || strspn(text, "01234567") != n)
        return false;
    for (size_t i = 0; i < n; i++)
        value = value * 8 + (unsigned)(text[i] - '0');
    if (value > 0777)
        return false;
    *out = value;
    return true;
}

bool conf_show_octal(const struct conf_row *row, const void *object, struct buf *out)
{
    buf_addf(out, "%04o", *(const unsigned *)conf_slot_const(row, object));
    return true;
}

bool conf_each(const struct conf_fill *fill, const struct conf_row *row,
               const struct conf_node *node, size_t max, conf_each_text *one, void *object)
{
    bool ok = true;

    if (node->kind == NODE_EMPTY)
        return true;
    if (node->kind == NODE_TEXT) {
        one(fill, row, node, object);
        return true;
    }
    if (node->kind != NODE_LIST || node->n > max) {
        conf_found_at(fill->found, node, "'%s' must be a list of texts (%s), not %s", row->doc.name,
                      row->doc.range, node->kind == NODE_LIST ? "more" : conf_node_kind_name(node));
        return false;
    }
    for (size_t i = 0; i < node->n; i++) {
        if (node->items[i]->kind == NODE_TEXT) {
            one(fill, row, node->items[i], object);
            continue;
        }
        conf_found_at(fill->found, node->items[i], "an item of '%s' must be a text", row->doc.name);
        ok = false;
    }
    return ok;
}

void conf_list_add(struct conf_list *list, const char *text)
{
    list->v = mem_realloc(list->v, list->n + 1, sizeof(list->v[0]));
    list->v[list->n++] = mem_strdup(text);
}

void conf_list_free(struct conf_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->v[i]);
    free(list->v);
    *list = (struct conf_list){0};
}

/* Letters, digits and marks that mean nothing to YAML where they stand. */
static bool is_plain(const char *text)
{
    size_t n = strlen(text);

    return n != 0 && strchr("-.:@+", text[0]) == NULL && text[n - 1] != ':' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./:@+-") ==
               n;
}

void conf_show_text(const char *text, struct buf *out)
{
    if (is_plain(text))
        buf_adds(out, text);
    else
        buf_add_json(out, text, strlen(text));
}

/* text and path */

static void set_text(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *node, void *object)
{
    const char *text = conf_want_text(fill, row->doc.name, node);

    if (text != NULL)
        mem_replace(conf_slot(row, object), text);
}

static void set_path(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *node, void *object)
{
    const char *text = conf_want_text(fill, row->doc.name, node);

    if (text != NULL && !conf_is_tilde(fill, row->doc.name, node, text)) {
        autofree char *path = fs_join(fill->dir, text);

        mem_replace(conf_slot(row, object), path);
    }
}

bool conf_text_show(const struct conf_row *row, const void *object, struct buf *out)
{
    const char *text = *(char *const *)conf_slot_const(row, object);

    if (text != NULL)
        conf_show_text(text, out);
    return text != NULL;
}

void conf_text_release(const struct conf_row *row, void *object)
{
    char **slot = conf_slot(row, object);

    free(*slot);
    *slot = NULL;
}

const struct conf_type conf_type_text = {set_text, conf_text_show, conf_text_release};
const struct conf_type conf_type_path = {set_path, conf_text_show, conf_text_release};

/* Numbers: the range is written as people read it, "1KiB-64MiB", and parsed as the value is. */

struct number {
    int (*parse)(const char *text, uint64_t *out);
    const char *form;
};

static int parse_int(const char *text, uint64_t *out)
{
    return str_to_u64(text, strlen(text), INT32_MAX, out);
}

static int parse_duration(const char *text, uint64_t *out)
{
    int64_t ms;
    int rc = str_to_ms(text, &ms);

    if (rc == 0)
        *out = (uint64_t)ms;
    return rc;
}

static const struct number number_int = {parse_int, "a whole number"};
static const struct number number_size = {str_to_bytes, "a size such as 4096, 64KiB, 8MiB or 2GiB"};
static const struct number number_duration = {parse_duration,
                                              "a duration such as 90, 500ms, 60s, 5m, 1h or 7d"};

static bool in_range(const struct number *number, const char *range, uint64_t value)
{
    const char *dash = strchr(range, '-');
    autofree char *low = mem_strndup(range, (size_t)(dash - range));
    uint64_t from, to;

    if (number->parse(low, &from) < 0 || number->parse(dash + 1, &to) < 0)
        abort(); /* our own table */
    return value >= from && value <= to;
}

static bool want_number(const struct conf_fill *fill, const struct conf_row *row,
                        const struct conf_node *node, const struct number *number, uint64_t *out)
{
    const char *text = conf_want_text(fill, row->doc.name, node);
    int rc = text != NULL ? number->parse(text, out) : -ENOENT;

    if (text == NULL)
        return false;
    if (rc == -EINVAL)
        conf_found_at(fill->found, node, "'%s' must be %s, within %s, not '%s'", row->doc.name,
                      number->form, row->doc.range, text);
    else if (rc < 0 || !in_range(number, row->doc.range, *out))
        conf_found_at(fill->found, node, "'%s' is out of range: %s is not within %s", row->doc.name,
                      text, row->doc.range);
    else
        return true;
    return false;
}

static void set_int(const struct conf_fill *fill, const struct conf_row *row,
                    const struct conf_node *node, void *object)
{
    uint64_t value;

    if (want_number(fill, row, node, &number_int, &value))
        *(int *)conf_slot(row, object) = (int)value;
}

static void set_size(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *node, void *object)
{
    uint64_t value;

    if (want_number(fill, row, node, &number_size, &value))
        *(uint64_t *)conf_slot(row, object) = value;
}

static void set_duration(const struct conf_fill *fill, const struct conf_row *row,
                         const struct conf_node *node, void *object)
{
    uint64_t value;

    if (want_number(fill, row, node, &number_duration, &value))
        *(int64_t *)conf_slot(row, object) = (int64_t)value;
}

static bool show_int(const struct conf_row *row, const void *object, struct buf *out)
{
    buf_addf(out, "%d", *(const int *)conf_slot_const(row, object));
    return true;
}

struct unit {
    uint64_t factor;
    const char *suffix;
};

/* The largest unit that loses nothing; the last one has the factor 1. */
static void show_in_units(uint64_t value, const struct unit *unit, struct buf *out)
{
    while (value % unit->factor != 0)
        unit++;
    buf_addf(out, "%llu%s", (unsigned long long)(value / unit->factor),
             value != 0 ? unit->suffix : "");
}

static bool show_size(const struct conf_row *row, const void *object, struct buf *out)
{
    static const struct unit units[] = {{UINT64_C(1) << 40, "TiB"},
                                        {1U << 30, "GiB"},
                                        {1U << 20, "MiB"},
                                        {1U << 10, "KiB"},
                                        {1, ""}};

    show_in_units(*(const uint64_t *)conf_slot_const(row, object), units, out);
    return true;
}

static bool show_duration(const struct conf_row *row, const void *object, struct buf *out)
{
    static const struct unit units[] = {
        {86400000, "d"}, {3600000, "h"}, {60000, "m"}, {1000, "s"}, {1, "ms"}};

    show_in_units((uint64_t) * (const int64_t *)conf_slot_const(row, object), units, out);
    return true;
}

const struct conf_type conf_type_int = {set_int, show_int, NULL};
const struct conf_type conf_type_size = {set_size, show_size, NULL};
const struct conf_type conf_type_duration = {set_duration, show_duration, NULL};

/* Words: the range lists the alternatives, "text|json". */

static size_t word_length(const char *alternatives)
{
    return strcspn(alternatives, "|");
}

/* The n-th alternative, or NULL. */
static const char *word_at(const char *alternatives, size_t n)
{
    for (; n > 0; n--) {
        alternatives += word_length(alternatives);
        if (*alternatives++ == '\0')
            return NULL;
    }
    return alternatives;
}

static int word_index(const struct conf_fill *fill, const struct conf_row *row,
                      const struct conf_node *node)
{
    const char *text = conf_want_text(fill, row->doc.name, node);
    const char *word;

    if (text == NULL)
        return -1;
    for (int i = 0; (word = word_at(row->doc.range, (size_t)i)) != NULL; i++)
        if (slice_is_nocase((struct slice){word, word_length(word)}, text))
            return i;
    conf_found_at(fill->found, node, "'%s' must be one of %s, not '%s'", row->doc.name,
                  row->doc.range, text);
    return -1;
}

static void set_word(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *node, void *object)
{
    int i = word_index(fill, row, node);

    if (i >= 0)
        *(int *)conf_slot(row, object) = row->values != NULL ? row->values[i] : i;
}

static void set_switch(const struct conf_fill *fill, const struct conf_row *row,
                       const struct conf_node *node, void *object)
{
    int i = word_index(fill, row, node);

    if (i >= 0)
        *(bool *)conf_slot(row, object) = i != 0;
}

static void show_word_at(const struct conf_row *row, size_t i, struct buf *out)
{
    const char *word = word_at(row->doc.range, i);

    buf_add(out, word, word_length(word));
}

static bool show_word(const struct conf_row *row, const void *object, struct buf *out)
{
    int value = *(const int *)conf_slot_const(row, object);
    size_t i = 0;

    while ((row->values != NULL ? row->values[i] : (int)i) != value)
        i++;
    show_word_at(row, i, out);
    return true;
}

static bool show_switch(const struct conf_row *row, const void *object, struct buf *out)
{
    show_word_at(row, *(const bool *)conf_slot_const(row, object), out);
    return true;
}

const struct conf_type conf_type_word = {set_word, show_word, NULL};
const struct conf_type conf_type_switch = {set_switch, show_switch, NULL};

static void set_bool(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *node, void *object)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true},    {"no", false}, {"true", true},
                 {"false", false}, {"on", true},  {"off", false}};
    const char *text = conf_want_text(fill, row->doc.name, node);

    if (text == NULL)
        return;
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq_nocase(text, words[i].word)) {
            *(bool *)conf_slot(row, object) = words[i].value;
            return;
        }
    }
    conf_found_at(fill->found, node, "'%s' must be yes or no, not '%s'", row->doc.name, text);
}

static bool show_bool(const struct conf_row *row, const void *object, struct buf *out)
{
    buf_adds(out, *(const bool *)conf_slot_const(row, object) ? "yes" : "no");
    return true;
}

const struct conf_type conf_type_bool = {set_bool, show_bool, NULL};

static void add_to_set(const struct conf_fill *fill, const struct conf_row *row,
                       const struct conf_node *item, void *object)
{
    int i = word_index(fill, row, item);

    if (i >= 0)
        *(unsigned *)conf_slot(row, object) |= 1U << i;
}

static void set_set(const struct conf_fill *fill, const struct conf_row *row,
                    const struct conf_node *node, void *object)
{
    *(unsigned *)conf_slot(row, object) = 0;
    if (node->kind == NODE_EMPTY || (node->kind == NODE_LIST && node->n == 0))
        conf_found_at(fill->found, node, "'%s' must name at least one of %s", row->doc.name,
                      row->doc.range);
    else
        conf_each(fill, row, node, CONF_MAX_LIST, add_to_set, object);
}

static bool show_set(const struct conf_row *row, const void *object, struct buf *out)
{
    unsigned set = *(const unsigned *)conf_slot_const(row, object);
    const char *comma = "";

    buf_addc(out, '[');
    for (size_t i = 0; word_at(row->doc.range, i) != NULL; i++) {
        if ((set & 1U << i) == 0)
            continue;
        buf_adds(out, comma);
        show_word_at(row, i, out);
        comma = ", ";
    }
    buf_addc(out, ']');
    return true;
}

const struct conf_type conf_type_set = {set_set, show_set, NULL};

static void add_to_list(const struct conf_fill *fill, const struct conf_row *row,
                        const struct conf_node *item, void *object)
{
    (void)fill;
    conf_list_add(conf_slot(row, object), item->text);
}

void conf_list_release(const struct conf_row *row, void *object)
{
    conf_list_free(conf_slot(row, object));
}

void conf_list_set(const struct conf_fill *fill, const struct conf_row *row,
                   const struct conf_node *node, void *object, conf_each_text *one)
{
    conf_list_release(row, object);
    conf_each(fill, row, node, CONF_MAX_LIST, one, object);
}

static void set_list(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *node, void *object)
{
    conf_list_set(fill, row, node, object, add_to_list);
}

bool conf_list_show(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_list *list = conf_slot_const(row, object);

    for (size_t i = 0; i < list->n; i++) {
        buf_adds(out, i == 0 ? "[" : ", ");
        conf_show_text(list->v[i], out);
    }
    if (list->n != 0)
        buf_addc(out, ']');
    return list->n != 0;
}

const struct conf_type conf_type_list = {set_list, conf_list_show, conf_list_release};
