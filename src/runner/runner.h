/*
 * The room that acts: commands and downloads, one run at a time as the keeper hands them over.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_RUNNER_H
#define RUNNER_RUNNER_H

/* The whole life of the room, on ROOM_CHANNEL_FD; returns the exit status. */
int runner_main(void);

#endif
