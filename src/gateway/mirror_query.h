/*
 * Clients that poll: tasks we know are answered from the store, and cost their provider nothing;
 * others go on to it.
 *
 *   lookup --> unknown: mirror_pass
 *          --> links about to end: refresh at the provider, lookup again; what is stored is good
 *              enough when the provider is down
 *          --> X-Viduhook-Wait and not at its end: held until the task changes, or the time is over
 *          --> the provider's shape
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_MIRROR_QUERY_H
#define GATEWAY_MIRROR_QUERY_H

#include "gateway/mirror_call.h"

void mirror_query(struct mirror_call *c); /* one task */
/* A tree of jobs: the provider is asked, and what it said last is for when it gives no answer. */
void mirror_tree(struct mirror_call *c);
void mirror_list(struct mirror_call *c); /* several: GET .../tasks?task_ids=... */
/* A task has changed: who waits for it is answered. */
void mirror_query_changed(struct mirror *m, const char *task);
/* Everybody who waits is answered now. */
void mirror_query_end_waits(struct mirror *m);

#endif
