/*
 * What a request to the mirror asks for, by its method and target. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_MIRROR_ROUTE_H
#define GATEWAY_MIRROR_ROUTE_H

#include "gateway/account.h"
#include "http/head.h"

struct mirror_route {
    const struct hello_provider *account; /* borrowed from hello */
    struct slice path;                    /* below /<provider>: "/ent/v2/credits" */
    struct slice target;                  /* the same with its query */
    const struct endpoint *endpoint;      /* a task is to be created there; else NULL */
};

/* The slices point into the head. False: the path names no provider. */
bool mirror_route(const struct hello_gateway *h, const struct head *head, struct mirror_route *out);

#endif
