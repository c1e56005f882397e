/*
 * The trees in which solution endpoints report (vidu-api.md section 7): a whole with its parts.
 *
 *   mv, general   {"id","state","signed_url","job_records":[{"jobs":[{"id","type","state",...}]}]}
 *   ad-one-click  {..., "data_records":{"storyboards":[{"records":[...]}],
 *                  "completed_creation_records":[{"id","state","creation_url"}]}}
 *
 * Pure; everything is borrowed from the tree, whose depth document_parse has limited.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_JOB_TREE_H
#define VIDU_JOB_TREE_H

#include "vidu/document.h"

/* The part with this id, text or number; NULL: there is none. The whole itself is no part. */
const json_t *job_tree_find(const json_t *root, const char *id);

/*
 * What came out, where the top names no URL: each finished creation of an advertisement, or the
 * last composition of a tree of jobs. One call for each, in order; the item has signed_url or
 * creation_url.
 */
void job_tree_results(const json_t *root, void (*found)(const json_t *item, void *ctx), void *ctx);

#endif
