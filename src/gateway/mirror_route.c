/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_route.h"

#include <string.h>

static struct slice behind(struct slice s, size_t n)
{
    return (struct slice){s.p + n, s.n - n};
}

/* "/ent/v2" + "/img2video" */
static bool is_joined(struct slice path, const char *prefix, const char *end)
{
    size_t n = strlen(prefix);

    return path.n == n + strlen(end) && memcmp(path.p, prefix, n) == 0 &&
           slice_is(behind(path, n), end);
}

/* Only those that take a callback_url make a task that somebody has to wait for. */
static const struct endpoint *creates(const struct mirror_route *r)
{
    const struct provider_profile *profile = account_profile(r->account);

    for (size_t i = 0; i < endpoint_count(); i++)
        if (endpoint_at(i)->accepts_callback &&
            is_joined(r->path, profile->prefix, endpoint_at(i)->path))
            return endpoint_at(i);
    return NULL;
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
        if (slice_is(head->method, "POST"))
            out->endpoint = creates(out);
        return true;
    }
    return false;
}
