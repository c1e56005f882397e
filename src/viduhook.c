/*
 * viduhook: the command that people type. The simulated provider is joined on here, so that the
 * commands and it know nothing of each other.
 *
 * SPDX-License-Identifier: MIT
 */
#include "cli/cli.h"
#include "sim/sim.h"

#include <sys/resource.h>

int main(int argc, char **argv)
{
    /* The configuration it may read has API keys in it: they do not go into a core file. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    return cli_main(argc, argv, sim_main);
}
