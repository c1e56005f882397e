/*
 * Where the receivers listen.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_LISTEN_H
#define CONF_CONF_LISTEN_H

#include "conf/conf_table.h"

/* Whether both cannot be listened at together: one address and port, or all sockets of systemd. */
bool conf_listen_is_same(const struct conf_listen *a, const struct conf_listen *b);

extern const struct conf_type conf_type_listen;  /* of struct conf */
extern const struct conf_type conf_type_address; /* struct conf_listen: one URL, no systemd */

#endif
