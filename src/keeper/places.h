/*
 * How many runs may be under way at once: of a hook, and of all hooks together (limits.runs). Runs
 * that go into one request share a place.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_PLACES_H
#define KEEPER_PLACES_H

#include "conf/conf.h"
#include "keeper/running.h"

/* Runs of this hook that may be under way at once. */
size_t places_most(const struct conf_hook *h);
/* Whether one more run of this hook may begin. */
bool places_has(const struct conf *c, const struct running_table *t, const struct conf_hook *h);
/* Places that are free, whoever takes them. */
size_t places_free(const struct conf *c, const struct running_table *t);
/* Runs that the runner may be given at once. */
int places_runs(const struct conf *c);

#endif
