/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_fresh.h"

#include <string.h>
#include <strings.h>
#include <time.h>

#define MAX_SECONDS 100000000000ULL /* beyond it a number is no time */

/* The value of a parameter of the URL's query; any case. */
static struct slice parameter(const char *url, const char *name)
{
    const char *p = strchr(url, '?');
    size_t n = strlen(name);

    while (p != NULL && *++p != '\0') {
        if (strncasecmp(p, name, n) == 0 && p[n] == '=')
            return (struct slice){p + n + 1, strcspn(p + n + 1, "&#")};
        p = strchr(p, '&');
    }
    return (struct slice){NULL, 0};
}

static bool number(struct slice s, int64_t *out)
{
    uint64_t value;

    if (s.n == 0 || str_to_u64(s.p, s.n, MAX_SECONDS, &value) < 0)
        return false;
    *out = (int64_t)value;
    return true;
}

/* 20250506T120942Z */
static bool basic_time(struct slice s, int64_t *wall_ms)
{
    struct tm tm = {0};
    char text[17];
    const char *end;

    if (s.n != 16)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = '\0';
    end = strptime(text, "%Y%m%dT%H%M%SZ", &tm);
    if (end == NULL || *end != '\0')
        return false;
    *wall_ms = (int64_t)timegm(&tm) * 1000;
    return true;
}

/* How stores sign: when the link was made and for how long, or when it ends. */
static const struct {
    const char *made, *seconds;
} schemes[] = {{"X-Amz-Date", "X-Amz-Expires"}, {"x-oss-date", "x-oss-expires"}};

static int64_t ends(const char *url, int64_t taken_ms)
{
    int64_t seconds, made_ms;

    if (number(parameter(url, "Expires"), &seconds))
        return seconds * 1000;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (!number(parameter(url, schemes[i].seconds), &seconds))
            continue;
        if (!basic_time(parameter(url, schemes[i].made), &made_ms))
            made_ms = taken_ms;
        return made_ms + seconds * 1000;
    }
    return taken_ms + MIRROR_FRESH_DEFAULT_MS;
}

int64_t mirror_fresh_until(const json_t *creations, int64_t taken_ms)
{
    static const char *const members[] = {"url", "cover_url", "watermarked_url"};
    int64_t until = INT64_MAX;

    for (size_t i = 0; i < json_array_size(creations); i++)
        for (size_t j = 0; j < ARRAY_LEN(members); j++) {
            const char *url =
                json_string_value(json_object_get(json_array_get(creations, i), members[j]));

            if (!str_empty(url) && ends(url, taken_ms) < until)
                until = ends(url, taken_ms);
        }
    return until;
}
