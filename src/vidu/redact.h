/*
 * What may be shown of a secret.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_REDACT_H
#define VIDU_REDACT_H

#include "base/buf.h"

/* A URL without user, password, query and fragment; "?..." marks a query that was there. */
void redact_url(const char *url, struct buf *out);
/* A path of ours: /callback/abcd... shows the first four characters of the key. */
void redact_target(const char *target, size_t n, struct buf *out);

#endif
