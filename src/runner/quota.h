/*
 * What a download may add to its directory (quota of wire/run.h), and making room for it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_QUOTA_H
#define RUNNER_QUOTA_H

#include "base/buf.h"

#include <jansson.h>

/* Whether a download may begin; else why says what people can do. */
bool quota_allows(const json_t *action, struct buf *why);

/*
 * After a download: deletes the oldest results, each with all that stands beside it, until what
 * is left and `added` more bytes are within the limit. Only regular files of the stored size
 * go, reached without following a link, and folders that are empty then. What is gone is appended
 * to files as {"path", "removed": true}, and told in notes.
 */
void quota_prune(const json_t *action, uint64_t added, json_t *files, struct buf *notes);

#endif
