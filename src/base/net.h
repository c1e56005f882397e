/*
 * Listening sockets.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_NET_H
#define BASE_NET_H

#include "base/err.h"

#include <sys/types.h>

/*
 * A TCP socket that listens: CLOEXEC, NONBLOCK, REUSEADDR, TCP_NODELAY (inherited by what it
 * accepts), DEFER_ACCEPT 5 s, backlog 1024; on :: IPv4 is included. host is numeric, four decimal
 * parts or IPv6 without brackets; port 0 lets the kernel choose. Returns the descriptor, -EINVAL
 * for anything that is no such address or port, or -errno.
 */
MUST_CHECK int net_listen_tcp(const char *host, int port, struct err *err);
/* A unix stream socket that listens, with this mode; a socket file nobody serves is replaced,
 * -EADDRINUSE when somebody does. */
MUST_CHECK int net_listen_unix(const char *path, mode_t mode, struct err *err);

int net_family(int fd); /* AF_INET, ... or -errno */
int net_port(int fd);   /* of a bound TCP socket; -EAFNOSUPPORT for another, or -errno */
/* "127.0.0.1:8443", "[::1]:8443"; "?" when it cannot be told. */
void net_name(int fd, char *out, size_t size);

#endif
