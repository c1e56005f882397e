/* SPDX-License-Identifier: MIT */
#include "sim/sim_json.h"

#include <string.h>

static const char *escape_of(const char *p, size_t step)
{
    switch (p[0]) {
    case '"':
        return "\\\"";
    case '\\':
        return "\\\\";
    case '\n':
        return "\\n";
    case '\r':
        return "\\r";
    case '\t':
        return "\\t";
    case '&':
        return "\\u0026";
    case '<':
        return "\\u003c";
    case '>':
        return "\\u003e";
    default:
        break;
    }
    if (step == 3 && memcmp(p, "\xe2\x80\xa8", 3) == 0)
        return "\\u2028";
    if (step == 3 && memcmp(p, "\xe2\x80\xa9", 3) == 0)
        return "\\u2029";
    return step == 0 ? "\\ufffd" : NULL;
}

static void add_quoted(struct buf *b, const char *p, size_t n)
{
    size_t plain = 0; /* where the run of bytes that stand for themselves began */

    buf_addc(b, '"');
    for (size_t i = 0; i < n;) {
        size_t step = str_utf8_step(p + i, n - i);
        const char *escape = escape_of(p + i, step);
        bool control = (unsigned char)p[i] < 0x20;

        if (escape != NULL || control) {
            buf_add(b, p + plain, i - plain);
            if (escape != NULL)
                buf_adds(b, escape);
            else
                buf_addf(b, "\\u%04x", (unsigned)p[i]);
            plain = i + (step != 0 ? step : 1);
        }
        i += step != 0 ? step : 1;
    }
    buf_add(b, p + plain, n - plain);
    buf_addc(b, '"');
}

/* A comma is due behind everything that is not the beginning. */
static void begin(struct buf *b, const char *key)
{
    char last = b->len != 0 ? b->data[b->len - 1] : '[';

    if (last != '{' && last != '[')
        buf_addc(b, ',');
    if (key != NULL) {
        add_quoted(b, key, strlen(key));
        buf_addc(b, ':');
    }
}

static void add_container(struct buf *b, const char *key, const json_t *v)
{
    json_t *tree = (json_t *)(uintptr_t)v; /* jansson's iterators want it mutable */
    const char *name;
    json_t *child;
    size_t i;

    if (json_is_object(v)) {
        sim_json_open(b, key, '{');
        json_object_foreach (tree, name, child)
            sim_json_value(b, name, child);
        sim_json_close(b, '}');
        return;
    }
    sim_json_open(b, key, '[');
    json_array_foreach (tree, i, child)
        sim_json_value(b, NULL, child);
    sim_json_close(b, ']');
}

void sim_json_open(struct buf *b, const char *key, char bracket)
{
    begin(b, key);
    buf_addc(b, bracket);
}

void sim_json_close(struct buf *b, char bracket)
{
    buf_addc(b, bracket);
}

void sim_json_text(struct buf *b, const char *key, const char *p, size_t n)
{
    begin(b, key);
    add_quoted(b, p, n);
}

void sim_json_str(struct buf *b, const char *key, const char *s)
{
    sim_json_text(b, key, s, strlen(s));
}

void sim_json_int(struct buf *b, const char *key, int64_t n)
{
    begin(b, key);
    buf_addf(b, "%lld", (long long)n);
}

void sim_json_raw(struct buf *b, const char *key, const char *text)
{
    begin(b, key);
    buf_adds(b, text);
}

void sim_json_bool(struct buf *b, const char *key, bool v)
{
    sim_json_raw(b, key, v ? "true" : "false");
}

void sim_json_value(struct buf *b, const char *key, const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_OBJECT:
    case JSON_ARRAY:
        add_container(b, key, v);
        return;
    case JSON_STRING:
        sim_json_text(b, key, json_string_value(v), json_string_length(v));
        return;
    case JSON_INTEGER:
        sim_json_int(b, key, json_integer_value(v));
        return;
    case JSON_REAL:
        begin(b, key);
        buf_addf(b, "%.17g", json_real_value(v));
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        sim_json_bool(b, key, json_is_true(v));
        return;
    case JSON_NULL:
        sim_json_raw(b, key, "null");
        return;
    }
}
