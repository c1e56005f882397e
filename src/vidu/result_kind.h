/*
 * What a result is, before its bytes are here (vidu-api.md section 2): an endpoint that makes
 * images or sounds makes nothing else, whatever its links end in. Of others the link tells, and one
 * that says nothing leads to a video.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_RESULT_KIND_H
#define VIDU_RESULT_KIND_H

enum result_kind { RESULT_VIDEO, RESULT_IMAGE, RESULT_AUDIO };

/* endpoint: as the endpoint table names it, "" when it is not known. */
enum result_kind result_kind(const char *endpoint, const char *url);

#endif
