/*
 * Where the receivers listen.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_LISTEN_H
#define CONF_CONF_LISTEN_H

#include "conf/conf_table.h"

extern const struct conf_type conf_type_listen;  /* of struct conf */
extern const struct conf_type conf_type_address; /* struct conf_listen: one URL, no systemd */

#endif
