/*
 * Where a result stands in a library: the layouts of media-servers.md section 1.
 *
 *   flat      <yyyy-mm>/<title> [vidu-ID].mp4
 *   folder    <title> [vidu-ID]/<title> [vidu-ID].mp4
 *   template  {task.model}/{task.prompt}: folders, and the title behind the last slash
 *
 * Every component is made safe as one name (template_file_name) after it is filled, so nothing a
 * stranger wrote opens a folder of its own.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_LIBRARY_H
#define VIDU_LIBRARY_H

#include "vidu/template.h"

#define LIBRARY_FOLDERS_MAX 8
#define LIBRARY_NAME_MAX    120 /* bytes of one component */

enum library_layout { LAYOUT_FLAT, LAYOUT_FOLDER, LAYOUT_TEMPLATE };

/* flat, folder, or a template with at least one placeholder; err says what is wrong with it. */
MUST_CHECK int library_layout_check(const char *layout, struct err *err);
enum library_layout library_layout_kind(const char *layout);

/*
 * The i-th component of a template as a name that may be used and that media servers show, "_" when
 * nothing is left of it. False when there is none: the last one is the title.
 */
bool library_component(const char *layout, size_t i, template_lookup *lookup, void *ctx,
                       struct buf *out);
/* How many components a template has: its folders and the title. */
size_t library_count(const char *layout);

/* Whether Jellyfin or Plex hide what lies in a folder of this name below a library's root. */
bool library_hides(const char *folder);

#endif
