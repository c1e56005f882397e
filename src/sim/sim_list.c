/* SPDX-License-Identifier: MIT */
#include "sim/sim_list.h"

#include "base/encode.h"
#include "sim/sim_json.h"

#include <string.h>

#define PAGE         10
#define PAGE_MOST    100
#define MAX_PAGES    UINT32_MAX
#define VALUE_LENGTH 256

enum { TASK_IDS, STATES, TEMPLATES, MODELS, RESOLUTIONS, N_FILTERS };

static const char *const filters[N_FILTERS] = {
    [TASK_IDS] = "task_ids",     [STATES] = "states",           [TEMPLATES] = "templates",
    [MODELS] = "model_versions", [RESOLUTIONS] = "resolutions",
};

struct query {
    json_t *wanted[N_FILTERS]; /* arrays of texts; NULL: any */
    uint64_t page, size;
};

/* -- what is asked -- */

static bool decode(struct slice s, char out[VALUE_LENGTH])
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++, n++) {
        uint8_t byte = (uint8_t)s.p[i];

        if (n + 1 == VALUE_LENGTH)
            return false;
        if (s.p[i] == '%') {
            if (s.n - i < 3 || decode_hex(s.p + i + 1, 2, &byte, 1) < 0 || byte == '\0')
                return false;
            i += 2;
        }
        out[n] = (char)byte;
    }
    out[n] = '\0';
    return true;
}

/* A list in one value has commas, plain or as %2C. */
static size_t comma(struct slice s)
{
    if (s.p[0] == ',')
        return 1;
    return s.n >= 3 && slice_is_nocase((struct slice){s.p, 3}, "%2C") ? 3 : 0;
}

static bool add_values(struct query *q, size_t filter, struct slice list)
{
    char text[VALUE_LENGTH];

    if (q->wanted[filter] == NULL)
        q->wanted[filter] = json_array();
    while (list.n != 0) {
        size_t n = 0;

        while (n < list.n && comma((struct slice){list.p + n, list.n - n}) == 0)
            n++;
        if (!decode((struct slice){list.p, n}, text) ||
            json_array_append_new(q->wanted[filter], json_string(text)) != 0)
            return false;
        if (n < list.n)
            n += comma((struct slice){list.p + n, list.n - n});
        list = (struct slice){list.p + n, list.n - n};
    }
    return true;
}

static bool read_number(struct slice s, uint64_t least, uint64_t most, uint64_t *out)
{
    uint64_t n;

    if (str_to_u64(s.p, s.n, most, &n) < 0 || n < least)
        return false;
    *out = n;
    return true;
}

static bool read_one(struct query *q, struct slice name, struct slice value)
{
    for (size_t i = 0; i < N_FILTERS; i++)
        if (slice_is(name, filters[i]))
            return add_values(q, i, value);
    if (slice_is(name, "pager.pagesz"))
        return read_number(value, 1, PAGE_MOST, &q->size);
    if (slice_is(name, "pager.page") || slice_is(name, "pager.page_token"))
        return read_number(value, 0, MAX_PAGES, &q->page);
    return false;
}

static bool read_query(struct query *q, struct slice text)
{
    while (text.n != 0) {
        const char *end = memchr(text.p, '&', text.n);
        size_t n = end != NULL ? (size_t)(end - text.p) : text.n;
        const char *mark = memchr(text.p, '=', n);
        size_t name = mark != NULL ? (size_t)(mark - text.p) : n;
        size_t value = name < n ? name + 1 : n;

        if (!read_one(q, (struct slice){text.p, name}, (struct slice){text.p + value, n - value}))
            return false;
        n += end != NULL;
        text = (struct slice){text.p + n, text.n - n};
    }
    return true;
}

/* -- which tasks that are -- */

static bool is_among(const json_t *wanted, const char *text)
{
    for (size_t i = 0; i < json_array_size(wanted); i++)
        if (str_eq(json_string_value(json_array_get(wanted, i)), text))
            return true;
    return wanted == NULL;
}

static bool is_wanted(const struct query *q, const struct sim_task *t, const json_t *asked)
{
    const char *const texts[N_FILTERS] = {
        [TASK_IDS] = t->id,
        [STATES] = sim_state_word(t->shape, t->state),
        [TEMPLATES] = json_string_value(json_object_get(asked, "template")),
        [MODELS] = json_string_value(json_object_get(asked, "model")),
        [RESOLUTIONS] = json_string_value(json_object_get(asked, "resolution")),
    };

    for (size_t i = 0; i < N_FILTERS; i++)
        if (!is_among(q->wanted[i], texts[i]))
            return false;
    return true;
}

static void add_page(const struct sim_list_ask *ask, const struct query *q, struct buf *out)
{
    uint64_t skip = q->page * q->size, left = q->size;
    bool more = false;
    char token[24] = "";

    sim_json_open(out, "tasks", '[');
    for (size_t i = sim_tasks_count(ask->tasks); i > 0 && !more; i--) {
        const struct sim_task *t = sim_tasks_at(ask->tasks, i - 1);
        json_t *asked;

        if (t->shape != ask->shape || !str_eq(t->key, ask->key))
            continue;
        asked = json_loads(t->asked, JSON_ALLOW_NUL, NULL);
        if (!is_wanted(q, t, asked)) {
            /* another one */
        } else if (skip > 0) {
            skip--;
        } else if (left > 0) {
            sim_answer_listed(t, asked, ask->media, out);
            left--;
        } else {
            more = true;
        }
        json_decref(asked);
    }
    sim_json_close(out, ']');
    if (more)
        snprintf(token, sizeof(token), "%llu", (unsigned long long)q->page + 1);
    sim_json_str(out, "next_page_token", token);
}

bool sim_list(const struct sim_list_ask *ask, struct buf *out, struct sim_refusal *why)
{
    struct query q = {.size = PAGE};
    bool good = read_query(&q, ask->query);

    if (good) {
        sim_json_open(out, NULL, '{');
        add_page(ask, &q, out);
        sim_json_close(out, '}');
    } else {
        *why = (struct sim_refusal){400, "FieldInvalid", "invalid field", "query"};
    }
    for (size_t i = 0; i < N_FILTERS; i++)
        json_decref(q.wanted[i]);
    return good;
}
