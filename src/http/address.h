/*
 * Which addresses a URL from a stranger may lead to (hardening.md 3.2): public ones, and those
 * that the configuration names. One table; addresses embedded in IPv6 (mapped, NAT64, 6to4) are
 * judged by their IPv4 part.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_ADDRESS_H
#define HTTP_ADDRESS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct sockaddr;

struct address_rule {    /* an exception: this address and port, e.g. 127.0.0.1:9000 */
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint16_t port;       /* 0: any */
};

/* "127.0.0.1:9000", "[::1]:9000", "10.0.0.5" (any port). */
MUST_CHECK int address_rule_parse(const char *text, struct address_rule *out, struct err *err);
/* Static text naming the range when the address is private, NULL when it is public. */
const char *address_denied(const struct sockaddr *sa);
/* Whether a rule fits this address and port. */
bool address_named(const struct sockaddr *sa, const struct address_rule *rules, size_t n_rules);
/* True when the address is public and the port among ports (n_ports 0: any), or a rule fits. */
bool address_allowed(const struct sockaddr *sa, const uint16_t *ports, size_t n_ports,
                     const struct address_rule *rules, size_t n_rules);

#endif
