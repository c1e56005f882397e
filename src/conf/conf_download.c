/* SPDX-License-Identifier: MIT */
#include "conf/conf_download.h"

#include "conf/conf_type.h"
#include "vidu/library.h"

#include <string.h>

/* layout */

static void set_layout(const struct conf_fill *fill, const struct conf_row *row,
                       const struct conf_node *node, void *object)
{
    const char *text = conf_want_text(fill, row->doc.name, node);
    struct err err;

    if (text == NULL)
        return;
    if (library_layout_check(text, &err) < 0)
        conf_found_at(fill->found, node, "'%s': %s", row->doc.name, err.text);
    else
        mem_replace(conf_slot(row, object), text);
}

const struct conf_type conf_type_layout = {set_layout, conf_text_show, conf_text_release};

/* mode */

static void set_mode(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *node, void *object)
{
    const char *text = conf_want_text(fill, row->doc.name, node);
    unsigned mode;

    if (text == NULL)
        return;
    if (conf_parse_octal(text, &mode) && (mode & 0400) != 0)
        *(unsigned *)conf_slot(row, object) = mode;
    else
        conf_found_at(fill->found, node,
                      "'%s' must be octal permissions that let the owner read, like 0644, not "
                      "'%s'",
                      row->doc.name, text);
}

const struct conf_type conf_type_mode = {set_mode, conf_show_octal, NULL};

/* together */

void conf_download_check(const struct conf_fill *fill, const struct conf_node *download,
                         const struct conf_hook *hook)
{
    if (hook->download.prune && hook->download.max_total == 0)
        conf_found_at(fill->found, conf_node_get(download, "prune"),
                      "'hooks[].download.prune' needs 'hooks[].download.max_total', which says how "
                      "much may stay");
}
