/*
 * What the options must be together, after each has been found right by itself.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_CHECK_H
#define CONF_CONF_CHECK_H

#include "conf/conf_table.h"

/* In a partial tree only what each option is by itself is judged. Also brings public_url and store
 * into their final form and reads the TLS files. */
void conf_check(const struct conf_fill *fill, const struct conf_node *root, struct conf *c);

#endif
