/*
 * The keeper: owns the truth.
 *
 * It is the parent of the other rooms and the only one that opens the store. Frames come in from
 * the rooms; everything that arrived in one turn of the loop becomes one transaction; when its
 * commit has returned, the answers go out. See batch.h.
 *
 *   frame --> keeper.c (table of handlers) --> judge.c     callbacks and looks: what they mean
 *                                              record.c    submissions
 *                                              schedule.c  runs: claim, outcome, retry
 *                                              query.c     questions of the command line
 *             batch.c: commit, then answers -->
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include "conf/conf.h"
#include "keeper/supervise.h"
#include "store/store.h"
#include "vidu/key.h"

struct event_base;
struct batch;
struct schedule;
struct looks;
struct pauses;
struct rates;
struct alarms;
struct orphans;
struct follows;
struct sockets;

struct keeper_options {
    const char *conf_path;
    const char *client_version;  /* of the libraries that the keeper may not know, for the log */
    conf_check_pair *check_pair; /* as conf_load_checked wants it */
    /* When a certificate ends, wall clock in ms; NULL: unknown. */
    int (*not_after)(const char *chain_pem, int64_t *wall_ms, struct err *err);
    bool sandbox;
};

/* Runs the daemon until it is told to stop. Exit status: 0 stopped in order, 74 the store failed,
 * 78 the configuration is wrong, 75 another daemon has the store, 1 anything else. */
int keeper_main(const struct keeper_options *options);
/* The program's version and those of the libraries it runs with: to stdout, and into the log. */
void keeper_print_version(const char *client_version);
void keeper_log_version(const char *client_version);

/* What the files of this folder share; the keeper is single-threaded and there is one. */
struct keeper {
    struct keeper_options options;
    struct event_base *base;
    struct conf *conf;
    struct store *store;
    uint8_t seal_secret[SEAL_SECRET_LEN];
    struct sockets *sockets;
    struct supervise *supervise;
    struct batch *batch;
    struct schedule *schedule;
    struct looks *looks;
    struct pauses *pauses;
    struct rates *rates;
    struct alarms *alarms;
    struct crypto_place *crypto;
    struct orphans *orphans; /* of dead runners */
    struct follows *follows;
    uint32_t watchers; /* clients that wait for live events, of all gateways */
    bool stopping;
    bool reload_again; /* SIGHUP came while a reload was under way */
    bool low_space;    /* too little room on the store's disk to accept anything */
    int exit_status;
    int64_t started_ms;
    uint64_t verdicts[VERDICT_COUNT];
};

/* The store cannot be trusted any more, or the rooms do not stay up: answers what is waiting, ends
 * the rooms, then the loop. */
void keeper_fail(struct keeper *k, int exit_status);

#endif
