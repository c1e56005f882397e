/*
 * A command of the configuration as a child: argv from templates, never through a shell; a
 * minimal environment with the fields of the task and what the hook adds; the whole context as JSON
 * on stdin; user, folder, mask and limits as the action says; a session of its own, default
 * signals, no descriptor but 0, 1 and 2.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_SPAWN_H
#define RUNNER_SPAWN_H

#include "base/err.h"
#include "base/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct spawned {
    pid_t pid;
    int pidfd;
    int output;  /* both stdout and stderr, in the order of writing; non-blocking */
    char *shown; /* when it was asked for: {"argv": [], "env": [], "stdin"}, owned by the caller */
};

/* line: the context as text, for its standard input.
 * Where the action says "show", out->shown is filled in too, even when it cannot be started.
 * -E2BIG: an argument or all of it is too long; -EINVAL: not an argv; else what spawning said. */
MUST_CHECK int spawn_command(const json_t *action, const json_t *context, struct slice line,
                             struct spawned *out, struct err *err);

#endif
