/* SPDX-License-Identifier: MIT */
#include "keeper/places.h"

/* Runs that share a place. */
static size_t share_of(const struct conf_hook *h)
{
    return h->action == ACTION_HTTP && h->http.batch.max > 1 ? (size_t)h->http.batch.max : 1;
}

size_t places_most(const struct conf_hook *h)
{
    return (size_t)h->concurrency * share_of(h);
}

static size_t taken(const struct conf *c, const struct running_table *t)
{
    size_t n = running_count(t, NULL);

    for (size_t i = 0; i < c->n_hooks; i++) {
        size_t share = share_of(&c->hooks[i]);
        size_t runs = share > 1 ? running_count(t, c->hooks[i].name) : 0;

        n -= runs - (runs + share - 1) / share;
    }
    return n;
}

size_t places_free(const struct conf *c, const struct running_table *t)
{
    size_t n = taken(c, t);

    return n < (size_t)c->limits.runs ? (size_t)c->limits.runs - n : 0;
}

bool places_has(const struct conf *c, const struct running_table *t, const struct conf_hook *h)
{
    size_t runs = running_count(t, h->name);
    size_t share = share_of(h);

    if (runs >= places_most(h))
        return false;
    return runs % share != 0 || places_free(c, t) > 0;
}

int places_runs(const struct conf *c)
{
    size_t most = 1;

    for (size_t i = 0; i < c->n_hooks; i++)
        most = share_of(&c->hooks[i]) > most ? share_of(&c->hooks[i]) : most;
    return c->limits.runs * (int)most;
}
