/*
 * One transaction for everything that arrived together, one commit, then the answers.
 *
 * The first write of a turn begins a transaction. The commit is an event of lower priority than
 * the channels, so it runs when nothing more is waiting to be read; while it syncs, the next
 * batch forms by itself in the sockets. There is no timer. An answer cannot leave before its
 * commit has returned, because answers only ever go to batch_answer, which keeps them until then;
 * when the commit fails they turn into refusals.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_BATCH_H
#define KEEPER_BATCH_H

#include "keeper/keeper.h"

struct batch *batch_new(struct keeper *k);
void batch_free(struct batch *b);

/* Makes sure a transaction is open. Not 0: the caller writes nothing and answers batch_refuse. */
MUST_CHECK int batch_begin(struct keeper *k);
/* Some write of this batch failed: all of it will be undone and every answer refused. */
void batch_spoil(struct keeper *k, int code, const struct err *err);
bool batch_spoiled(const struct keeper *k);

/* Answers that wait for the commit. The room may be gone by then. */
void batch_verdict(struct keeper *k, const struct room *room, uint64_t id, enum verdict v);
void batch_recorded(struct keeper *k, const struct room *room, uint64_t id, const char *task);
/* json is taken over; NULL (it could not be made) becomes an error. */
void batch_result(struct keeper *k, const struct room *room, uint64_t id, int exit_status,
                  char *json);
/* A live event for watching clients; json is taken over. Dropped when nobody watches. */
void batch_event(struct keeper *k, const char *task, char *json);
/* Called after the commit (ok) or after it failed; ctx stays the caller's. */
void batch_then(struct keeper *k, void (*fn)(struct keeper *k, bool ok, void *ctx), void *ctx);

/* Commits now, if anything is open: before stopping. */
void batch_flush(struct keeper *k);

#endif
