/*
 * What a request to the mirror asks for, by its method and target. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_MIRROR_ROUTE_H
#define GATEWAY_MIRROR_ROUTE_H

#include "gateway/account.h"
#include "http/head.h"

#include <jansson.h>

#define MIRROR_MAX_IDS 100

enum mirror_step {
    MIRROR_PASS,   /* everything else */
    MIRROR_CREATE, /* POST to an endpoint of the table */
    MIRROR_QUERY,  /* GET of the provider's query path, for one task */
    MIRROR_TREE,   /* GET of a tree of jobs, or of an advertisement with its parts, as a whole */
    MIRROR_LIST,   /* GET of the official list call with task_ids and nothing else */
};

struct mirror_route {
    const struct hello_provider *account; /* borrowed from hello */
    enum mirror_step step;
    struct slice path;                /* below /<provider>: "/ent/v2/credits" */
    struct slice target;              /* the same with its query */
    char endpoint[ENDPOINT_NAME_MAX]; /* of MIRROR_CREATE: one-click/mv/912/edit */
    const struct endpoint *tree;      /* of MIRROR_TREE: whose it is; else NULL */
    json_t *ids; /* of MIRROR_QUERY, MIRROR_TREE (one) and MIRROR_LIST; else NULL */
};

/* The account that the path begins with, and what follows in *rest; NULL: none, or what is
 * posted there might be taken for something else. */
const struct hello_provider *mirror_route_account(const struct hello_gateway *h,
                                                  const struct head *head, struct slice *rest);
/* The slices point into the head. False: as NULL above. */
bool mirror_route(const struct hello_gateway *h, const struct head *head, struct mirror_route *out);
void mirror_route_clear(struct mirror_route *r);

#endif
