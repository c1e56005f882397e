/* SPDX-License-Identifier: MIT */
#include "keeper/match.h"

#include "conf/conf_range.h"

#include <jansson.h>
#include <string.h>

#define DURATION_MAX 1e9 /* seconds; more is no duration */

static bool any_fits(const struct conf_list *patterns, const char *text)
{
    for (size_t i = 0; i < patterns->n; i++)
        if (str_glob(patterns->v[i], text))
            return true;
    return patterns->n == 0;
}

/* "album" asks for the tag, "album=x*" for its value as well. */
static bool tag_fits(const json_t *tags, const char *wanted)
{
    const char *equals = strchr(wanted, '=');
    autofree char *name =
        mem_strndup(wanted, equals != NULL ? (size_t)(equals - wanted) : strlen(wanted));
    const json_t *value = json_object_get(tags, name);

    if (value == NULL)
        return false;
    return equals == NULL || str_glob(equals + 1, str_or(json_string_value(value), ""));
}

static bool tags_fit(const struct conf_list *wanted, const char *tags_json)
{
    json_t *tags = wanted->n != 0 ? json_loads(tags_json, 0, NULL) : NULL;
    bool fit = true;

    for (size_t i = 0; i < wanted->n && fit; i++)
        fit = tag_fits(tags, wanted->v[i]);
    json_decref(tags);
    return fit;
}

static bool duration_fits(const struct conf_list *ranges, const char *request)
{
    json_t *all = ranges->n != 0 ? json_loads(request, 0, NULL) : NULL;
    const json_t *duration = json_object_get(all, "duration");
    double seconds = json_number_value(duration);
    bool known = json_is_number(duration) && seconds >= 0 && seconds <= DURATION_MAX;
    bool fits =
        ranges->n == 0 || (known && conf_ranges_have(ranges, (int64_t)(seconds * 1000 + 0.5)));

    json_decref(all);
    return fits;
}

static bool credits_fit(const struct conf_list *ranges, int64_t credits)
{
    return ranges->n == 0 ||
           (credits >= 0 && credits <= INT32_MAX && conf_ranges_have(ranges, credits * 1000));
}

bool match_fits(const struct conf_match *m, const struct store_task *t)
{
    return any_fits(&m->provider, t->provider) && any_fits(&m->endpoint, t->endpoint) &&
           any_fits(&m->model, t->model) && any_fits(&m->err_code, t->err_code) &&
           any_fits(&m->payload, t->payload) && tags_fit(&m->tags, t->tags) &&
           credits_fit(&m->credits, t->credits) && duration_fits(&m->duration, t->request);
}

bool match_needs_request(const struct conf_match *m)
{
    return m->payload.n != 0 || m->duration.n != 0;
}
