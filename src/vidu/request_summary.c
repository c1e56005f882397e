/* SPDX-License-Identifier: MIT */
#include "vidu/request.h"

#include "base/encode.h"
#include "vidu/crypto.h"
#include "vidu/document.h"

#include <string.h>

#define MAX_SUMMARY (64U << 10)
#define TOO_LARGE   "{\"summary\":\"[request of "
/* Base64 text that is decoded at once: whole groups. */
#define CHUNK 4096

static const size_t limits[] = {4096, 512, 64}; /* tried until the whole is short enough */

static json_t *note(const char *type, size_t type_len, size_t bytes, struct crypto_digest *d)
{
    uint8_t hash[SHA256_LEN];
    char hex[SHA256_HEX_LEN + 1];

    crypto_digest_final(d, hash);
    encode_hex(hash, sizeof(hash), hex);
    return json_sprintf("[%.*s %zu bytes sha256:%s]", (int)type_len, type, bytes, hex);
}

static json_t *text_note(struct slice s)
{
    struct crypto_digest *d = crypto_digest_new();

    crypto_digest_add(d, s.p, s.n);
    return note("text", 4, s.n, d);
}

/* Adds what the base64 text stands for to the digest; false when it is not canonical. */
static bool digest_base64(struct slice s, struct crypto_digest *d, size_t *bytes)
{
    uint8_t raw[CHUNK / 4 * 3];

    *bytes = 0;
    for (size_t i = 0; i < s.n; i += CHUNK) {
        size_t step = s.n - i < CHUNK ? s.n - i : CHUNK;
        size_t n;

        if (decode_base64(s.p + i, step, raw, sizeof(raw), &n) < 0)
            return false;
        crypto_digest_add(d, raw, n);
        *bytes += n;
    }
    return true;
}

/* data:TYPE;base64,TEXT as a note on the decoded bytes; anything else as a note on the text. */
static json_t *data_note(struct slice s)
{
    static const struct slice mark = {";base64,", 8};
    const char *type = s.p + sizeof("data:") - 1;
    const char *comma = memchr(s.p, ',', s.n);
    const char *head = comma != NULL && comma - type >= 7 ? comma + 1 - mark.n : NULL;
    struct crypto_digest *d;
    struct slice text;
    size_t bytes;

    if (head == NULL || head - type > 64 || memcmp(head, mark.p, mark.n) != 0)
        return text_note(s);
    text = (struct slice){comma + 1, s.n - (size_t)(comma + 1 - s.p)};
    d = crypto_digest_new();
    if (digest_base64(text, d, &bytes))
        return note(type, (size_t)(head - type), bytes, d);
    crypto_digest_free(d);
    return text_note(s);
}

static json_t *summarise_text(const struct outline *o, json_t *v, size_t limit)
{
    autojson json_t *memory = NULL;
    struct slice s = outline_text(o, v, &memory);

    if (s.n >= 5 && slice_is_nocase((struct slice){s.p, 5}, "data:"))
        return data_note(s);
    return s.n > limit ? text_note(s) : outline_value(o, v);
}

static json_t *summarise(const struct outline *o, json_t *v, size_t limit)
{
    const char *key;
    json_t *item;
    json_t *copy;
    size_t i;

    switch (json_typeof(v)) {
    case JSON_STRING:
        return summarise_text(o, v, limit);
    case JSON_ARRAY:
        copy = json_array();
        json_array_foreach (v, i, item)
            json_array_append_new(copy, summarise(o, item, limit));
        return copy;
    case JSON_OBJECT:
        copy = json_object();
        json_object_foreach (v, key, item)
            json_object_set_new(copy, key, summarise(o, item, limit));
        return copy;
    default:
        return json_incref(v);
    }
}

/* The text of a document, NULL when it is over the limit. */
static char *dump_short(const json_t *v)
{
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

    if (text == NULL)
        abort();
    if (strlen(text) <= MAX_SUMMARY)
        return text;
    free(text);
    return NULL;
}

char *request_summary(const struct outline *o)
{
    size_t fields = json_object_size(outline_root(o));

    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        autojson json_t *shorter = summarise(o, outline_root(o), limits[i]);
        char *text = dump_short(shorter);

        if (text != NULL)
            return text;
    }
    return mem_printf(TOO_LARGE "%zu fields, too large to keep]\"}", fields);
}

bool request_summary_has_members(const char *summary)
{
    return summary[0] == '{' && !str_starts(summary, TOO_LARGE);
}

bool request_summary_is_note(const char *text)
{
    return text[0] == '[' && strstr(text, " bytes sha256:") != NULL;
}
