/* SPDX-License-Identifier: MIT */
#include "vidu/nearest.h"

#include <errno.h>
#include <string.h>

#define MOST_EDITS 3

void nearest_offer(struct nearest *n, const char *candidate)
{
    size_t most = (strlen(n->word) + 2) / 3;
    size_t distance = str_distance(n->word, candidate);

    if (distance > (most < MOST_EDITS ? most : MOST_EDITS) || distance >= n->distance)
        return;
    n->best = candidate;
    n->distance = distance;
}

int nearest_unknown(const struct nearest *n, const char *what, struct err *err)
{
    if (n->best != NULL)
        return err_set(err, -EINVAL, "unknown %s \"%.64s\"; did you mean \"%s\"?", what, n->word,
                       n->best);
    return err_set(err, -EINVAL, "unknown %s \"%.64s\"", what, n->word);
}
