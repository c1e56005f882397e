/* SPDX-License-Identifier: MIT */
#include "cli/field.h"

#include "cli/term.h"
#include "cli/when.h"
#include "vidu/document.h"

#include <string.h>

const char *field_text(const json_t *object, const char *name)
{
    return document_member(object, name);
}

int64_t field_number(const json_t *object, const char *name, int64_t fallback)
{
    const json_t *value = json_object_get(object, name);

    return json_is_integer(value) ? (int64_t)json_integer_value(value) : fallback;
}

int64_t field_time(const json_t *object, const char *name)
{
    int64_t wall_ms;

    return when_parse(field_text(object, name), &wall_ms) == 0 ? wall_ms : 0;
}

const json_t *field_array(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_array(value) ? value : NULL;
}

void field_show(const json_t *value, struct buf *out)
{
    if (json_is_string(value)) {
        term_escape(out, json_string_value(value), json_string_length(value), false);
    } else if (value != NULL) {
        autofree char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);

        term_adds(out, text);
    }
}

void field_show_tags(const json_t *tags, struct buf *out)
{
    const char *name;
    json_t *value;
    const char *gap = "";

    json_object_foreach ((json_t *)(uintptr_t)tags, name, value) { /* only reads it */
        buf_adds(out, gap);
        term_adds(out, name);
        if (!str_empty(json_string_value(value))) {
            buf_addc(out, '=');
            field_show(value, out);
        }
        gap = " ";
    }
}

json_t *field_object(const char *name, const char *value)
{
    json_t *object = json_object();

    field_set_text(object, name, value);
    return object;
}

void field_set_text(json_t *object, const char *name, const char *value)
{
    json_t *text = value != NULL ? json_string(value) : NULL;

    if (value != NULL && text == NULL) {
        autobuf struct buf safe = BUF_INIT(4 * strlen(value) + 1);

        term_escape(&safe, value, strlen(value), true);
        text = json_string(buf_text(&safe));
    }
    if (text != NULL)
        (void)json_object_set_new(object, name, text);
}
