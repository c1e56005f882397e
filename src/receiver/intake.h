/*
 * The way of one callback through the receiver: which requests are let in, what the keeper is
 * asked, and what is answered for each verdict.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RECEIVER_INTAKE_H
#define RECEIVER_INTAKE_H

#include "http/server.h"
#include "wire/channel.h"
#include "wire/hello.h"

struct intake;

/* Copies what it needs of hello. The channel must outlive it. */
struct intake *intake_new(struct event_base *base, struct channel *keeper,
                          const struct hello_receiver *hello);
/* After the server, so that no request is left. */
void intake_free(struct intake *in);

/* For server_new, with the intake as ctx. */
int intake_on_head(const struct head *head, bool *trusted, void *ctx);
void intake_on_request(struct server_request *req, void *ctx);
/* A MSG_VERDICT. One for a request that was answered already is dropped. */
void intake_on_verdict(struct intake *in, const struct frame *f);

/* Appends `"name":number,...` */
void intake_add_counters(const struct intake *in, struct buf *out);

#endif
