/*
 * Folders here and what they are called on another machine: the path_map of an http hook
 * (wire/run.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WIRE_PATH_MAP_H
#define WIRE_PATH_MAP_H

#include "base/str.h"

#include <jansson.h>

/* Whether a path is a folder or lies below it; slashes at the folder's end do not matter. */
bool path_is_in(const char *path, const char *folder);

/* What the other machine calls a path: by the longest folder that holds it, else as it is. map:
 * [["/ours", "/theirs"]]. The result is the caller's. */
char *path_map_apply(const json_t *map, const char *path);

#endif
