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

#endif
