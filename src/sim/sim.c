/* SPDX-License-Identifier: MIT */
#include "sim/sim.h"

#include "base/encode.h"
#include "base/fs.h"
#include "base/net.h"
#include "http/server.h"
#include "sim/sim_routes.h"
#include "vidu/crypto.h"
#include "wire/command.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>

#define MAX_REQUEST ((uint64_t)64 << 20)
#define MAX_JSON    ((uint64_t)20 << 20)
#define HOUR_MS     (INT64_C(3600) * 1000)

struct sim {
    struct sim_options opt;
    char upstream_key[64]; /* when the options name none */
    struct event_base *base;
    struct event *stop[2];
    int listener;
    char address[96]; /* 127.0.0.1:8089 */
    struct sim_ledger *ledger;
    struct sim_media *media;
    struct sim_sender *sender;
    struct sim_tasks *tasks;
    struct sim_uploads *uploads;
    struct server *server;
    struct sim_routes routes;
};

static void on_stop(evutil_socket_t signal_number, short what, void *ctx)
{
    struct sim *sim = ctx;

    (void)signal_number;
    (void)what;
    event_base_loopbreak(sim->base);
}

/* Only forms are larger. */
static int on_head(const struct head *head, bool *trusted, void *ctx)
{
    (void)trusted;
    (void)ctx;
    return head->content_length > MAX_JSON && !slice_is(head->path, "/v1/videos") ? 413 : 0;
}

static int watch_signals(struct sim *sim, struct err *err)
{
    static const int numbers[] = {SIGTERM, SIGINT};

    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        sim->stop[i] = evsignal_new(sim->base, numbers[i], on_stop, sim);
        if (sim->stop[i] == NULL || event_add(sim->stop[i], NULL) != 0)
            return err_set(err, -ENOMEM, "signal handler");
    }
    return 0;
}

/* Wide enough for a benchmark; nobody but this machine can ask. */
static int start_server(struct sim *sim, struct err *err)
{
    static const struct server_limits limits = {
        .max_body = MAX_REQUEST,
        .body_budget = 16 * MAX_REQUEST,
        .connections = 4096,
        .handshakes = 4096,
        .keepalive_requests = 100000,
        .handshake_ms = HOUR_MS,
        .header_ms = HOUR_MS,
        .body_ms = HOUR_MS,
        .reply_ms = HOUR_MS,
    };
    const struct server_listener listener = {.fd = sim->listener};

    sim->server =
        server_new(sim->base, &limits, &listener, 1, on_head, sim_routes_on_request, &sim->routes);
    return sim->server != NULL ? 0 : err_set(err, -ENOMEM, "HTTP server");
}

static int start_listener(struct sim *sim, struct err *err)
{
    sim->listener = net_listen_tcp(sim->opt.host, sim->opt.port, err);
    if (sim->listener < 0)
        return sim->listener;
    net_name(sim->listener, sim->address, sizeof(sim->address));
    return 0;
}

static void choose_upstream_key(struct sim *sim)
{
    uint8_t random[16];

    if (sim->opt.upstream_key != NULL)
        return;
    crypto_random(random, sizeof(random));
    encode_hex(random, sizeof(random), sim->upstream_key);
    sim->opt.upstream_key = sim->upstream_key;
}

static int start(struct sim *sim, struct err *err)
{
    const struct sim_options *opt = &sim->opt;
    int rc;

    choose_upstream_key(sim);
    sim->base = event_base_new();
    if (sim->base == NULL)
        return err_set(err, -ENOMEM, "event base");
    if ((rc = watch_signals(sim, err)) != 0 || (rc = start_listener(sim, err)) != 0 ||
        (rc = sim_ledger_new(opt->ledger_file, opt->verbose, &sim->ledger, err)) != 0 ||
        (rc = sim_media_new(sim->base, opt, sim->address, sim->ledger, &sim->media, err)) != 0 ||
        (rc = sim_sender_new(sim->base, opt, sim->ledger, &sim->sender, err)) != 0)
        return rc;
    sim->tasks = sim_tasks_new(sim->base, opt, sim->sender, sim->media, sim->ledger);
    sim->uploads = sim_uploads_new(sim->address, sim->ledger);
    sim->routes = (struct sim_routes){&sim->opt, sim->tasks, sim->media, sim->ledger, sim->uploads};
    return start_server(sim, err);
}

static void stop(struct sim *sim)
{
    sim_media_free(sim->media);
    sim_sender_free(sim->sender);
    server_free(sim->server);
    sim_tasks_free(sim->tasks);
    sim_uploads_free(sim->uploads);
    sim_ledger_free(sim->ledger);
    fs_close_slot(&sim->listener);
    for (size_t i = 0; i < ARRAY_LEN(sim->stop); i++)
        if (sim->stop[i] != NULL)
            event_free(sim->stop[i]);
    if (sim->base == NULL)
        return;
    event_base_loop(sim->base, EVLOOP_NONBLOCK); /* connections that were about to close do */
    event_base_free(sim->base);
}

static void announce(const struct sim *sim)
{
    if (sim->opt.print_port)
        printf("%d\n", net_port(sim->listener));
    else
        printf("listening on http://%s\n", sim->address);
    fflush(stdout);
}

int sim_main(int argc, char **argv)
{
    struct sim sim = {.listener = -1};
    struct err err;
    int rc;

    if (sim_options_parse(&sim.opt, argc, argv, &err) != 0) {
        fprintf(stderr, "viduhook sim: %s\n", err.text);
        return EXIT_USAGE;
    }
    if (sim.opt.help) {
        sim_options_help(stdout);
        return EXIT_OK;
    }
    log_open("sim", false, LOG_LEVEL_WARN);
    rc = start(&sim, &err);
    if (rc == 0) {
        announce(&sim);
        event_base_dispatch(sim.base);
    } else {
        fprintf(stderr, "viduhook sim: %s\n", err.text);
    }
    stop(&sim);
    return rc == 0 ? EXIT_OK : EXIT_FAILED;
}
