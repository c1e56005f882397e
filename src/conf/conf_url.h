/*
 * The few URLs and addresses that stand in a configuration.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_URL_H
#define CONF_CONF_URL_H

#include "base/err.h"

#include <stdbool.h>

struct conf_url {
    bool https;
    char host[256];   /* without brackets */
    int port;         /* -1: not written */
    const char *path; /* points into the text: "" or from the first slash on */
};

/* http:// or https://, a host, perhaps a port and a path. A user, a query and a fragment are
 * refused, and so is every byte that would have to be escaped. Port 0 is for listeners alone: they
 * call conf_url_parse_listen. */
MUST_CHECK int conf_url_parse(const char *text, struct conf_url *out, struct err *err);
MUST_CHECK int conf_url_parse_listen(const char *text, struct conf_url *out, struct err *err);
/* "127.0.0.1:9000", "[::1]:9000", "10.0.0.5", "::1": numeric; *port -1 when not written. */
MUST_CHECK int conf_endpoint_parse(const char *text, char host[256], int *port, struct err *err);

bool conf_host_is_numeric(const char *host);
/* Two numeric addresses, however they are written: ::1 and 0::1. */
bool conf_host_is_same(const char *a, const char *b);
/* 127.0.0.0/8, ::1 and the name localhost. */
bool conf_host_is_loopback(const char *host);

#endif
