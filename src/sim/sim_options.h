/*
 * The command line of the simulator and its switches.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_OPTIONS_H
#define SIM_SIM_OPTIONS_H

#include "base/str.h"

#include <stdio.h>

#define SIM_MAX_KEYS 16

/* What can be made to go wrong; a task carries those drawn for it as bits 1 << x. */
enum sim_switch {
    SIM_DUPLICATE,
    SIM_BURST,
    SIM_REORDER,
    SIM_EARLY,
    SIM_LOST_CALLBACK,
    SIM_LOST_ANSWER,
    SIM_LATE,
    SIM_BAD_SIGNATURE,
    SIM_UNSIGNED,
    SIM_STALE_DATE,
    SIM_REPLAY,
    SIM_WRONG_ID,
    SIM_NO_ID,
    SIM_NO_URL,
    SIM_CONFLICT,
    SIM_POLICY_FAILURE,
    SIM_ERROR_500,
    SIM_RATE_LIMIT,
    SIM_EXPIRED_URL,
    SIM_TRUNCATED_VIDEO,
    SIM_SLOW,
    SIM_SEVERAL,
    SIM_SWITCH_COUNT
};

struct sim_options { /* strings are borrowed from argv */
    char host[64];   /* numeric, without brackets */
    int port;
    const char *keys[SIM_MAX_KEYS];
    size_t n_keys;
    const char *gateway; /* the second shape: powertokens, octopusx or openai */
    const char *upstream_key;
    int64_t step_ms, retry_gap_ms, late_ms;
    int64_t switches[SIM_SWITCH_COUNT]; /* tasks still to be hit; -1: all */
    int64_t credits;                    /* -1: without end */
    uint64_t media_size;                /* 0: the clip */
    const char *ca_file, *media_file, *cover_file, *ledger_file;
    bool print_port, verbose, help;
};

MUST_CHECK int sim_options_parse(struct sim_options *o, int argc, char **argv, struct err *err);
void sim_options_help(FILE *out);

/* The switches that hit the next task; those with a count have one less afterwards. */
unsigned sim_options_draw(struct sim_options *o);

#endif
