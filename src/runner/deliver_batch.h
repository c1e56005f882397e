/*
 * Deliveries of several runs in one request.
 *
 *   run --> joins those of its hook that wait --- the first has waited long enough, or there are
 *           as many as fit ---> one delivery (deliver.c) with all their contexts
 *
 * Each run ends with what the request came to. One that is refused for good may be so because of
 * a single run in it: then each is sent alone, once. Nothing is kept here that the keeper does not
 * have: when this process dies, it makes every run of the batch again.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_DELIVER_BATCH_H
#define RUNNER_DELIVER_BATCH_H

#include "runner/action.h"

/* Those that wait. Outlives its runs. */
struct batches *batches_new(void);
void batches_free(struct batches *all);
/* Nobody waits any longer: the daemon stops. */
void batches_hurry(struct batches *all);

/*
 * What a delivery of them is told: the context of the first with the files of all and the highest
 * attempt, and in "batch" each of theirs. contexts is an array; the result the caller's.
 */
json_t *deliver_merge(const json_t *contexts);

#endif
