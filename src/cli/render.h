/*
 * Tasks, runs, files and timelines as text. Pure: JSON of the control socket in, text out.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "base/buf.h"

#include <jansson.h>

#define RENDER_MAX ((size_t)256 << 20) /* ceiling of a text that is built */

/* Nothing for an empty array. width 0: nothing is cut. */
void render_tasks(const json_t *tasks, size_t width, bool color, struct buf *out);
void render_runs(const json_t *runs, size_t width, bool color, struct buf *out);
void render_files(const json_t *files, size_t width, bool color, struct buf *out);

/* One live event as one line, without its end; nothing for progress. */
void render_event(const json_t *event, bool color, struct buf *out);

/* A state in its colour. */
void render_state(const char *state, bool color, struct buf *out);

/* A task's results lose the queries of their URLs, which grant access to them. */
void render_redact(json_t *task);

/* What a command was given: arguments, environment, standard input; NULL: nothing. */
void render_command(const json_t *command, struct buf *out);
/* A run in one line: how its last attempt ended, or how it stands. */
void render_run_line(const json_t *run, bool color, struct buf *out);
/* The tail of a command's output, indented; nothing when it is empty. */
void render_output(const char *output, struct buf *out);

#endif
