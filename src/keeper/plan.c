/* SPDX-License-Identifier: MIT */
#include "keeper/plan.h"

#include "keeper/places.h"

#include <string.h>

static struct hello_log log_of(const struct conf *c)
{
    return (struct hello_log){.json = c->log_json, .level = c->log_level};
}

/* The path of public_url: "" or "/x". */
static const char *path_of(const char *url)
{
    const char *host = url != NULL ? strstr(url, "://") : NULL;
    const char *slash = host != NULL ? strchr(host + 3, '/') : NULL;

    return slash != NULL ? slash : "";
}

static void add_listeners(const struct keeper *k, struct hello_receiver *h, struct room_plan *plan)
{
    for (size_t i = 0; i < k->sockets->n; i++) {
        plan->fds[plan->n_fds++] = k->sockets->listen[i].fd;
        h->listen[i].fd = ROOM_FIRST_FD + (int)i;
        h->listen[i].tls = k->sockets->listen[i].tls;
        mem_copy_text(h->listen[i].text, sizeof(h->listen[i].text), k->sockets->listen[i].text);
    }
    h->n_listen = k->sockets->n;
}

static void add_limits(const struct conf *c, struct hello_receiver *h)
{
    h->max_body = c->limits.max_body;
    h->body_budget = c->limits.body_budget;
    h->connections = c->limits.connections;
    h->handshakes = c->limits.handshakes;
    h->per_source = c->limits.per_source;
    h->source_rate = c->limits.source_rate;
    h->max_in_flight = c->limits.max_in_flight;
    h->keepalive_requests = c->limits.keepalive_requests;
    h->handshake_ms = c->limits.handshake_ms;
    h->header_ms = c->limits.header_ms;
    h->body_ms = c->limits.body_ms;
    h->reply_ms = c->limits.reply_ms;
}

static struct room_plan plan_receiver(const struct keeper *k, const struct conf *c, int number)
{
    struct room_plan plan = {.kind = ROOM_RECEIVER, .number = number};
    struct hello_receiver h = {.log = log_of(c), .number = number, .sandbox = k->options.sandbox};

    add_listeners(k, &h, &plan);
    add_limits(c, &h);
    h.certificate_pem = mem_strdup(c->tls.certificate_pem);
    h.key_pem = mem_strdup(c->tls.key_pem);
    h.tls_min_13 = c->tls.min_13;
    memcpy(h.seal_secret, k->seal_secret, sizeof(h.seal_secret));
    h.path_prefix = mem_strdup(path_of(c->public_url));
    for (size_t i = 0; i < c->n_providers; i++)
        h.providers[h.n_providers++] = mem_strdup(c->providers[i].name);
    plan.hello = hello_receiver_write(&h);
    hello_receiver_clear(&h);
    return plan;
}

/* The socket stays what it was at the start of the daemon, and so does its token when a new
 * configuration says nothing about the gateway (keeper/reload.c). */
static void add_mirror(const struct keeper *k, const struct conf *c, struct hello_gateway *h,
                       struct room_plan *plan)
{
    const struct conf *from = c->gateway.token.value != NULL ? c : k->conf;

    if (k->sockets->gateway_fd < 0)
        return;
    h->http_fd = ROOM_FIRST_FD + (int)plan->n_fds;
    plan->fds[plan->n_fds++] = k->sockets->gateway_fd;
    h->token = mem_strdup(from->gateway.token.value);
    h->http_budget = c->gateway.body_budget;
    h->http_tls = k->sockets->gateway_tls;
    if (!h->http_tls)
        return;
    h->certificate_pem = mem_strdup(c->tls.certificate_pem);
    h->key_pem = mem_strdup(c->tls.key_pem);
    h->tls_min_13 = c->tls.min_13;
}

static struct room_plan plan_gateway(const struct keeper *k, const struct conf *c)
{
    struct room_plan plan = {.kind = ROOM_GATEWAY, .n_fds = 1};
    struct hello_gateway h = {.log = log_of(c), .control_fd = ROOM_FIRST_FD};

    plan.fds[0] = k->sockets->control_fd;
    add_mirror(k, c, &h, &plan);
    h.public_url = mem_strdup(c->public_url);
    memcpy(h.seal_secret, k->seal_secret, sizeof(h.seal_secret));
    h.ca_file = mem_strdup(c->fetch.ca_file);
    for (size_t i = 0; i < c->n_providers; i++) {
        const struct conf_provider *p = &c->providers[i];
        struct hello_provider *out = &h.providers[h.n_providers++];
        struct provider_profile speech = conf_provider_speech(p);

        out->name = mem_strdup(p->name);
        out->profile = mem_strdup(p->profile->name);
        out->base_url = mem_strdup(p->base_url);
        out->key = mem_strdup(p->key.value);
        out->callbacks = p->mode != MODE_POLL;
        out->auth = mem_strdup(speech.auth);
        out->prefix = mem_strdup(speech.prefix);
        out->query = mem_strdup(speech.query);
        out->id_name = mem_strdup(speech.names.id);
        out->state_name = mem_strdup(speech.names.state);
        out->result_name = mem_strdup(speech.names.result);
    }
    plan.hello = hello_gateway_write(&h);
    hello_gateway_clear(&h);
    return plan;
}

static struct room_plan plan_runner(const struct conf *c)
{
    struct room_plan plan = {.kind = ROOM_RUNNER};
    struct hello_runner h = {.log = log_of(c),
                             .keep_free = c->fetch.keep_free,
                             .output = c->limits.output,
                             .runs = places_runs(c)};
    uint64_t port;

    h.ca_file = mem_strdup(c->fetch.ca_file);
    for (size_t i = 0; i < c->fetch.allow.n && h.n_allow < HELLO_MAX_ALLOW; i++)
        h.allow[h.n_allow++] = mem_strdup(c->fetch.allow.v[i]);
    for (size_t i = 0; i < c->fetch.ports.n && h.n_ports < HELLO_MAX_ALLOW; i++)
        if (str_to_u64(c->fetch.ports.v[i], strlen(c->fetch.ports.v[i]), 65535, &port) == 0)
            h.ports[h.n_ports++] = (int)port;
    plan.hello = hello_runner_write(&h);
    hello_runner_clear(&h);
    return plan;
}

size_t plan_rooms(const struct keeper *k, const struct conf *c, struct room_plan *plans)
{
    size_t n = 0;

    plans[n++] = plan_runner(c);
    plans[n++] = plan_gateway(k, c);
    for (int i = 1; i <= c->receivers && k->sockets->n > 0; i++) /* all poll: nobody to listen */
        plans[n++] = plan_receiver(k, c, i);
    return n;
}
