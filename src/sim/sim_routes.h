/*
 * What the simulator answers to which request.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_ROUTES_H
#define SIM_SIM_ROUTES_H

#include "http/server.h"
#include "sim/sim_task.h"
#include "sim/sim_upload.h"

struct sim_routes { /* borrowed, all of it; the ctx of sim_routes_on_request */
    struct sim_options *opt;
    struct sim_tasks *tasks;
    struct sim_media *media;
    struct sim_ledger *ledger;
    struct sim_uploads *uploads;
};

void sim_routes_on_request(struct server_request *req, void *ctx);

#endif
