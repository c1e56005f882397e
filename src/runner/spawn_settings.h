/*
 * The part of an exec action (wire/run.h) that says as whom, where and within which limits.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_SPAWN_SETTINGS_H
#define RUNNER_SPAWN_SETTINGS_H

#include "runner/spawn_child.h"

#include <jansson.h>

/* Fills in all but the program and its descriptors; what is not said is as it is here. cwd is
 * borrowed from the action. */
void spawn_settings_read(const json_t *action, struct child_plan *out);

#endif
