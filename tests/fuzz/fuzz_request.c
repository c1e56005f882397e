/*
 * The first byte picks an endpoint and how long a text may be to be kept in the outline, the rest
 * is a request body. As a form it is the same whether or not its long texts are in the outline. The
 * outline says what a parser of the whole says; our callback_url is found
 * where it was put, and everything else is as it was.
 *
 * SPDX-License-Identifier: MIT
 */
#include "vidu/form.h"
#include "vidu/request.h"

#include <errno.h>
#include <string.h>

#define URL "https://hooks.example.org/callback/\"\\\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(const char *line, void *ctx)
{
    if (line[0] == '\0')
        abort();
    (*(size_t *)ctx)++;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* The tree with everything in it that the outline left where it was. */
static json_t *complete(const struct outline *o, json_t *v)
{
    json_t *copy = json_is_array(v) ? json_array() : json_object();
    const char *key;
    json_t *item;
    size_t i;

    json_array_foreach (v, i, item)
        json_array_append_new(copy, complete(o, item));
    json_object_foreach (v, key, item)
        json_object_set_new(copy, key, complete(o, item));
    if (json_is_array(v) || json_is_object(v))
        return copy;
    json_decref(copy);
    return outline_value(o, v);
}

static void check_texts(const struct outline *o, const json_t *body)
{
    const char *key;
    json_t *item;

    json_object_foreach ((json_t *)body, key, item) {
        autojson json_t *memory = NULL;
        autofree char *copy = outline_copy(o, json_object_get(outline_root(o), key));
        autofree char *expected = document_copy(item);
        struct slice text = outline_text(o, json_object_get(outline_root(o), key), &memory);
        struct slice whole = document_text(item);

        must(str_eq(str_or(copy, "none"), str_or(expected, "none")));
        must(text.n == whole.n && memcmp(text.p, whole.p, text.n) == 0);
    }
}

static void check_injected(const struct outline *o, json_t *body)
{
    autobuf struct buf out = BUF_INIT(16U << 20);
    const json_t *before = json_object_get(body, "callback_url");
    autofree char *expected = document_copy(before);
    autojson json_t *after = NULL;
    autofree char *old = NULL;
    int rc = request_inject_callback(o, URL, &out, &old, NULL);

    must((rc == -EINVAL) == (before != NULL && !json_is_string(before)));
    must((old != NULL) == (rc == 0 && before != NULL));
    if (rc != 0) {
        must(out.len == 0);
        return;
    }
    must(old == NULL || str_eq(old, expected));
    after = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    must(str_eq(json_string_value(json_object_get(after, "callback_url")), URL));
    json_object_set_new(body, "callback_url", json_string(URL));
    must(json_equal(after, body));
}

static void check_body(const struct outline *o, const struct outline *whole,
                       const struct endpoint *e)
{
    autofree char *summary = request_summary(o);
    autofree char *same = request_summary(whole);
    size_t warned = 0;

    must(strlen(summary) <= 64U << 10 && str_is_utf8(summary, strlen(summary)));
    must(str_eq(summary, same));
    must(request_check(e, outline_root(whole), count, &warned) == warned);
}

static void check_form(const struct outline *o, const struct outline *whole)
{
    autobuf struct buf form = BUF_INIT(16U << 20);
    autobuf struct buf same = BUF_INIT(16U << 20);
    int rc = form_build(o, "image", "b", &form, NULL);

    must(rc == form_build(whole, "image", "b", &same, NULL));
    must(form.len == same.len && (form.len == 0 || memcmp(form.data, same.data, form.len) == 0));
    must(rc != 0 || (form.len >= 7 && memcmp(form.data + form.len - 7, "--b--\r\n", 7) == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *body = (const char *)data + 1;
    autooutline struct outline *o = NULL;
    autooutline struct outline *whole = NULL;
    autojson json_t *parsed = NULL;
    autojson json_t *completed = NULL;

    if (size < 1)
        return 0;
    must(outline_parse(body, size - 1, SIZE_MAX, &whole, NULL) ==
         outline_parse(body, size - 1, data[0] / 4, &o, NULL));
    if (o == NULL)
        return 0;
    parsed = json_loadb(body, size - 1, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    completed = complete(o, outline_root(o));
    must(json_equal(completed, parsed));
    check_texts(o, parsed);
    check_body(o, whole, endpoint_at(data[0] % endpoint_count()));
    check_form(o, whole);
    check_injected(o, parsed);
    return 0;
}
