/*
 * A template that is accepted can be filled, with values that are never expanded again; and any
 * text makes a name that stays in its folder.
 *
 * SPDX-License-Identifier: MIT
 */
#include "vidu/library.h"

#include "base/mem.h"

#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *lookup(const char *name, void *ctx)
{
    for (const struct template_name *t = template_names; t->name != NULL; t++)
        if (str_eq(t->name, name))
            return ctx;
    if (!str_starts(name, "task.tags."))
        abort();
    return ctx;
}

static void check_file_name(const char *text, size_t max)
{
    struct buf name = BUF_INIT(1U << 20);
    const char *s;

    template_file_name(text, max, &name);
    s = buf_text(&name);
    if (!buf_ok(&name) || name.len > max || !str_is_utf8(s, name.len))
        abort();
    if (strpbrk(s, "/\\:*?\"<>|\n\t") != NULL || s[0] == '.' || s[0] == ' ')
        abort();
    if (name.len > 0 && (s[name.len - 1] == '.' || s[name.len - 1] == ' '))
        abort();
    buf_free(&name);
}

/* A layout that is accepted has components that are names, whatever fills them. */
static void check_layout(const char *layout, char *text)
{
    struct buf name = BUF_INIT(1U << 20);
    struct err err = {0};
    size_t i = 0;

    if (library_layout_check(layout, &err) < 0 || library_layout_kind(layout) != LAYOUT_TEMPLATE)
        return;
    for (; library_component(layout, i, lookup, text, &name); i++)
        if (name.len == 0 || name.len > LIBRARY_NAME_MAX + 1 || name.data[0] == '.' ||
            strchr(name.data, '/') != NULL || library_hides(name.data))
            abort();
    if (i != library_count(layout))
        abort();
    buf_free(&name);
}

/* The whole text through the json filter is JSON, whatever it holds. */
static void check_json(char *text)
{
    struct buf out = BUF_INIT(8U << 20);
    json_t *v;

    template_fill("[{task.prompt|json},{{}}]", lookup, text, &out);
    v = json_loadb(out.data, out.len, 0, NULL);
    if (v == NULL || !json_is_string(json_array_get(v, 0)))
        abort();
    json_decref(v);
    buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = mem_strndup((const char *)data, size);
    struct buf out = BUF_INIT(16U << 20);
    struct err err = {0};

    if (template_check(text, &err) == 0) {
        template_fill(text, lookup, (char *)"{url}", &out);
        if (strchr(text, '{') == NULL && !str_eq(buf_text(&out), text) && strchr(text, '}') == NULL)
            abort();
    } else if (err.text[0] == '\0') {
        abort();
    }
    check_file_name(text, size != 0 ? data[0] : 0);
    check_json(text);
    check_layout("{task.model} x/{task.prompt}", text);
    check_layout(text, text);
    buf_free(&out);
    free(text);
    return 0;
}
