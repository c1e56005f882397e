/* SPDX-License-Identifier: MIT */
#include "conf/conf_items.h"

#include "conf/conf_type.h"
#include "conf/conf_url.h"

#include <errno.h>
#include <string.h>

static int check_tag(const char *text, struct err *err)
{
    if (text[0] != '=' && text[0] != '\0')
        return 0;
    return err_set(err, -EINVAL, "must be tag or tag=pattern");
}

static int check_address(const char *text, struct err *err)
{
    char host[256];
    int port;

    return conf_endpoint_parse(text, host, &port, err);
}

static int check_port(const char *text, struct err *err)
{
    uint64_t number;

    if (str_to_u64(text, strlen(text), 65535, &number) == 0 && number != 0)
        return 0;
    return err_set(err, -EINVAL, "must be a whole number within 1-65535");
}

static void add(const struct conf_fill *fill, const struct conf_row *row,
                const struct conf_node *item, void *object,
                int (*check)(const char *text, struct err *err))
{
    struct err err;

    if (check(item->text, &err) == 0)
        conf_list_add(conf_slot(row, object), item->text);
    else
        conf_found_at(fill->found, item, "'%s': '%s': %s", row->doc.name, item->text, err.text);
}

static void add_tag(const struct conf_fill *fill, const struct conf_row *row,
                    const struct conf_node *item, void *object)
{
    add(fill, row, item, object, check_tag);
}

static void add_address(const struct conf_fill *fill, const struct conf_row *row,
                        const struct conf_node *item, void *object)
{
    add(fill, row, item, object, check_address);
}

static void add_port(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *item, void *object)
{
    add(fill, row, item, object, check_port);
}

static void set_tags(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *node, void *object)
{
    conf_list_set(fill, row, node, object, add_tag);
}

static void set_addresses(const struct conf_fill *fill, const struct conf_row *row,
                          const struct conf_node *node, void *object)
{
    conf_list_set(fill, row, node, object, add_address);
}

static void set_ports(const struct conf_fill *fill, const struct conf_row *row,
                      const struct conf_node *node, void *object)
{
    conf_list_set(fill, row, node, object, add_port);
}

const struct conf_type conf_type_tags = {set_tags, conf_list_show, conf_list_release};
const struct conf_type conf_type_addresses = {set_addresses, conf_list_show, conf_list_release};
const struct conf_type conf_type_ports = {set_ports, conf_list_show, conf_list_release};
