/*
 * An HTTP client: curl multi on libevent (hardening.md 3.1, 3.2).
 *
 * One client per policy: a pooled connection that one policy allowed never serves another.
 * Callbacks run from the event loop, never from inside client_start.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "base/buf.h"
#include "http/address.h"

struct event_base;
struct client;
struct transfer;

struct client_policy {
    bool public_only;   /* addresses from strangers: address_allowed; else any address */
    bool allow_http;    /* plain http too; with public_only, only to addresses named in rules */
    uint16_t ports[32]; /* with public_only; n_ports 0: any */
    size_t n_ports;
    struct address_rule rules[64];
    size_t n_rules;
    const char *ca_file; /* NULL: the system's; borrowed while client_new runs */
    int max_transfers;   /* at once; more are queued by curl */
    int redirects;       /* 0: none are followed */
};

struct client_file { /* read from its beginning, by position */
    int fd;
    uint64_t size;           /* that many bytes are sent; a shorter file ends the transfer */
    struct slice head, tail; /* sent before and after them; borrowed */
};

struct client_request {
    const char *method; /* NULL: GET */
    const char *url;
    const char *const *headers; /* "Name: value", NULL terminated, or NULL */
    /*
     * A method that is not safe may have a connection that was in use within the last second or
     * two; else it always gets a new one. Should that connection die before an answer comes,
     * nobody knows what became of the request: it is not sent again, and ends with `sent`.
     */
    bool may_reuse;
    const void *body; /* borrowed until on_done; NULL: none */
    size_t body_len;
    const struct client_file *file; /* in place of body; borrowed until on_done, like its fd */
    uint64_t max_body;    /* of the answer; our own counter, beyond it the transfer fails */
    int64_t timeout_ms;   /* whole transfer */
    int64_t low_speed_ms; /* 0: off; else fails when under 1 KiB/s for so long */
    bool repeatable;      /* whatever the method, it may arrive twice: kept connections are used */
    /* A connection of its own, closed afterwards: what a server sent behind its answer can never
     * pass for the answer to another request. */
    bool own_connection;
};

struct client_answer {
    int status;             /* 0: no answer */
    struct slice body;      /* what on_data was not given */
    const char *error;      /* NULL, or what went wrong; never holds a query string */
    bool sent;              /* the request may have reached the server: not safe to repeat. One
                               whose file ended early has not: it was never whole */
    bool refused;           /* the address policy or a limit of ours ended it */
    int64_t retry_after_ms; /* from Retry-After, clamped to 24 h; -1: absent */
    const char *peer;       /* address, "" when never connected */
};

struct transfer_ops {
    /* Status line and headers of the final answer are there; false ends the transfer. */
    bool (*on_head)(struct transfer *t, int status, void *ctx);
    /* Bytes of the body, instead of collecting them; false ends the transfer. NULL: collect. */
    bool (*on_data)(struct transfer *t, const void *p, size_t n, void *ctx);
    /* Exactly once, unless cancelled. The transfer is gone when it returns. */
    void (*on_done)(struct transfer *t, const struct client_answer *a, void *ctx);
};

struct client *client_new(struct event_base *base, const struct client_policy *policy,
                          struct err *err);
/* Cancels what runs, without callbacks. Before its event base, not from a callback. */
void client_free(struct client *c);
struct event_base *client_base(const struct client *c);

/* NULL with err when the URL is not one we may use. ops is borrowed until the transfer's end. */
struct transfer *client_start(struct client *c, const struct client_request *req,
                              const struct transfer_ops *ops, void *ctx, struct err *err);
/* No callback follows. */
void client_cancel(struct transfer *t);
/* A header of the final answer, any case; NULL when absent. Valid until on_done returns. */
const char *transfer_header(const struct transfer *t, const char *name);
/* The body that on_done was handed, from now on the caller's. */
struct buf transfer_take_body(struct transfer *t);
/* All of them, in order; the texts are borrowed for that call. */
void transfer_headers(const struct transfer *t,
                      void (*fn)(const char *name, const char *value, void *ctx), void *ctx);

/* "libcurl/8.1 OpenSSL/3.0 ...", for --version. */
const char *client_library_version(void);

#endif
