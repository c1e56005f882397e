/*
 * Percent-encoding (RFC 3986): everything but letters, digits and -._~ is escaped.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_PERCENT_H
#define VIDU_PERCENT_H

#include "base/buf.h"

void percent_encode(const char *p, size_t n, struct buf *out);

#endif
