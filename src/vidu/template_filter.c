/* SPDX-License-Identifier: MIT */
#include "vidu/template_filter.h"

#include "vidu/nearest.h"
#include "vidu/percent.h"

#include <errno.h>
#include <string.h>

#define PATH_MAX_BYTES 120
#define TRUNC_MAX      1000000

static void apply_raw(const char *value, struct slice argument, struct buf *out)
{
    (void)argument;
    buf_adds(out, value);
}

static void apply_json(const char *value, struct slice argument, struct buf *out)
{
    (void)argument;
    buf_add_json(out, value, strlen(value));
}

static void apply_url(const char *value, struct slice argument, struct buf *out)
{
    (void)argument;
    percent_encode(value, strlen(value), out);
}

static void apply_path(const char *value, struct slice argument, struct buf *out)
{
    (void)argument;
    template_file_name(value, PATH_MAX_BYTES, out);
}

/* As the json filter, without its quotes: the template has them. */
static void apply_json_inside(const char *value, struct slice argument, struct buf *out)
{
    autobuf struct buf quoted = BUF_INIT(strlen(value) * 6 + 2);

    apply_json(value, argument, &quoted);
    buf_add(out, buf_text(&quoted) + 1, quoted.len - 2);
}

static void apply_line(const char *value, struct slice argument, struct buf *out)
{
    (void)argument;
    for (; *value != '\0'; value++)
        buf_addc(out, (unsigned char)*value < 0x20 || *value == 0x7f ? ' ' : *value);
}

static const char *xml_entity(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

/* XML 1.0 2.2: of the control characters only tab and line ends, and no U+FFFE, U+FFFF. */
static bool is_xml(const char *p, size_t step)
{
    if (step == 1)
        return (unsigned char)p[0] >= 0x20 || strchr("\t\n\r", p[0]) != NULL;
    return step != 3 || memcmp(p, "\xef\xbf\xbe", 3) < 0;
}

static void apply_xml(const char *value, struct slice argument, struct buf *out)
{
    size_t n = strlen(value);
    size_t step;

    (void)argument;
    for (size_t i = 0; i < n; i += step) {
        const char *entity = xml_entity(value[i]);

        step = str_utf8_step(value + i, n - i);
        if (step == 0) {
            step = 1;
            buf_adds(out, "\xef\xbf\xbd");
        } else if (entity != NULL) {
            buf_adds(out, entity);
        } else if (is_xml(value + i, step)) {
            buf_add(out, value + i, step);
        }
    }
}

static uint64_t number_of(struct slice argument)
{
    uint64_t n = 0;

    return str_to_u64(argument.p, argument.n, TRUNC_MAX, &n) < 0 ? 0 : n;
}

static void apply_trunc(const char *value, struct slice argument, struct buf *out)
{
    buf_add(out, value, str_utf8_cut(value, strlen(value), (size_t)number_of(argument)));
}

/* Where a part of a time stands in its RFC 3339 text: 2026-11-20T17:05:27Z. */
static const struct {
    char letter;
    unsigned char at, n;
} time_parts[] = {{'Y', 0, 4}, {'m', 5, 2}, {'d', 8, 2}, {'H', 11, 2}, {'M', 14, 2}, {'S', 17, 2}};

static const char time_form[] = "dddd-dd-ddTdd:dd:dd";

static bool is_time(const char *value)
{
    for (size_t i = 0; i < sizeof(time_form) - 1; i++)
        if (time_form[i] == 'd' ? value[i] < '0' || value[i] > '9' : value[i] != time_form[i])
            return false;
    return true;
}

static bool add_time_part(char letter, const char *value, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(time_parts); i++)
        if (time_parts[i].letter == letter) {
            buf_add(out, value + time_parts[i].at, time_parts[i].n);
            return true;
        }
    return false;
}

/* What is not a time, as one that is not known yet, gives nothing. */
static void apply_time(const char *value, struct slice format, struct buf *out)
{
    if (!is_time(value))
        return;
    for (size_t i = 0; i < format.n; i++) {
        if (format.p[i] != '%')
            buf_addc(out, format.p[i]);
        else if (!add_time_part(format.p[++i], value, out))
            buf_addc(out, '%');
    }
}

static int check_none(struct slice argument, struct err *err)
{
    return argument.n == 0 ? 0 : err_set(err, -EINVAL, "this filter has no number behind it");
}

static int check_trunc(struct slice argument, struct err *err)
{
    if (number_of(argument) == 0)
        return err_set(err, -EINVAL, "trunc needs a number of bytes, 1 to %d: trunc:80", TRUNC_MAX);
    return 0;
}

static const struct {
    const char *name;
    int (*check)(struct slice argument, struct err *err);
    template_filter_fn *apply;
    bool escapes;
} filters[] = {
    {"raw", check_none, apply_raw, true}, {"json", check_none, apply_json, true},
    {"url", check_none, apply_url, true}, {"path", check_none, apply_path, false},
    {"xml", check_none, apply_xml, true}, {"trunc", check_trunc, apply_trunc, false},
};

static template_filter_fn *const place_filters[] = {
    [TEMPLATE_PLAIN] = NULL,
    [TEMPLATE_URL] = apply_url,
    [TEMPLATE_JSON] = apply_json_inside,
    [TEMPLATE_LINE] = apply_line,
};

bool template_filter_of_place(enum template_place place, struct template_filter *out)
{
    *out = (struct template_filter){.apply = place_filters[place], .escapes = true};
    return out->apply != NULL;
}

const struct template_filter_name template_filter_names[] = {
    {"raw", "the value as it is"},
    {"json", "a quoted JSON string"},
    {"url", "percent-encoded"},
    {"path", "safe as one file name"},
    {"xml", "text for XML"},
    {"trunc:N", "at most N bytes, cut between characters"},
    {"%Y-%m-%d", "a time in UTC: %Y %m %d %H %M %S"},
    {NULL, NULL},
};

static int check_time(struct slice format, struct err *err)
{
    for (size_t i = 0; i < format.n; i++)
        if (format.p[i] == '%' && (i + 1 == format.n || strchr("YmdHMS%", format.p[++i]) == NULL))
            return err_set(err, -EINVAL, "a time has %%Y %%m %%d %%H %%M %%S, and %%%% is a %%");
    return 0;
}

int template_filter_find(struct slice word, struct template_filter *out, struct err *err)
{
    const char *colon = memchr(word.p, ':', word.n);
    size_t n = colon != NULL ? (size_t)(colon - word.p) : word.n;
    struct slice argument = {word.p + n + (colon != NULL), word.n - n - (colon != NULL)};
    autofree char *name = mem_strndup(word.p, n);
    struct nearest nearest = NEAREST_INIT(name);

    if (word.n != 0 && word.p[0] == '%') {
        *out = (struct template_filter){apply_time, word, false};
        return check_time(word, err);
    }
    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        if (str_eq(filters[i].name, name)) {
            *out = (struct template_filter){filters[i].apply, argument, filters[i].escapes};
            return filters[i].check(argument, err);
        }
        nearest_offer(&nearest, filters[i].name);
    }
    return nearest_unknown(&nearest, "filter", err);
}
