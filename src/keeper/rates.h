/*
 * How often the runs of a hook may begin. Counted since the daemon started, over reloads.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_RATES_H
#define KEEPER_RATES_H

#include "conf/conf.h"

struct rates;

struct rates *rates_new(void);
void rates_free(struct rates *r); /* NULL is fine */

/* How long until a run of the hook may begin, milliseconds; 0: now, or it has no rate. */
int64_t rates_wait_ms(const struct rates *r, const struct conf_hook *h);
/* The same for the hook that may go on first; 0: no hook has to wait. */
int64_t rates_next_ms(const struct rates *r, const struct conf *c);
/* One begins. */
void rates_spend(struct rates *r, const struct conf_hook *h);

#endif
