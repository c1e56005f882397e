/* SPDX-License-Identifier: MIT */
#include "vidu/outline.h"

#include <errno.h>
#include <string.h>

#define NUL_ESCAPED "\\u0000"

struct outline {
    struct slice text;
    json_t *root;
    struct slice *longs; /* as they are written, without their quotes */
    size_t n_longs, cap;
};

/* -- text as it is written -- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static size_t skip_blanks(struct slice text, size_t i)
{
    while (i < text.n && is_blank(text.p[i]))
        i++;
    return i;
}

/* Where the quote is that ends the string whose first byte is at start; text.n: nowhere. */
static size_t string_end(struct slice text, size_t start)
{
    size_t i = start;
    const char *quote;

    while (i < text.n && (quote = memchr(text.p + i, '"', text.n - i)) != NULL) {
        size_t end = (size_t)(quote - text.p);
        size_t escapes = 0;

        while (end - escapes > i && text.p[end - escapes - 1] == '\\')
            escapes++;
        if (escapes % 2 == 0)
            return end;
        i = end + 1;
    }
    return text.n;
}

/* end: of a string. */
static bool is_key(struct slice text, size_t end)
{
    size_t i = skip_blanks(text, end + 1);

    return i < text.n && text.p[i] == ':';
}

/* -- the check of what no parser sees -- */

/* Whether all of eight bytes stand for themselves: printable ASCII and DEL, no backslash. */
static bool are_plain(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t high = ones << 7;
    uint64_t w;
    uint64_t backslash;

    memcpy(&w, p, sizeof(w));
    backslash = w ^ ones * '\\';
    return ((w | (w - ones * 0x20) | (backslash - ones)) & high) == 0;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        return (c | 0x20) - 'a' + 10;
    return -1;
}

/* The number of \uXXXX, or -1. */
static int unicode_escape(const char *p, size_t n)
{
    int value = 0;

    if (n < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);

        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* The length of the escape at p, 0 when it is none; halves of a pair come together. */
static size_t escape_step(const char *p, size_t n)
{
    int value;
    int second;

    if (n >= 2 && p[1] != '\0' && strchr("\"\\/bfnrt", p[1]) != NULL)
        return 2;
    value = unicode_escape(p, n);
    if (value < 0 || (value >= 0xdc00 && value <= 0xdfff))
        return 0;
    if (value < 0xd800 || value > 0xdbff)
        return 6;
    second = unicode_escape(p + 6, n - 6);
    return second >= 0xdc00 && second <= 0xdfff ? 12 : 0;
}

static bool is_strict(struct slice s)
{
    size_t i = 0;

    while (i < s.n) {
        const char *p = s.p + i;
        size_t step;

        if (s.n - i >= 8 && are_plain(p)) {
            i += 8;
            continue;
        }
        if ((unsigned char)*p < 0x20)
            return false;
        step = *p == '\\' ? escape_step(p, s.n - i) : str_utf8_step(p, s.n - i);
        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

/* -- the outline -- */

static bool begins_with_nul(struct slice s)
{
    return s.n >= strlen(NUL_ESCAPED) && memcmp(s.p, NUL_ESCAPED, strlen(NUL_ESCAPED)) == 0;
}

static void add_long(struct outline *o, struct slice raw, struct buf *out)
{
    if (o->n_longs == o->cap) {
        o->cap = o->cap * 2 + 8;
        o->longs = mem_realloc(o->longs, o->cap, sizeof(struct slice));
    }
    buf_addf(out, "\"" NUL_ESCAPED "%zu\"", o->n_longs);
    o->longs[o->n_longs++] = raw;
}

/* False: it cannot be JSON. */
static bool write_outline(struct outline *o, size_t keep, struct buf *out)
{
    struct slice text = o->text;
    size_t copied = 0;
    const char *quote;
    size_t i = 0;

    while (i < text.n && (quote = memchr(text.p + i, '"', text.n - i)) != NULL) {
        size_t start = (size_t)(quote - text.p) + 1;
        size_t end = string_end(text, start);
        struct slice raw = {text.p + start, end - start};

        if (end == text.n)
            return false;
        i = end + 1;
        if ((raw.n <= keep && !begins_with_nul(raw)) || is_key(text, end))
            continue;
        if (!is_strict(raw))
            return false;
        buf_add(out, text.p + copied, start - 1 - copied);
        add_long(o, raw, out);
        copied = i;
    }
    buf_add(out, text.p + copied, text.n - copied);
    return true;
}

/* By document_parse alone: what is short, and what is wrong, so that the reason names its place. */
static int parse_whole(struct outline *o, struct err *err)
{
    o->n_longs = 0;
    return document_parse(o->text.p, o->text.n, &o->root, err);
}

int outline_parse(const char *text, size_t n, size_t keep, struct outline **out, struct err *err)
{
    autobuf struct buf shorter = BUF_INIT(2 * n + 64);
    autooutline struct outline *o = mem_calloc(1, sizeof(*o));
    int rc = -EINVAL;

    o->text = (struct slice){text, n};
    if (n > keep && write_outline(o, keep, &shorter))
        rc = document_parse(buf_text(&shorter), shorter.len, &o->root, NULL);
    if (rc < 0)
        rc = parse_whole(o, err);
    if (rc < 0)
        return rc;
    *out = o;
    o = NULL;
    return 0;
}

json_t *outline_root(const struct outline *o)
{
    return o->root;
}

struct slice outline_source(const struct outline *o)
{
    return o->text;
}

/* -- reading -- */

/* What a string of the tree stands for, or NULL: for itself. */
static const struct slice *find_long(const struct outline *o, const json_t *v)
{
    struct slice s = document_text(v);
    uint64_t i;

    if (o->n_longs == 0 || s.n < 2 || s.p[0] != '\0' ||
        str_to_u64(s.p + 1, s.n - 1, o->n_longs - 1, &i) < 0)
        return NULL;
    return &o->longs[i];
}

static bool has_escapes(struct slice raw)
{
    return memchr(raw.p, '\\', raw.n) != NULL;
}

/* The quotes around it belong to the text as well. */
static json_t *unescape(struct slice raw)
{
    return json_loadb(raw.p - 1, raw.n + 2, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

struct slice outline_text(const struct outline *o, const json_t *v, json_t **memory)
{
    const struct slice *raw = find_long(o, v);

    *memory = NULL;
    if (raw == NULL)
        return document_text(v);
    if (!has_escapes(*raw))
        return *raw;
    *memory = unescape(*raw);
    return document_text(*memory);
}

json_t *outline_value(const struct outline *o, json_t *v)
{
    const struct slice *raw = find_long(o, v);

    return raw != NULL ? unescape(*raw) : json_incref(v);
}

char *outline_copy(const struct outline *o, const json_t *v)
{
    const struct slice *raw = find_long(o, v);
    autojson json_t *memory = NULL;

    if (raw == NULL)
        return document_copy(v);
    if (!has_escapes(*raw))
        return mem_strndup(raw->p, raw->n);
    memory = unescape(*raw);
    return document_copy(memory);
}

static bool is_named(struct slice raw, const char *name)
{
    autojson json_t *key = NULL;

    if (!has_escapes(raw))
        return slice_is(raw, name);
    key = unescape(raw);
    return slice_is(document_text(key), name);
}

struct slice outline_member(const struct outline *o, const char *name)
{
    struct slice text = o->text;
    size_t depth = 0;

    for (size_t i = 0; i < text.n; i++) {
        size_t start = i;

        if (text.p[i] == '{' || text.p[i] == '[') {
            depth++;
        } else if (text.p[i] == '}' || text.p[i] == ']') {
            depth--;
        } else if (text.p[i] == '"') {
            i = string_end(text, start + 1);
            if (depth != 1 || !is_key(text, i) ||
                !is_named((struct slice){text.p + start + 1, i - start - 1}, name))
                continue;
            start = skip_blanks(text, skip_blanks(text, i + 1) + 1);
            i = text.p[start] == '"' ? string_end(text, start + 1) + 1 : start + strlen("null");
            return (struct slice){text.p + start, i - start};
        }
    }
    return SLICE_LIT("");
}

void outline_free(struct outline **o)
{
    if (*o == NULL)
        return;
    json_decref((*o)->root);
    free((*o)->longs);
    free(*o);
}
