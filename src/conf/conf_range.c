/* SPDX-License-Identifier: MIT */
#include "conf/conf_range.h"

#include "conf/conf_type.h"

#include <errno.h>
#include <string.h>

#define DIGITS     "0123456789"
#define WHOLE_MAX  1000000000
#define RANGE_FORM "a number or a range such as 5, 4-8, >=5 or <10"

/* Both ends belong to it. */
struct range {
    int64_t from, to;
};

/* "2.5" is 2500; what is taken is taken off *at. */
static int take_number(const char **at, int64_t *out)
{
    size_t whole = strspn(*at, DIGITS);
    size_t decimals = (*at)[whole] == '.' ? strspn(*at + whole + 1, DIGITS) : 0;
    uint64_t value;
    uint64_t part = 0;

    if (str_to_u64(*at, whole, WHOLE_MAX, &value) < 0 || decimals > 3)
        return -EINVAL;
    if ((*at)[whole] == '.' && str_to_u64(*at + whole + 1, decimals, 999, &part) < 0)
        return -EINVAL;
    for (size_t i = decimals; i < 3; i++)
        part *= 10;
    *at += whole + ((*at)[whole] == '.' ? 1 + decimals : 0);
    *out = (int64_t)(value * 1000 + part);
    return 0;
}

/* ">=" and the like, and how far from the number their end is. */
static const struct bound {
    const char *sign;
    bool below;
    int64_t off;
} bounds[] = {{">=", false, 0}, {"<=", true, 0}, {">", false, 1}, {"<", true, -1}};

static int parse_bound(const struct bound *b, const char *text, struct range *out)
{
    int64_t number;

    if (take_number(&text, &number) < 0 || *text != '\0')
        return -EINVAL;
    *out = b->below ? (struct range){INT64_MIN, number + b->off}
                    : (struct range){number + b->off, INT64_MAX};
    return 0;
}

static int parse(const char *text, struct range *out)
{
    for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
        if (str_starts(text, bounds[i].sign))
            return parse_bound(&bounds[i], text + strlen(bounds[i].sign), out);
    if (take_number(&text, &out->from) < 0)
        return -EINVAL;
    out->to = out->from;
    if (*text == '-') {
        text++;
        if (take_number(&text, &out->to) < 0)
            return -EINVAL;
    }
    return *text == '\0' && out->from <= out->to ? 0 : -EINVAL;
}

static void add_range(const struct conf_fill *fill, const struct conf_row *row,
                      const struct conf_node *item, void *object)
{
    struct range range;

    if (parse(item->text, &range) == 0)
        conf_list_add(conf_slot(row, object), item->text);
    else
        conf_found_at(fill->found, item, "'%s' must be " RANGE_FORM ", not '%s'", row->doc.name,
                      item->text);
}

static void set_ranges(const struct conf_fill *fill, const struct conf_row *row,
                       const struct conf_node *node, void *object)
{
    conf_list_set(fill, row, node, object, add_range);
}

const struct conf_type conf_type_ranges = {set_ranges, conf_list_show, conf_list_release};

bool conf_ranges_have(const struct conf_list *ranges, int64_t thousandths)
{
    for (size_t i = 0; i < ranges->n; i++) {
        struct range range;

        if (parse(ranges->v[i], &range) == 0 && thousandths >= range.from &&
            thousandths <= range.to)
            return true;
    }
    return ranges->n == 0;
}
