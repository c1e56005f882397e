/*
 * The listening sockets: bound once, or inherited, and shared by every receiver there will be.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_SOCKETS_H
#define KEEPER_SOCKETS_H

#include "conf/conf.h"
#include "wire/hello.h"

struct sockets {
    size_t n;
    struct {
        int fd;
        bool tls;
        char text[128]; /* as the log names it, with the real port */
    } listen[CONF_MAX_LISTEN];
    int control_fd;
    char *control_path;
    bool control_inherited;
    int gateway_fd; /* for local clients' HTTP; -1: none */
    bool gateway_tls;
};

/*
 * Binds what the configuration lists, receivers' listeners and the gateway's. `systemd` takes the
 * sockets that LISTEN_FDS names (TCP ones speak TLS when a certificate is configured; a unix one is
 * the control socket). A stale control socket is replaced, a live one is an error.
 */
MUST_CHECK int sockets_open(const struct conf *c, struct sockets **out, struct err *err);
/* Also removes the control socket from the file system. NULL is fine. */
void sockets_close(struct sockets *s);

#endif
