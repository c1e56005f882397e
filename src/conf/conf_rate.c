/* SPDX-License-Identifier: MIT */
#include "conf/conf_rate.h"

#include "conf/conf_type.h"

#include <string.h>

static const struct unit {
    const char *name;
    int64_t ms;
} units[] = {{"/s", 1000}, {"/m", 60000}, {"/h", 3600000}};

static int parse(const char *text, struct conf_rate *out)
{
    size_t digits = strcspn(text, "/");
    uint64_t n;

    if (str_to_u64(text, digits, CONF_MAX_RATE, &n) < 0 || n == 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (!str_eq(text + digits, units[i].name))
            continue;
        *out = (struct conf_rate){.n = (int)n, .per_ms = units[i].ms};
        return 0;
    }
    return -1;
}

static void set_rate(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *node, void *object)
{
    const char *text = conf_want_text(fill, row->doc.name, node);

    if (text != NULL && parse(text, conf_slot(row, object)) < 0)
        conf_found_at(fill->found, node,
                      "'%s' must be 1 to %d a second, minute or hour, such as 5/s, 10/m or 100/h, "
                      "not '%s'",
                      row->doc.name, CONF_MAX_RATE, text);
}

static bool show_rate(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_rate *rate = conf_slot_const(row, object);

    for (size_t i = 0; i < ARRAY_LEN(units); i++)
        if (rate->per_ms == units[i].ms)
            buf_addf(out, "%d%s", rate->n, units[i].name);
    return rate->n != 0;
}

const struct conf_type conf_type_rate = {set_rate, show_rate, NULL};
