/*
 * The name that a misspelt one is nearest to.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

struct suggestion {
    const char *word; /* as typed */
    const char *best; /* NULL: nothing near so far */
    size_t distance;  /* of best */
};

/* Offers one candidate; keeps the nearest that is near at all. */
void suggest_consider(struct suggestion *s, const char *candidate);

#endif
