/*
 * The first byte picks an endpoint, the rest is a request body. What is put in can be taken out
 * again, and leaves what was there.
 *
 * SPDX-License-Identifier: MIT
 */
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

static void check_injected(const struct buf *out, json_t *before)
{
    json_t *after = json_loadb(out->data, out->len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

    if (!str_eq(json_string_value(json_object_get(after, "callback_url")), URL))
        abort();
    json_object_del(after, "callback_url");
    if (!json_equal(after, before))
        abort();
    json_decref(after);
}

static void check_body(json_t *body, const struct endpoint *e)
{
    char *summary = request_summary(body);
    size_t warned = 0;

    if (strlen(summary) > 64U << 10 || !str_is_utf8(summary, strlen(summary)))
        abort();
    if (request_check(e, body, count, &warned) != warned)
        abort();
    free(summary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *body = (const char *)data + 1;
    struct buf out = BUF_INIT(16U << 20);
    char *old = NULL;
    json_t *parsed;
    int rc;

    if (size < 1)
        return 0;
    parsed = json_loadb(body, size - 1, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    rc = request_inject_callback(body, size - 1, URL, &out, &old, NULL);
    if ((rc == -EEXIST) != (old != NULL) || (rc == 0 && parsed == NULL))
        abort();
    if (rc == 0)
        check_injected(&out, parsed);
    else if (out.len != 0)
        abort();
    if (rc == 0 || rc == -EEXIST)
        check_body(parsed, endpoint_at(data[0] % endpoint_count()));
    json_decref(parsed);
    free(old);
    buf_free(&out);
    return 0;
}
