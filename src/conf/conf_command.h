/*
 * As whom, where and within which limits a command runs.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_COMMAND_H
#define CONF_CONF_COMMAND_H

#include "conf/conf_table.h"

extern const struct conf_type conf_type_env;   /* struct conf_list of NAME=VALUE, from a map */
extern const struct conf_type conf_type_umask; /* unsigned */

/* What the options alone cannot tell; looks the user up. */
void conf_command_check(const struct conf_fill *fill, const struct conf_node *node,
                        struct conf_hook *hook);

#endif
