/*
 * The list of hooks.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_HOOK_H
#define CONF_CONF_HOOK_H

#include "conf/conf_table.h"

extern const struct conf_type conf_type_hooks; /* of struct conf */
extern const struct conf_type conf_type_argv;  /* exec of struct conf_hook */

#endif
