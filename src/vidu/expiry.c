/* SPDX-License-Identifier: MIT */
#include "vidu/expiry.h"

#include "base/str.h"

#include <jansson.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define SECONDS_MOST 100000000000LL /* far beyond any date that is meant */

static bool ends_with(struct slice name, const char *end)
{
    size_t n = strlen(end);

    return name.n > n && strncasecmp(name.p + name.n - n, end, n) == 0;
}

/* 20261128T190000Z; 0: it is none. */
static int64_t compact_date_ms(struct slice value)
{
    struct tm tm = {.tm_isdst = 0};
    char text[17] = "";
    const char *end;

    if (value.n != sizeof(text) - 1)
        return 0;
    memcpy(text, value.p, value.n);
    end = strptime(text, "%Y%m%dT%H%M%SZ", &tm);
    return end != NULL && *end == '\0' ? (int64_t)timegm(&tm) * 1000 : 0;
}

struct found {
    int64_t at_ms, date_ms, after_ms; /* 0: not said */
};

static void read_parameter(struct slice name, struct slice value, struct found *out)
{
    uint64_t seconds = 0;
    bool number = str_to_u64(value.p, value.n, SECONDS_MOST, &seconds) == 0;

    if (slice_is_nocase(name, "Expires") && number)
        out->at_ms = (int64_t)seconds * 1000;
    else if (ends_with(name, "-Expires") && number)
        out->after_ms = (int64_t)seconds * 1000;
    else if (ends_with(name, "-Date"))
        out->date_ms = compact_date_ms(value);
}

int64_t expiry_of_url(const char *url, int64_t received_ms)
{
    const char *at = url + strcspn(url, "?#");
    struct found found = {0, 0, 0};

    while (*at != '\0' && *at != '#') {
        const char *name = at + 1;
        size_t n = strcspn(name, "&#");
        const char *equals = memchr(name, '=', n);

        if (equals != NULL)
            read_parameter((struct slice){name, (size_t)(equals - name)},
                           (struct slice){equals + 1, n - (size_t)(equals + 1 - name)}, &found);
        at = name + n;
    }
    if (found.at_ms > 0)
        return found.at_ms;
    if (found.after_ms > 0)
        return (found.date_ms > 0 ? found.date_ms : received_ms) + found.after_ms;
    return received_ms + EXPIRY_DEFAULT_MS;
}

int64_t expiry_of_result(const char *result, int64_t received_ms)
{
    json_t *creations = json_loads(result, 0, NULL);
    const json_t *creation;
    int64_t soonest = 0;
    size_t i;

    json_array_foreach (creations, i, creation) {
        const char *url = json_string_value(json_object_get(creation, "url"));
        int64_t at = str_empty(url) ? 0 : expiry_of_url(url, received_ms);

        if (at > 0 && (soonest == 0 || at < soonest))
            soonest = at;
    }
    json_decref(creations);
    return soonest;
}
