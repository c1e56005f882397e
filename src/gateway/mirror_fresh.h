/*
 * How long the links of a result are good (vidu/expiry.h). Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_MIRROR_FRESH_H
#define GATEWAY_MIRROR_FRESH_H

#include "base/str.h"

#include <jansson.h>

/* Links with less time than this are to be replaced before they are handed out. */
#define MIRROR_FRESH_LEFT_MS (10 * 60 * 1000LL)

/* When the first link of these creations ends, wall clock; INT64_MAX when there is none.
 * taken_ms: when they were written down. */
int64_t mirror_fresh_until(const json_t *creations, int64_t taken_ms);

#endif
