/*
 * The receiver: reads the internet and believes nothing (design.md sections 1 and 2).
 *
 * Starts with the keeper's HELLO, prepares TLS and the listeners, gives up every right it will not
 * need (receiver/sandbox.h), says READY, and then accepts. Ends when the keeper has gone, or
 * after DRAIN with the last connection.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RECEIVER_RECEIVER_H
#define RECEIVER_RECEIVER_H

#include "base/err.h"

struct event_base;
struct receiver;

/* The child process: its channel is ROOM_CHANNEL_FD. Returns the exit status. */
int receiver_main(void);
/* Enters the sandbox, tries what is forbidden, prints one line for each; 0 when all was denied. */
int receiver_drill(void);

/* Takes the descriptor of the channel; the rest begins with the keeper's HELLO. */
struct receiver *receiver_new(struct event_base *base, int channel_fd);
void receiver_free(struct receiver *r); /* NULL is fine */
/* After the loop has ended. */
int receiver_exit_status(const struct receiver *r);

#endif
