/*
 * What the operator should hear of, and is the event of no task: little room on the store's disk, a
 * certificate that ends, many callbacks with wrong signatures, a provider that does not answer.
 *
 * Each is told once, when it begins, and again only after it was over. What has been told stands in
 * the store beside the runs that tell it, so a restart tells nothing twice.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_ALARMS_H
#define KEEPER_ALARMS_H

#include "keeper/keeper.h"

#include <jansson.h>

struct alarms;

MUST_CHECK int alarms_load(struct store *s, struct alarms **out, struct err *err);
void alarms_free(struct alarms *a); /* NULL is fine */

/* Once a second: tells what has begun, and forgets what is over. */
void alarms_tick(struct keeper *k);
/* Those that are on, as an array of its own: "disk_low", "signature_failures",
 * "provider_down:NAME", "cert_expiring:END:DAYS" (the end in RFC 3339, the threshold in days). */
json_t *alarms_list(const struct alarms *a);

/* A callback was refused for its signature. */
void alarms_on_refusal(struct keeper *k);
/* A provider answered; or it did not, and why. Not its opinion of what was asked for. */
void alarms_on_answer(struct keeper *k, const char *provider);
void alarms_on_silence(struct keeper *k, const char *provider, const char *why);

#endif
