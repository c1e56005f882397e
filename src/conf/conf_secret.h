/*
 * Secrets: where they are read from, and that they are wiped.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_SECRET_H
#define CONF_CONF_SECRET_H

#include "conf/conf_table.h"

extern const struct conf_type conf_type_secret;        /* struct conf_secret */
extern const struct conf_type conf_type_previous_keys; /* of struct conf_provider */

/* Reads the secret that a node names; false after a finding, *secret untouched. */
bool conf_want_secret(const struct conf_fill *fill, const char *option,
                      const struct conf_node *node, struct conf_secret *secret);
/* Wipes it; what it lies in is the caller's. */
void conf_secret_free(struct conf_secret *secret);

#endif
