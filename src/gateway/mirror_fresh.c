/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_fresh.h"

#include "vidu/expiry.h"

int64_t mirror_fresh_until(const json_t *creations, int64_t taken_ms)
{
    static const char *const members[] = {"url", "cover_url", "watermarked_url"};
    int64_t until = INT64_MAX;

    for (size_t i = 0; i < json_array_size(creations); i++)
        for (size_t j = 0; j < ARRAY_LEN(members); j++) {
            const char *url =
                json_string_value(json_object_get(json_array_get(creations, i), members[j]));

            if (!str_empty(url) && expiry_of_url(url, taken_ms) < until)
                until = expiry_of_url(url, taken_ms);
        }
    return until;
}
