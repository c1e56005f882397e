/*
 * The search for the end of the head is incremental and cheap; the fields are taken apart once,
 * when all of them are there. Only the request line is judged earlier, because most of what
 * scanners send is refused by it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "http/head.h"

#include <string.h>
#include <strings.h>

#define METHOD_MAX 16
/* Digits of a Content-Length; 10^18 is far beyond every limit and fits in 64 bits. */
#define LENGTH_DIGITS_MAX 18

enum {
    IS_TOKEN = 1,  /* names and methods: RFC 9110 tchar */
    IS_TARGET = 2, /* visible ASCII but '#' */
    IS_VALUE = 4,  /* visible, blank or obs-text: RFC 9110 field-value */
    IS_HOST = 8,   /* RFC 3986 host and port, without the comma that would make a list of it */
    IS_DIGIT = 16,
};

#define PUNCT  (IS_TARGET | IS_VALUE)
#define LETTER (IS_TOKEN | IS_TARGET | IS_VALUE | IS_HOST)

static const unsigned char classes[256] = {
    ['\t'] = IS_VALUE,
    [' '] = IS_VALUE,
    ['"'] = PUNCT,
    ['#'] = IS_TOKEN | IS_VALUE,
    ['('] = PUNCT | IS_HOST,
    [')'] = PUNCT | IS_HOST,
    [','] = PUNCT,
    ['/'] = PUNCT,
    [':'] = PUNCT | IS_HOST,
    [';'] = PUNCT | IS_HOST,
    ['<'] = PUNCT,
    ['='] = PUNCT | IS_HOST,
    ['>'] = PUNCT,
    ['?'] = PUNCT,
    ['@'] = PUNCT,
    ['['] = PUNCT | IS_HOST,
    ['\\'] = PUNCT,
    [']'] = PUNCT | IS_HOST,
    ['{'] = PUNCT,
    ['}'] = PUNCT,
    ['^'] = IS_TOKEN | PUNCT,
    ['`'] = IS_TOKEN | PUNCT,
    ['|'] = IS_TOKEN | PUNCT,
    ['!'] = LETTER,
    ['$'] = LETTER,
    ['%'] = LETTER,
    ['&'] = LETTER,
    ['\''] = LETTER,
    ['*'] = LETTER,
    ['+'] = LETTER,
    ['-'] = LETTER,
    ['.'] = LETTER,
    ['_'] = LETTER,
    ['~'] = LETTER,
    ['0' ... '9'] = LETTER | IS_DIGIT,
    ['A' ... 'Z'] = LETTER,
    ['a' ... 'z'] = LETTER,
    [0x80 ... 0xff] = IS_VALUE,
};

static bool all_of(struct slice s, unsigned char class)
{
    for (size_t i = 0; i < s.n; i++)
        if ((classes[(unsigned char)s.p[i]] & class) == 0)
            return false;
    return true;
}

static struct slice trim(struct slice s)
{
    while (s.n != 0 && (s.p[0] == ' ' || s.p[0] == '\t')) {
        s.p++;
        s.n--;
    }
    while (s.n != 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* The bytes before the next c; rest then begins behind it. All of rest when there is no c. */
static struct slice cut(struct slice *rest, char c)
{
    const char *end = memchr(rest->p, c, rest->n);
    struct slice first = *rest;

    if (end == NULL) {
        *rest = (struct slice){rest->p + rest->n, 0};
        return first;
    }
    first.n = (size_t)(end - first.p);
    *rest = (struct slice){end + 1, rest->n - first.n - 1};
    return first;
}

/* NULL, or why the request line is not acceptable. line has no CRLF. */
static const char *read_request_line(struct slice line, struct head *out)
{
    struct slice rest = line;

    out->method = cut(&rest, ' ');
    out->target = cut(&rest, ' ');
    if (out->method.n == 0 || out->method.n > METHOD_MAX || !all_of(out->method, IS_TOKEN))
        return "method";
    if (out->target.n == 0 || out->target.p[0] != '/' || !all_of(out->target, IS_TARGET))
        return "target";
    if (slice_is(rest, "HTTP/1.1"))
        out->minor = 1;
    else if (slice_is(rest, "HTTP/1.0"))
        out->minor = 0;
    else
        return "version";
    rest = out->target;
    out->path = cut(&rest, '?');
    out->query = rest;
    return NULL;
}

/* What the fields that decide about framing said so far. */
struct framing {
    bool host, length, chunked, expect;
    bool close, keep_alive;
};

static const char *on_host(struct slice value, struct head *out, struct framing *f)
{
    if (f->host)
        return "two Host";
    if (value.n == 0 || !all_of(value, IS_HOST))
        return "Host";
    f->host = true;
    out->host = value;
    return NULL;
}

static const char *on_length(struct slice value, struct head *out, struct framing *f)
{
    if (f->length)
        return "two Content-Length";
    if (value.n > LENGTH_DIGITS_MAX ||
        str_to_u64(value.p, value.n, INT64_MAX, &out->content_length) != 0)
        return "Content-Length";
    f->length = true;
    return NULL;
}

static const char *on_encoding(struct slice value, struct head *out, struct framing *f)
{
    if (f->chunked || out->minor == 0 || !slice_is_nocase(value, "chunked"))
        return "Transfer-Encoding";
    f->chunked = true;
    return NULL;
}

/* RFC 9110 10.1.1: an expectation in HTTP/1.0 is ignored. */
static const char *on_expect(struct slice value, struct head *out, struct framing *f)
{
    if (f->expect || !slice_is_nocase(value, "100-continue"))
        return "Expect";
    f->expect = true;
    out->expect_continue = out->minor == 1;
    return NULL;
}

static const char *on_upgrade(struct slice value, struct head *out, struct framing *f)
{
    (void)value;
    (void)out;
    (void)f;
    return "Upgrade";
}

static const char *on_connection(struct slice value, struct head *out, struct framing *f)
{
    (void)out;
    while (value.n != 0) {
        struct slice option = trim(cut(&value, ','));

        if (slice_is_nocase(option, "close"))
            f->close = true;
        else if (slice_is_nocase(option, "keep-alive"))
            f->keep_alive = true;
    }
    return NULL;
}

static const struct {
    struct slice name;
    const char *(*judge)(struct slice value, struct head *out, struct framing *f);
} judges[] = {
    {SLICE_LIT("Host"), on_host},
    {SLICE_LIT("Content-Length"), on_length},
    {SLICE_LIT("Transfer-Encoding"), on_encoding},
    {SLICE_LIT("Expect"), on_expect},
    {SLICE_LIT("Upgrade"), on_upgrade},
    {SLICE_LIT("Connection"), on_connection},
};

static bool same_name(struct slice a, struct slice b)
{
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static const char *judge_field(const struct head_field *field, struct head *out, struct framing *f)
{
    for (size_t i = 0; i < ARRAY_LEN(judges); i++)
        if (same_name(judges[i].name, field->name))
            return judges[i].judge(field->value, out, f);
    return NULL;
}

/* A blank in front would be a folded line, one before the colon an old trick: neither is a token.
 */
static const char *read_field(struct slice line, struct head_field *field)
{
    struct slice value = line;

    if (memchr(line.p, ':', line.n) == NULL)
        return "line without colon";
    field->name = cut(&value, ':');
    if (field->name.n == 0 || !all_of(field->name, IS_TOKEN))
        return "field name";
    field->value = trim(value);
    if (!all_of(field->value, IS_VALUE))
        return "field value";
    return NULL;
}

static const char *settle_framing(const struct framing *f, struct head *out)
{
    if (!f->host && out->minor == 1)
        return "no Host";
    if (f->length && f->chunked)
        return "Content-Length and Transfer-Encoding";
    out->body = f->chunked ? HEAD_BODY_CHUNKED : f->length ? HEAD_BODY_LENGTH : HEAD_BODY_NONE;
    if (out->body != HEAD_BODY_NONE &&
        (slice_is(out->method, "HEAD") || slice_is(out->method, "TRACE")))
        return "body where none belongs";
    if (out->body == HEAD_BODY_NONE)
        out->expect_continue = false;
    out->keep_alive = !f->close && (out->minor == 1 || f->keep_alive);
    return NULL;
}

/* p[0..n) is a whole head with its empty line, every LF of which follows a CR. */
static enum head_result read_head(const char *p, size_t n, struct head *out, const char **reason)
{
    struct slice rest = {p, n - 2};
    struct framing framing = {0};

    *out = (struct head){.bytes = n};
    for (size_t lines = 0; rest.n != 0; lines++) {
        struct slice line = cut(&rest, '\n');

        line.n--;
        if (line.n > HEAD_MAX_LINE || lines > HEAD_MAX_LINES) {
            *reason = line.n > HEAD_MAX_LINE ? "line too long" : "too many lines";
            return HEAD_LARGE;
        }
        if (lines == 0) {
            *reason = read_request_line(line, out);
        } else {
            struct head_field *field = &out->fields[out->n_fields++];

            *reason = read_field(line, field);
            if (*reason == NULL)
                *reason = judge_field(field, out, &framing);
        }
        if (*reason != NULL)
            return HEAD_BAD;
    }
    *reason = settle_framing(&framing, out);
    return *reason == NULL ? HEAD_OK : HEAD_BAD;
}

static enum head_result judge_first_line(const char *p, size_t n, struct head *out,
                                         const char **reason)
{
    if (n - 2 > HEAD_MAX_LINE) {
        *reason = "line too long";
        return HEAD_LARGE;
    }
    *reason = read_request_line((struct slice){p, n - 2}, out);
    return *reason == NULL ? HEAD_MORE : HEAD_BAD;
}

enum head_result head_check(const char *p, size_t n, size_t *scanned, struct head *out,
                            const char **reason)
{
    size_t limit = n < HEAD_MAX_BYTES ? n : HEAD_MAX_BYTES;
    size_t from = *scanned;
    bool first = from == 0 || memchr(p, '\n', from) == NULL;
    const char *lf;

    while ((lf = memchr(p + from, '\n', limit - from)) != NULL) {
        size_t end = (size_t)(lf - p) + 1;

        if (end < 2 || lf[-1] != '\r') {
            *reason = "line end";
            return HEAD_BAD;
        }
        if (!first && lf[-2] == '\n') {
            *scanned = end;
            return read_head(p, end, out, reason);
        }
        if (first) {
            enum head_result result = judge_first_line(p, end, out, reason);

            if (result != HEAD_MORE)
                return result;
            first = false;
        }
        from = end;
    }
    if (memchr(p + *scanned, '\0', limit - *scanned) != NULL) {
        *reason = "NUL";
        return HEAD_BAD;
    }
    *scanned = limit;
    if (n < HEAD_MAX_BYTES)
        return HEAD_MORE;
    *reason = "head too long";
    return HEAD_LARGE;
}

const struct head_field *head_field(const struct head *h, const char *name, size_t *n)
{
    const struct head_field *found = NULL;
    struct slice wanted = slice_str(name);

    *n = 0;
    for (size_t i = 0; i < h->n_fields; i++)
        if (same_name(h->fields[i].name, wanted) && (*n)++ == 0)
            found = &h->fields[i];
    return found;
}
