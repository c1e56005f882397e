/*
 * The timeline of a task, and the same news live for those who watch.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_EVENTS_H
#define KEEPER_EVENTS_H

#include "keeper/keeper.h"

/* What happened to a task; the texts are borrowed. */
struct news {
    enum store_source source;
    const char *verdict; /* accepted, duplicate, quarantined, submitted, ... */
    const char *detail;  /* one line for people; NULL: none */
    struct slice nonce, headers, body;
};

/* Inside a transaction: the task as it is now into the store, with one more entry in its timeline,
 * and a live event that follows the commit. */
MUST_CHECK int event_task(struct keeper *k, struct store_task *t, const struct news *news,
                          struct err *err);
/* An attempt of a run has ended: timeline of its task, if it has one, and live. took_ms: its
 * duration; -1: there is none to be told. */
MUST_CHECK int event_run(struct keeper *k, const struct store_run *run, const char *verdict,
                         int64_t took_ms, struct err *err);
/* Live only. */
void event_run_live(struct keeper *k, const struct store_run *run, const char *state);
void event_progress(struct keeper *k, const char *task, const char *hook,
                    const struct msg_progress *msg);
/* Inside a transaction: the files of MSG_DONE into the store. */
MUST_CHECK int event_files(struct keeper *k, const struct store_run *run, struct slice files_json,
                           struct err *err);

#endif
