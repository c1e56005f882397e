/*
 * The fields that go with a file that an http hook uploads as a form.
 *
 * SPDX-License-Identifier: MIT
 */
#include "conf/conf_http.h"
#include "conf/conf_type.h"
#include "vidu/template.h"

#include <errno.h>
#include <string.h>

#define NAME_MAX_BYTES 128
#define VALUE_MAX      4096

static void release_form(const struct conf_row *row, void *object)
{
    struct conf_hook *hook = object;

    (void)row;
    for (size_t i = 0; i < hook->http.n_form; i++) {
        free(hook->http.form[i].name);
        free(hook->http.form[i].value);
    }
    hook->http.n_form = 0;
}

/* Stands between quotes in a head of its part. */
static bool is_field_name(const char *s)
{
    size_t n = strlen(s);

    for (const char *p = s; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20 || strchr("\"\\\x7f", *p) != NULL)
            return false;
    return n > 0 && n <= NAME_MAX_BYTES;
}

static int check_field(const struct conf_node *node, struct err *err)
{
    if (!is_field_name(node->key))
        return err_set(err, -EINVAL, "not the name of a field");
    if (node->kind != NODE_TEXT)
        return err_set(err, -EINVAL, "must be a text with placeholders");
    if (strlen(node->text) > VALUE_MAX)
        return err_set(err, -EINVAL, "longer than %d bytes", VALUE_MAX);
    return template_check(node->text, err);
}

static void set_form(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *node, void *object)
{
    struct conf_hook *hook = object;
    struct err err;

    release_form(row, object);
    if (!conf_http_want_map(fill, row, node, CONF_MAX_HEADERS))
        return;
    for (size_t i = 0; i < node->n; i++) {
        const struct conf_node *item = node->items[i];

        if (check_field(item, &err) < 0) {
            conf_found_key(fill->found, item, "'%s': %s: %s", row->doc.name, item->key, err.text);
            continue;
        }
        hook->http.form[hook->http.n_form++] =
            (struct conf_field){mem_strdup(item->key), mem_strdup(item->text)};
    }
}

static bool show_form(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_hook *hook = object;

    (void)row;
    for (size_t i = 0; i < hook->http.n_form; i++)
        conf_http_show_pair(hook->http.form[i].name, hook->http.form[i].value, i == 0, out);
    buf_adds(out, hook->http.n_form != 0 ? " }" : "");
    return hook->http.n_form != 0;
}

const struct conf_type conf_type_http_form = {set_form, show_form, release_form};

static void set_file_field(const struct conf_fill *fill, const struct conf_row *row,
                           const struct conf_node *node, void *object)
{
    conf_type_text.set(fill, row, node, object);
    if (node->kind == NODE_TEXT && !is_field_name(node->text))
        conf_found_at(fill->found, node, "'%s' is not the name of a field", row->doc.name);
}

const struct conf_type conf_type_http_file_field = {set_file_field, conf_text_show,
                                                    conf_text_release};
