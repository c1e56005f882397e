/*
 * What a statement about a task is worth, and what follows from it (design.md sections 2 and 4,
 * vidu-api.md 12.5, hardening.md 4.1).
 *
 * Authenticity decides whether it is accepted, meaning decides what it does: what is authentic
 * but not understood, late, or contradicting is kept raw in quarantine and the task is looked up
 * at its provider instead.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_JUDGE_H
#define KEEPER_JUDGE_H

#include "keeper/keeper.h"

/* One MSG_CALLBACK: its verdict goes to the batch. */
void judge_on_callback(struct keeper *k, struct room *room, const struct frame *f);

/*
 * Inside a transaction: what a look at the provider said. t is written back in any case; its
 * looks and next_look are the caller's to have set.
 */
MUST_CHECK int judge_poll(struct keeper *k, struct store_task *t, const struct msg_report *report,
                          struct slice body, struct err *err);
/*
 * The operator gives what was recorded once more, and vouches for where it came from. What that
 * would be: accepted, news; duplicate, known already; quarantined, *why (static text) it has no
 * effect.
 */
enum verdict judge_foresee(const struct keeper *k, struct store_task *t,
                           const struct msg_report *report, bool proven, const char **why);
/* Inside a transaction: what is news by that, with all that follows from it. */
MUST_CHECK int judge_again(struct keeper *k, struct store_task *t, const struct msg_report *report,
                           bool proven, struct err *err);
/* Inside a transaction: given up; why is for people, NULL: after too long. */
MUST_CHECK int judge_lost(struct keeper *k, struct store_task *t, const char *why, struct err *err);

#endif
