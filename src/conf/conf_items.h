/*
 * Lists whose items have a form of their own, each checked where it stands.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_ITEMS_H
#define CONF_CONF_ITEMS_H

#include "conf/conf_table.h"

extern const struct conf_type conf_type_tags;      /* struct conf_list: tag, tag=pattern */
extern const struct conf_type conf_type_addresses; /* struct conf_list: conf_endpoint_parse */
extern const struct conf_type conf_type_ports;     /* struct conf_list: 1-65535 */

#endif
