/* SPDX-License-Identifier: MIT */
#include "vidu/request.h"

#include "base/encode.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define CALLBACK_KEY "callback_url"

static bool has_bytes_at(const void *p, size_t n, size_t at, const char *magic, size_t magic_len)
{
    return n >= at + magic_len && memcmp((const char *)p + at, magic, magic_len) == 0;
}

static const char *image_type(const void *p, size_t n)
{
    if (has_bytes_at(p, n, 0, "\x89PNG\r\n\x1a\n", 8))
        return "image/png";
    if (has_bytes_at(p, n, 0, "\xff\xd8\xff", 3))
        return "image/jpeg";
    if (has_bytes_at(p, n, 0, "RIFF", 4) && has_bytes_at(p, n, 8, "WEBP", 4))
        return "image/webp";
    return NULL;
}

/* ISO files: mp4, mov and m4a differ in the brand behind ftyp. */
static const char *iso_type(const void *p, size_t n)
{
    if (!has_bytes_at(p, n, 4, "ftyp", 4))
        return NULL;
    if (has_bytes_at(p, n, 8, "M4A ", 4))
        return "audio/mp4";
    return has_bytes_at(p, n, 8, "qt  ", 4) ? "video/quicktime" : "video/mp4";
}

static bool is_mpeg_audio(const void *p, size_t n)
{
    const uint8_t *b = p;

    return has_bytes_at(p, n, 0, "ID3", 3) || (n > 2 && b[0] == 0xff && (b[1] & 0xe6) == 0xe2);
}

const char *request_media_type(enum media_kind kind, const void *p, size_t n)
{
    static const char *const families[] = {
        [MEDIA_IMAGE] = "image/", [MEDIA_VIDEO] = "video/", [MEDIA_AUDIO] = "audio/"};
    const char *type = image_type(p, n);

    if (type == NULL)
        type = iso_type(p, n);
    if (type == NULL && has_bytes_at(p, n, 0, "RIFF", 4) && has_bytes_at(p, n, 8, "AVI ", 4))
        type = "video/x-msvideo";
    if (type == NULL && has_bytes_at(p, n, 0, "RIFF", 4) && has_bytes_at(p, n, 8, "WAVE", 4))
        type = "audio/wav";
    if (type == NULL && is_mpeg_audio(p, n))
        type = "audio/mpeg";
    return type != NULL && str_starts(type, families[kind]) ? type : NULL;
}

int request_media_uri(enum media_kind kind, const void *p, size_t n, struct buf *out)
{
    const char *type = request_media_type(kind, p, n);

    if (type == NULL)
        return -EINVAL;
    buf_addf(out, "data:%s;base64,", type);
    encode_base64_buf(p, n, out);
    return buf_ok(out) ? 0 : -E2BIG;
}

bool request_is_media_reference(const char *s)
{
    static const char *const schemes[] = {"http://", "https://", "data:", "ssupload:"};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strncasecmp(s, schemes[i], strlen(schemes[i])) == 0)
            return true;
    return false;
}

int request_set(json_t *body, const char *key, const char *value, struct err *err)
{
    json_t *v;

    if (str_empty(key) || !str_is_utf8(key, strlen(key)))
        return err_set(err, -EINVAL, "a field needs a name in UTF-8");
    if (!str_is_utf8(value, strlen(value)))
        return err_set(err, -EINVAL, "the value of %s is not UTF-8", key);
    v = json_loads(value, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (v == NULL)
        v = json_string(value);
    if (json_object_set_new(body, key, v) < 0)
        return err_set(err, -EINVAL, "%s cannot be set", key);
    return 0;
}

/* What stands between the body's begin and the rest of it, from now on. */
static void splice(struct slice body, size_t begin, size_t rest, const char *before,
                   const char *url, const char *behind, struct buf *out)
{
    buf_add(out, body.p, begin);
    buf_adds(out, before);
    buf_add_json(out, url, strlen(url));
    buf_adds(out, behind);
    buf_add(out, body.p + rest, body.n - rest);
}

int request_inject_callback(const struct outline *o, const char *url, struct buf *out, char **old,
                            struct err *err)
{
    const json_t *member = json_object_get(outline_root(o), CALLBACK_KEY);
    struct slice body = outline_source(o);

    if (member != NULL && !json_is_string(member) && !json_is_null(member))
        return err_set(err, -EINVAL, CALLBACK_KEY " is not a string");
    if (member != NULL) {
        struct slice value = outline_member(o, CALLBACK_KEY);
        size_t begin = (size_t)(value.p - body.p);

        splice(body, begin, begin + value.n, "", url, "", out);
    } else {
        size_t open = (size_t)((const char *)memchr(body.p, '{', body.n) - body.p) + 1;
        bool alone = json_object_size(outline_root(o)) == 0;

        splice(body, open, open, "\"" CALLBACK_KEY "\":", url, alone ? "" : ",", out);
    }
    if (!buf_ok(out))
        return err_set(err, -E2BIG, "the body is over %zu bytes", out->max);
    if (member != NULL)
        *old = outline_copy(o, member);
    return 0;
}
