/*
 * Suggestions for misspelt words.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_NEAREST_H
#define VIDU_NEAREST_H

#include "base/str.h"

/* Keeps the best of the candidates that were offered; start with NEAREST_INIT(word). */
struct nearest {
    const char *word;
    const char *best; /* NULL: none is near enough */
    size_t distance;
};

#define NEAREST_INIT(w) ((struct nearest){.word = (w), .distance = SIZE_MAX})

/* Near enough: at most a third of the word differs, and never more than 3 edits. */
void nearest_offer(struct nearest *n, const char *candidate);

/* unknown WHAT "WORD"; did you mean "BEST"? -EINVAL. */
int nearest_unknown(const struct nearest *n, const char *what, struct err *err);

#endif
