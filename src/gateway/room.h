/*
 * What the files of the gateway share. The room is single-threaded and there is one.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_ROOM_H
#define GATEWAY_ROOM_H

#include "http/client.h"
#include "wire/channel.h"
#include "wire/hello.h"

struct event;
struct event_base;
struct questions;
struct control;
struct submits;
struct polls;
struct calls;
struct mirror;

struct gateway_counters {
    uint64_t commands, submits_accepted, submits_refused, submits_ambiguous, submits_failed;
    uint64_t polls_answered, polls_failed;
    uint64_t http_requests, http_created, http_local, http_passed, http_failed;
};

struct gateway {
    struct event_base *base;
    struct channel *keeper;
    struct hello_gateway hello;
    bool told; /* hello is filled */
    struct client *client;
    struct questions *questions;
    struct control *control;
    struct submits *submits;
    size_t commands_sending; /* submits of the control socket's clients */
    struct polls *polls;
    struct calls *calls;
    struct mirror *mirror; /* NULL: not configured */
    struct event *tick;    /* once a second */
    bool draining;
    int exit_status;
    struct gateway_counters counters;
};

/* Takes the descriptor of the channel; the rest begins with the keeper's HELLO. */
struct gateway *gateway_new(struct event_base *base, int channel_fd);
void gateway_free(struct gateway *g); /* NULL is fine */
/* Something has ended: while draining, the last one closes the channel, and that the loop. */
void gateway_check_idle(struct gateway *g);

#endif
