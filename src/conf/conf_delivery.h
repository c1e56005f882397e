/*
 * What an http hook becomes for the runner: its preset filled in, its secrets in their places.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_DELIVERY_H
#define CONF_CONF_DELIVERY_H

#include "conf/conf.h"

#include <jansson.h>

/* The "action" of wire/run.h. It holds secrets: for the runner only, never for a log. */
json_t *delivery_action(const struct conf_hook *h);

#endif
