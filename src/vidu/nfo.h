/*
 * The description of a clip that media servers read beside it: one <movie> of the elements that
 * Kodi, Jellyfin, Emby and MiniDLNA have in common (media-servers.md section 1).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_NFO_H
#define VIDU_NFO_H

#include "base/buf.h"

/* The most bytes a description can have within the limits of nfo_write. */
#define NFO_MAX (256U << 10)

struct nfo { /* borrowed texts, none NULL; "" leaves the element out */
    const char *title, *plot;
    const char *created_at, *finished_at; /* RFC 3339 in UTC; anything else is left out */
    const char *task_id;
    const char *const *tags;
    size_t n_tags;
    size_t number; /* of the creation, from 1; behind the title when it is not the first */
};

/*
 * Appends the document, UTF-8. Texts may be anything: what XML cannot hold (control characters,
 * bytes that are no UTF-8) is left out, the rest is escaped. A title is one line of at most 120
 * bytes, a plot has at most 16 KiB, a tag 256 bytes, and there are at most 64 tags.
 */
void nfo_write(const struct nfo *nfo, struct buf *out);

#endif
