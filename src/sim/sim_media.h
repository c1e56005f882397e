/*
 * The results: a video, its watermarked copy, a still and a sound per task, behind presigned URLs
 * that expire.
 *
 * As in object storage the URLs are good for GET alone, Range and If-Range work, and a request
 * with an Authorization header is refused.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_MEDIA_H
#define SIM_SIM_MEDIA_H

#include "base/buf.h"
#include "sim/sim_ledger.h"
#include "sim/sim_options.h"

struct event_base;
struct server_request;
struct sim_media;

/* The still is cover of a video, and the result of what makes images. */
enum sim_media_kind { SIM_VIDEO, SIM_STILL, SIM_SOUND, SIM_MARKED, SIM_MEDIA_KINDS };

/* Reads the files that the options name. opt, ledger and base must outlive it; address is what
 * stands in the URLs. */
MUST_CHECK int sim_media_new(struct event_base *base, const struct sim_options *opt,
                             const char *address, struct sim_ledger *ledger, struct sim_media **out,
                             struct err *err);
/* Ends the answers under way; before the server. */
void sim_media_free(struct sim_media *m);

/* Appends a freshly signed URL, or one whose time is over. */
void sim_media_url(const struct sim_media *m, const char *creation, enum sim_media_kind kind,
                   bool expired, struct buf *out);

/* "9123.mp4" into its parts; false for other names. name is NUL-terminated. */
bool sim_media_name(const struct sim_media *m, struct slice name, struct slice *creation,
                    enum sim_media_kind *kind);

/* Answers a GET for /media/...; half: the connection ends after half of the body; slow: 40 KiB/s.
 * True when a body is on its way. */
bool sim_media_serve(struct sim_media *m, struct server_request *req, enum sim_media_kind kind,
                     bool half, bool slow);

#endif
