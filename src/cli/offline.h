/*
 * Reading without a daemon: when viduhookd is not running, its store is opened read-only and
 * answers list, show, explain, runs and files in the same form.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_OFFLINE_H
#define CLI_OFFLINE_H

#include "cli/cli.h"

/* As cli_ask; falls back to the store, and says so. args is taken. */
int offline_ask(struct cli *cli, const char *command, json_t *args, json_t **answer);

#endif
