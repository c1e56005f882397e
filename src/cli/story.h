/*
 * The story of a task as text: what happened, each entry with its number (which is what `replay
 * --event` takes), the files where they came in, how each run stands, and what happens next. Pure.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_STORY_H
#define CLI_STORY_H

#include "base/buf.h"

#include <jansson.h>

/* The answer to `explain`, at the given wall clock. */
void story_render(const json_t *answer, int64_t now_ms, bool color, struct buf *out);

#endif
