/*
 * The ledger: one JSON line per event, so that a test can count what really happened.
 *
 *   {"at":"2026-11-20T17:05:27.123Z","event":"create","task":"9123...","status":200,...}
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_LEDGER_H
#define SIM_SIM_LEDGER_H

#include "base/log.h"

struct sim_ledger;

/* Appends to the file, and with verbose to stderr; path NULL: no file. */
MUST_CHECK int sim_ledger_new(const char *path, bool verbose, struct sim_ledger **out,
                              struct err *err);
void sim_ledger_free(struct sim_ledger *l);

void sim_ledger_add(struct sim_ledger *l, const char *event, const struct log_field *fields);

#define sim_ledger_event(l, event, ...) sim_ledger_add(l, event, LOG_FIELDS(__VA_ARGS__))

#endif
