/*
 * So many in a time: 5/s, 10/m, 100/h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_RATE_H
#define CONF_CONF_RATE_H

#include "conf/conf_table.h"

extern const struct conf_type conf_type_rate; /* struct conf_rate */

#endif
