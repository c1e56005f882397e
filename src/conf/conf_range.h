/*
 * Ranges of numbers in `match`: 5, 4-8, >=5, <10. Numbers may have three decimals.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_RANGE_H
#define CONF_CONF_RANGE_H

#include "conf/conf_table.h"

extern const struct conf_type conf_type_ranges; /* struct conf_list of checked texts */

/* Whether the number, given in thousandths, lies within one of the ranges; true of an empty list.
 */
bool conf_ranges_have(const struct conf_list *ranges, int64_t thousandths);

#endif
