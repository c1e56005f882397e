/* SPDX-License-Identifier: MIT */
#include "vidu/redact.h"

#include "vidu/key.h"

#include <string.h>

#define MARKER   "/callback/"
#define AT_ROUTE "at/"

/* Where the key begins in a path, NULL when there is none. */
static const char *key_in(const char *path, size_t n)
{
    const char *at = memmem(path, n, MARKER, sizeof(MARKER) - 1);
    size_t left;

    if (at == NULL)
        return NULL;
    at += sizeof(MARKER) - 1;
    left = n - (size_t)(at - path);
    if (left >= sizeof(AT_ROUTE) - 1 && memcmp(at, AT_ROUTE, sizeof(AT_ROUTE) - 1) == 0)
        return NULL;
    return at;
}

static size_t run_without(const char *p, size_t n, const char *stops)
{
    size_t i = 0;

    while (i < n && (p[i] == '\0' || strchr(stops, p[i]) == NULL))
        i++;
    return i;
}

void redact_url(const char *url, struct buf *out)
{
    const char *scheme_end = strstr(url, "://");
    const char *host = scheme_end != NULL ? scheme_end + 3 : url;
    size_t authority = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', authority);
    const char *shown = at != NULL ? at + 1 : host;

    buf_add(out, url, (size_t)(host - url));
    buf_add(out, shown, (size_t)(host + authority - shown));
    redact_target(host + authority, strlen(host + authority), out);
}

void redact_target(const char *target, size_t n, struct buf *out)
{
    size_t path = run_without(target, n, "?#");
    const char *key = key_in(target, path);
    size_t left = key != NULL ? path - (size_t)(key - target) : 0;

    if (left > KEY_SHOWN_LEN) {
        buf_add(out, target, path - left + KEY_SHOWN_LEN);
        buf_adds(out, "...");
    } else {
        buf_add(out, target, path);
    }
    if (path < n && target[path] == '?')
        buf_adds(out, "?...");
}
