/*
 * Parts that nobody came back for are deleted when a download enters their directory, at most
 * once an hour each: a library has many files, and reading their names costs more than a part.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_SWEEP_H
#define RUNNER_SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SWEEP_DIRS 64 /* remembered; the one swept longest ago makes room */

struct sweep { /* {0} to begin with; nothing to release */
    struct sweep_dir {
        dev_t dev;
        ino_t ino;
        int64_t at_ms; /* monotonic */
    } dirs[SWEEP_DIRS];
    size_t n;
};

/* Deletes the old parts of an opened directory; false when that was done within the hour. */
bool sweep_dir(struct sweep *s, int dir_fd);

#endif
