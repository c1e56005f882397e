/*
 * The gateway: speaks with providers and with the clients on the control socket.
 *
 *   viduhook --COMMAND--> control.c --+-- submit.c, adopt.c --REGISTER, SUBMITTED--> keeper
 *            <--RESULT---             +-- everything else, as it is ---------------> keeper
 *                                         poll.c <--POLL-- keeper
 *
 * It knows the API keys of the providers and the seal secret, and never opens the store. What the
 * files of this folder share is in room.h.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

/* Runs the room: the channel to the keeper is ROOM_CHANNEL_FD. Returns the exit status. */
int gateway_main(void);

#endif
