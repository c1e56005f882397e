/*
 * curl multi on libevent: its sockets, its timer, and which transfers have ended.
 *
 * Knows easy handles as `void *` and nothing of what they are for. Only client.c uses it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_CLIENT_LOOP_H
#define HTTP_CLIENT_LOOP_H

#include "base/err.h"

#include <stdbool.h>

struct event_base;
struct client_loop;

struct client_loop_ops {
    /* A handle has ended with this CURLcode; it is still in the loop. */
    void (*on_end)(void *easy, int code, void *ctx);
    /* curl is at rest again: handles may be added and removed. */
    void (*on_rest)(void *ctx);
};

/* max: connections at once. ops is borrowed. */
struct client_loop *client_loop_new(struct event_base *base, int max,
                                    const struct client_loop_ops *ops, void *ctx);
/* After every handle has been removed. */
void client_loop_free(struct client_loop *l);
/* True inside a callback of curl, where handles may be neither added nor removed. */
bool client_loop_busy(const struct client_loop *l);
MUST_CHECK int client_loop_add(struct client_loop *l, void *easy, struct err *err);
void client_loop_remove(struct client_loop *l, void *easy);

#endif
