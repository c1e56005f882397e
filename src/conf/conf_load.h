/*
 * A snapshot from text that is in memory already.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_LOAD_H
#define CONF_CONF_LOAD_H

#include "conf/conf.h"

/* As conf_load for one text; file names it in reports, relative paths start at its directory.
 * There is no conf.d. */
MUST_CHECK int conf_load_text(const char *file, const char *text, size_t n, conf_report *report,
                              void *ctx, struct conf **out);

#endif
