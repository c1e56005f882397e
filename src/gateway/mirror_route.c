/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_route.h"

#include <string.h>

static struct slice behind(struct slice s, size_t n)
{
    return (struct slice){s.p + n, s.n - n};
}

bool mirror_route(const struct hello_gateway *h, const struct head *head, struct mirror_route *out)
{
    for (size_t i = 0; i < h->n_providers; i++) {
        size_t n = strlen(h->providers[i].name) + 1;

        if (head->path.n < n || head->path.p[0] != '/' ||
            memcmp(head->path.p + 1, h->providers[i].name, n - 1) != 0 ||
            (head->path.n > n && head->path.p[n] != '/'))
            continue;
        *out = (struct mirror_route){.account = &h->providers[i],
                                     .path = behind(head->path, n),
                                     .target = behind(head->target, n)};
        return true;
    }
    return false;
}
