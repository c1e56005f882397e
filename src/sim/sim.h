/*
 * A simulated Vidu on loopback (`viduhook sim`): creates, states, signed callbacks, media, and
 * switches for everything that goes wrong in the real one.
 *
 * It is written from the fact sheet alone and shares no parser with the daemon, so that the two
 * can disagree.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

/* argv[0] is "sim". Runs until SIGTERM or SIGINT; returns an exit status. */
int sim_main(int argc, char **argv);

#endif
