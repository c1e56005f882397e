/* SPDX-License-Identifier: MIT */
#include "vidu/form.h"

#include "base/encode.h"
#include "vidu/crypto.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define RANDOM_BYTES 16
#define TYPE_MAX     64

struct form {
    const struct outline *o;
    const char *file_field, *boundary;
    struct buf *out;
};

static bool is_plain_name(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f || *s == '"' || *s == '\\')
            return false;
    return true;
}

static void begin_part(struct buf *out, const char *boundary, const char *name)
{
    buf_addf(out, "--%s\r\nContent-Disposition: form-data; name=\"", boundary);
    buf_adds(out, name);
    buf_addc(out, '"');
}

static void begin(struct form *f, const char *name)
{
    begin_part(f->out, f->boundary, name);
}

static void begin_file(struct buf *out, const char *boundary, const char *name, const char *type)
{
    const char *slash = strrchr(type, '/');

    begin_part(out, boundary, name);
    buf_addf(out, "; filename=\"%s.%s\"\r\nContent-Type: %s\r\n\r\n", name,
             slash != NULL ? slash + 1 : "bin", type);
}

/* "data:image/png;base64,AAAA" into type and bytes in base64; false when it is no such thing. */
static bool split_data_uri(struct slice s, char type[TYPE_MAX], struct slice *base64)
{
    static const char middle[] = ";base64,";
    const char *comma = s.n > 5 && memcmp(s.p, "data:", 5) == 0 ? memchr(s.p, ',', s.n) : NULL;
    size_t head = comma != NULL ? (size_t)(comma - s.p) + 1 : 0;
    size_t n;

    if (head < 5 + sizeof(middle) - 1 ||
        memcmp(s.p + head - (sizeof(middle) - 1), middle, sizeof(middle) - 1) != 0)
        return false;
    n = head - 5 - (sizeof(middle) - 1);
    if (n >= TYPE_MAX)
        return false;
    memcpy(type, s.p + 5, n);
    type[n] = '\0';
    *base64 = (struct slice){s.p + head, s.n - head};
    return n != 0 && strspn(type, "abcdefghijklmnopqrstuvwxyz0123456789/.+-") == n;
}

static int add_file(struct form *f, const char *name, const char *type, struct slice base64,
                    struct err *err)
{
    size_t n = 0;
    char *bytes;
    int r;

    if (base64.n > f->out->max)
        return err_set(err, -E2BIG, "the file in %s is over %zu bytes", name, f->out->max);
    bytes = mem_calloc(base64.n / 4 * 3 + 3, 1);
    r = decode_base64(base64.p, base64.n, (uint8_t *)bytes, base64.n / 4 * 3 + 3, &n);
    if (r == 0) {
        begin_file(f->out, f->boundary, name, type);
        buf_add(f->out, bytes, n);
        buf_adds(f->out, "\r\n");
    }
    free(bytes);
    return r == 0 ? 0 : err_set(err, -EINVAL, "%s is not base64", name);
}

static int add_text(struct form *f, const char *name, const json_t *v, struct err *err)
{
    char type[TYPE_MAX];
    struct slice base64;
    json_t *memory = NULL;
    struct slice text = outline_text(f->o, v, &memory);
    int r = 0;

    if (str_eq(name, f->file_field) && split_data_uri(text, type, &base64)) {
        r = add_file(f, name, type, base64, err);
    } else {
        begin(f, name);
        buf_adds(f->out, "\r\n\r\n");
        buf_add(f->out, text.p, text.n);
        buf_adds(f->out, "\r\n");
    }
    json_decref(memory);
    return r;
}

/* With the long texts that the outline left where they were; its depth is limited. */
static json_t *complete(const struct outline *o, json_t *v)
{
    json_t *copy;
    const char *key;
    json_t *item;
    size_t i;

    if (!json_is_array(v) && !json_is_object(v))
        return outline_value(o, v);
    copy = json_is_array(v) ? json_array() : json_object();
    json_array_foreach (v, i, item)
        (void)json_array_append_new(copy, complete(o, item));
    json_object_foreach (v, key, item)
        (void)json_object_set_new(copy, key, complete(o, item));
    return copy;
}

static void add_value(struct form *f, const char *name, json_t *v)
{
    autojson json_t *whole = complete(f->o, v);
    char *text = json_dumps(whole, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    begin(f, name);
    buf_adds(f->out, "\r\n\r\n");
    buf_adds(f->out, text);
    buf_adds(f->out, "\r\n");
    free(text);
}

void form_boundary(char out[FORM_BOUNDARY_SIZE])
{
    uint8_t random[RANDOM_BYTES];
    char hex[2 * RANDOM_BYTES + 1];

    crypto_random(random, sizeof(random));
    encode_hex(random, sizeof(random), hex);
    snprintf(out, FORM_BOUNDARY_SIZE, "viduhook-%s", hex);
}

int form_build(const struct outline *o, const char *file_field, const char *boundary,
               struct buf *out, struct err *err)
{
    struct form f = {o, file_field, boundary, out};
    json_t *root = outline_root(o);
    const char *name;
    json_t *v;
    int r = 0;

    json_object_foreach (root, name, v) {
        if (!is_plain_name(name))
            return err_set(err, -EINVAL, "a field's name cannot stand in a form: %s", name);
        if (json_is_string(v))
            r = add_text(&f, name, v, err);
        else if (!json_is_null(v))
            add_value(&f, name, v);
        if (r < 0)
            return r;
    }
    buf_addf(out, "--%s--\r\n", boundary);
    return buf_ok(out) ? 0 : err_set(err, -E2BIG, "the form is over %zu bytes", out->max);
}

static size_t end_length(const char *boundary)
{
    return strlen("--") + strlen(boundary) + strlen("--\r\n");
}

size_t form_make_room(struct buf *out, const char *boundary, const char *name, const char *type)
{
    size_t at;

    out->len -= end_length(boundary);
    begin_file(out, boundary, name, type);
    at = out->len;
    buf_addf(out, "\r\n--%s--\r\n", boundary);
    return at;
}
