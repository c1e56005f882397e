/*
 * What a download fetches and how it is called (media-servers.md section 1): pure decisions over
 * the JSON of a run.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_DOWNLOAD_PLAN_H
#define RUNNER_DOWNLOAD_PLAN_H

#include "base/buf.h"
#include "http/fetch.h"

#include <jansson.h>

/* In the order of fetching: an image that is there before its video looks like a photo. */
enum download_part { PART_MAIN, PART_WATERMARKED, PART_COVER, PART_COUNT };

/* Whether the action asks for this part of a result. */
bool download_wants(const json_t *action, const json_t *context, const json_t *creation,
                    enum download_part part);
/* "" when the result has none. The result itself may be its watermarked copy. */
const char *download_url(const json_t *action, const json_t *creation, enum download_part part);
enum fetch_kind download_fetch_kind(const json_t *context, const json_t *creation,
                                    enum download_part part);
/* The kind as wire/run.h names it: video, cover, watermarked, image, audio. */
const char *download_kind_name(const json_t *context, const json_t *creation,
                               enum download_part part);

/* "flat" unless the action says otherwise. */
const char *download_layout(const json_t *action);
/* Permissions of the files. */
mode_t download_mode(const json_t *action);
/* A component of a layout's template (vidu/library.h), filled from the context. */
bool download_component(const char *layout, size_t i, const json_t *context, struct buf *out);
/* "x.mp4" to "x"; owned by the caller. */
char *download_strip_extension(const char *name);

/* "2026-11", of created_at, or of now when that is not a date. */
void download_month(const json_t *context, char out[8]);
/*
 * "<title> [vidu-<task id>]", "-c2" inside the bracket for the second creation, "-watermarked"
 * behind it; without an extension. The title is the
 * prompt, else the endpoint, or what the layout's template says. False when the task's id cannot be
 * part of a name.
 */
bool download_stem(const json_t *action, const json_t *context, size_t creation,
                   enum download_part part, struct buf *out);

#endif
