/*
 * What stands beside a result (media-servers.md section 1): its description for media servers, what
 * we know of its task as JSON, and links of its cover under the names that servers look for.
 *
 * Each is complete and synced before its name is seen, and never replaces a file that is there:
 * the same content is taken as done, any other is kept and told in notes. A result without these
 * is worth having, so nothing here fails a run; what went wrong is told in notes as well.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_DOWNLOAD_BESIDE_H
#define RUNNER_DOWNLOAD_BESIDE_H

#include "runner/download_folder.h"
#include "runner/download_plan.h"

/*
 * Writes .nfo (for a video) and .json, as far as the action asks for them, for a result that is
 * about to be called name. What is there afterwards is appended to files as wire/run.h has it.
 */
void download_describe(const struct download_folder *folder, const json_t *action,
                       const json_t *context, size_t creation, const char *name, json_t *files,
                       struct buf *notes);

/* Links a cover, as it stands in files, as -poster and -thumb, and as poster in layout folder. */
void download_link_posters(const struct download_folder *folder, const json_t *action,
                           const json_t *cover, json_t *files, struct buf *notes);

#endif
