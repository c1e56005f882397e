/*
 * What each room is told when it starts: exactly what it may know, nothing else.
 *
 * Travels as the JSON of MSG_HELLO. hello_*_write is used by the keeper, hello_*_read by the
 * room; what hello_*_read filled is released with hello_*_clear, which wipes secrets.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WIRE_HELLO_H
#define WIRE_HELLO_H

#include "base/buf.h"
#include "vidu/key.h"
#include "vidu/provider.h"
#include "wire/message.h"

/* Descriptors a room inherits: its channel, then what HELLO names from 4 on. */
#define ROOM_CHANNEL_FD 3
#define ROOM_FIRST_FD   4

#define HELLO_MAX_LISTEN    8
#define HELLO_MAX_PROVIDERS 32
#define HELLO_MAX_ALLOW     64

struct hello_log {
    bool json;
    int level;
};

struct hello_receiver {
    struct hello_log log;
    int number; /* 1..N, for the log */
    size_t n_listen;
    struct {
        int fd;
        bool tls;
        char text[128];
    } listen[HELLO_MAX_LISTEN];
    char *certificate_pem, *key_pem; /* NULL without TLS */
    bool tls_min_13;
    uint8_t seal_secret[SEAL_SECRET_LEN];
    char *path_prefix; /* path of public_url, "" or "/x"; callbacks are below prefix + /callback/ */
    size_t n_providers;
    char *providers[HELLO_MAX_PROVIDERS]; /* for /callback/at/NAME */
    uint64_t max_body, body_budget;
    int connections, handshakes, per_source, source_rate, max_in_flight, keepalive_requests;
    int64_t handshake_ms, header_ms, body_ms, reply_ms;
    bool sandbox;
};

struct hello_gateway {
    struct hello_log log;
    int control_fd; /* listening unix socket */
    char *public_url;
    uint8_t seal_secret[SEAL_SECRET_LEN];
    size_t n_providers;
    struct hello_provider {
        char *name, *profile, *base_url, *key;
        bool callbacks;
        char *auth, *prefix, *query;              /* NULL: the profile's */
        char *id_name, *state_name, *result_name; /* NULL: the usual ones */
        struct provider_profile speech;           /* of all this; name NULL: not read yet */
    } providers[HELLO_MAX_PROVIDERS];
    char *ca_file; /* NULL: the system's */
    char *token;   /* of local clients; NULL: there is no HTTP for them, and the rest is empty */
    int http_fd;
    bool http_tls;
    uint64_t http_budget; /* bytes of requests held at once */
    char *certificate_pem, *key_pem;
    bool tls_min_13;
};

struct hello_runner {
    struct hello_log log;
    size_t n_allow;
    char *allow[HELLO_MAX_ALLOW]; /* address_rule texts */
    size_t n_ports;
    int ports[HELLO_MAX_ALLOW]; /* besides 443 */
    char *ca_file;
    uint64_t keep_free;
    int64_t output; /* bytes kept of a command's output */
    int runs;
};

char *hello_receiver_write(const struct hello_receiver *h);
MUST_CHECK int hello_receiver_read(struct slice json, struct hello_receiver *h, struct err *err);
void hello_receiver_clear(struct hello_receiver *h);

char *hello_gateway_write(const struct hello_gateway *h);
MUST_CHECK int hello_gateway_read(struct slice json, struct hello_gateway *h, struct err *err);
void hello_gateway_clear(struct hello_gateway *h);

char *hello_runner_write(const struct hello_runner *h);
MUST_CHECK int hello_runner_read(struct slice json, struct hello_runner *h, struct err *err);
void hello_runner_clear(struct hello_runner *h);

#endif
