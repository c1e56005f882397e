/*
 * Options of a download: layout and mode.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_DOWNLOAD_H
#define CONF_CONF_DOWNLOAD_H

#include "conf/conf_table.h"

extern const struct conf_type conf_type_layout; /* char *: flat, folder or a template */
extern const struct conf_type conf_type_mode;   /* unsigned, written octal */

struct conf_hook;
/* What the options of one download must be together. */
void conf_download_check(const struct conf_fill *fill, const struct conf_node *download,
                         const struct conf_hook *hook);

#endif
