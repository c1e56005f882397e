/*
 * The map of providers.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_PROVIDER_H
#define CONF_CONF_PROVIDER_H

#include "conf/conf_table.h"

extern const struct conf_type conf_type_providers; /* of struct conf */
extern const struct conf_type conf_type_profile;   /* of struct conf_provider */
extern const struct conf_type conf_type_base_url;  /* of struct conf_provider */

/* [A-Za-z0-9_-], 1 to 64: names of providers and hooks stand in paths, logs and commands. */
bool conf_name_is_good(const char *name);
#define CONF_NAME_FORM "1 to 64 of A-Z a-z 0-9 _ -"

#endif
