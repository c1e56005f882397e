/* SPDX-License-Identifier: MIT */
#include "vidu/form_read.h"

#include "base/encode.h"
#include "vidu/crypto.h"

#include <string.h>

#define MAX_BOUNDARY 70 /* RFC 2046 5.1.1 */
#define MAX_HEAD     2048
#define MAX_TYPE     64

struct reading {
    char mark[4 + MAX_BOUNDARY]; /* CR LF -- boundary */
    size_t mark_len;
    json_t *fields;
    size_t kept; /* bytes of texts */
};

struct part {
    struct slice name, type;
    bool is_file;
};

static bool begins(struct slice s, const char *word)
{
    size_t n = strlen(word);

    return s.n >= n && slice_is_nocase((struct slice){s.p, n}, word);
}

static struct slice behind(struct slice s, size_t n)
{
    return (struct slice){s.p + n, s.n - n};
}

static struct slice trimmed(struct slice s)
{
    while (s.n != 0 && (s.p[0] == ' ' || s.p[0] == '\t'))
        s = behind(s, 1);
    while (s.n != 0 && (s.p[s.n - 1] == ' ' || s.p[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* The value of a parameter; `; name=value` or `; name="value"`, whose escapes stay as they are. */
static bool parameter(struct slice value, const char *name, struct slice *out)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < value.n; i++) {
        struct slice rest = trimmed(behind(value, i + 1));
        const char *end;

        if (value.p[i] != ';' || rest.n <= n || !begins(rest, name) || rest.p[n] != '=')
            continue;
        rest = behind(rest, n + 1);
        if (rest.n != 0 && rest.p[0] == '"') {
            rest = behind(rest, 1);
            end = memchr(rest.p, '"', rest.n);
            if (end == NULL)
                return false;
        } else {
            end = memchr(rest.p, ';', rest.n);
        }
        *out = (struct slice){rest.p, end != NULL ? (size_t)(end - rest.p) : rest.n};
        return true;
    }
    return false;
}

bool form_read_is_form(struct slice content_type)
{
    return begins(content_type, "multipart/form-data");
}

/* -- one part -- */

static void read_line(struct slice line, struct part *part)
{
    static const char disposition[] = "Content-Disposition:";
    static const char type[] = "Content-Type:";
    struct slice value, ignored;

    if (begins(line, disposition)) {
        value = behind(line, sizeof(disposition) - 1);
        if (!parameter(value, "name", &part->name))
            part->name = (struct slice){NULL, 0};
        part->is_file = parameter(value, "filename", &ignored);
    } else if (begins(line, type)) {
        part->type = trimmed(behind(line, sizeof(type) - 1));
    }
}

/* The head of a part up to its empty line; how long it is with that, 0: none. */
static size_t read_head(struct slice s, struct part *part)
{
    size_t at = 0;

    *part = (struct part){.type = {"text", 4}};
    while (at < s.n && at < MAX_HEAD) {
        const char *end = memmem(s.p + at, s.n - at, "\r\n", 2);
        size_t n = end != NULL ? (size_t)(end - s.p) - at : 0;

        if (end == NULL)
            return 0;
        if (n == 0)
            return at + 2;
        read_line((struct slice){s.p + at, n}, part);
        at += n + 2;
    }
    return 0;
}

static json_t *note(const struct part *part, struct slice content)
{
    struct slice type = part->type;
    uint8_t hash[SHA256_LEN];
    char hex[SHA256_HEX_LEN + 1];

    if (type.n > MAX_TYPE || !str_is_utf8(type.p, type.n))
        type = (struct slice){"file", 4};
    crypto_sha256(content.p, content.n, hash);
    encode_hex(hash, sizeof(hash), hex);
    return json_sprintf("[%.*s %zu bytes sha256:%s]", (int)type.n, type.p, content.n, hex);
}

static json_t *text_of(struct reading *r, const struct part *part, struct slice content)
{
    if (part->is_file || content.n > FORM_READ_MAX_TEXT - r->kept ||
        !str_is_utf8(content.p, content.n) || memchr(content.p, '\0', content.n) != NULL)
        return note(part, content);
    r->kept += content.n;
    return json_stringn(content.p, content.n);
}

static void add_part(struct reading *r, struct slice s)
{
    struct part part;
    size_t head = read_head(s, &part);
    autofree char *name = NULL;

    if (head == 0 || part.name.n == 0 || part.name.n > FORM_READ_MAX_NAME ||
        !str_is_utf8(part.name.p, part.name.n) || memchr(part.name.p, '\0', part.name.n) != NULL ||
        json_object_size(r->fields) >= FORM_READ_MAX_PARTS)
        return;
    name = mem_strndup(part.name.p, part.name.n);
    json_object_set_new(r->fields, name, text_of(r, &part, behind(s, head)));
}

/* -- all of them -- */

static bool set_mark(struct reading *r, struct slice content_type)
{
    struct slice boundary;

    if (!parameter(content_type, "boundary", &boundary) || boundary.n == 0 ||
        boundary.n > MAX_BOUNDARY)
        return false;
    memcpy(r->mark, "\r\n--", 4);
    memcpy(r->mark + 4, boundary.p, boundary.n);
    r->mark_len = 4 + boundary.n;
    return true;
}

/* What follows a boundary's own line; false at the last, or when it is none. */
static bool open_part(struct slice *rest)
{
    while (rest->n != 0 && (rest->p[0] == ' ' || rest->p[0] == '\t'))
        *rest = behind(*rest, 1);
    if (!begins(*rest, "\r\n"))
        return false;
    *rest = behind(*rest, 2);
    return true;
}

/* The first boundary has no line before it. */
static void read_parts(struct reading *r, struct slice rest)
{
    size_t n = r->mark_len - 2;

    if (rest.n < n || memcmp(rest.p, r->mark + 2, n) != 0)
        return;
    rest = behind(rest, n);
    for (size_t i = 0; i < FORM_READ_MAX_PARTS && open_part(&rest); i++) {
        const char *end = memmem(rest.p, rest.n, r->mark, r->mark_len);

        if (end == NULL)
            return;
        n = (size_t)(end - rest.p);
        add_part(r, (struct slice){rest.p, n});
        rest = behind(rest, n + r->mark_len);
    }
}

json_t *form_read(struct slice content_type, struct slice body)
{
    struct reading r = {.fields = json_object()};

    if (body.n != 0 && set_mark(&r, content_type))
        read_parts(&r, body);
    return r.fields;
}
