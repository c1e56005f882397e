/* SPDX-License-Identifier: MIT */
#include "cli/suggest.h"

#include "base/str.h"

#include <string.h>

void suggest_consider(struct suggestion *s, const char *candidate)
{
    size_t len = strlen(s->word);
    size_t distance = str_distance(s->word, candidate);

    if (len >= 2 && str_starts(candidate, s->word))
        distance = 1;
    if (distance > (len + 2) / 3 || (s->best != NULL && distance >= s->distance))
        return;
    s->best = candidate;
    s->distance = distance;
}
