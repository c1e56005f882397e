/*
 * Tries what the sandbox is there to deny.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RECEIVER_DRILL_H
#define RECEIVER_DRILL_H

/* Gets ready what must be open before; then receiver_drill enters the sandbox. */
struct drill {
    int socket; /* TCP, not connected */
};

int drill_open(struct drill *d);
/* Prints one line for each try; returns how many were not denied. */
int drill_run(const struct drill *d);

#endif
