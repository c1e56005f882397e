/*
 * Building and checking the body of a create request (vidu-api.md sections 3 and 4), and the
 * injection of callback_url into one. Pure; files are read by the caller.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_REQUEST_H
#define VIDU_REQUEST_H

#include "vidu/outline.h"
#include "vidu/provider.h"

#include <jansson.h>

#define REQUEST_MAX_BODY   (20U << 20) /* the provider's own limit on the whole body */
#define REQUEST_MAX_IMAGE  (50U << 20)
#define REQUEST_MAX_UPLOAD (10U << 20) /* of one image (8.5) */

enum media_kind { MEDIA_IMAGE, MEDIA_VIDEO, MEDIA_AUDIO };
/* The type by magic bytes (PNG, JPEG, WebP; MP4, MOV, AVI; MP3, M4A, WAV), such as image/png; NULL
 * when it is not of this kind. */
const char *request_media_type(enum media_kind kind, const void *p, size_t n);
/* data:TYPE;base64,... appended; -EINVAL when the bytes are not of this kind, -E2BIG over out's
 * ceiling. */
MUST_CHECK int request_media_uri(enum media_kind kind, const void *p, size_t n, struct buf *out);
/* http://, https://, data: or ssupload: - a value that goes to the provider as it is. */
bool request_is_media_reference(const char *s);

/* Sets key to value, which is taken as JSON when it parses as JSON and as a string otherwise. */
MUST_CHECK int request_set(json_t *body, const char *key, const char *value, struct err *err);

/*
 * What an attentive reader of the documentation would object to: unknown model, image count,
 * lengths, durations. One line each through warn; nothing here refuses. Returns how many.
 */
size_t request_check(const struct endpoint *e, const json_t *body,
                     void (*warn)(const char *line, void *ctx), void *ctx);

/* Texts of a request up to this many bytes are in the tree of its outline. */
#define REQUEST_KEEP 4096

/*
 * A copy of the body's text with "callback_url":"url" in it; the rest is kept byte for byte. It
 * becomes the first member; when the body has one already, that one's value is replaced, and *old
 * holds it, owned by the caller, NULL for null. -EINVAL: it has one that is neither a string nor
 * null, which clients write for what they leave out; -E2BIG: over out's ceiling. Then *old is not
 * touched.
 */
MUST_CHECK int request_inject_callback(const struct outline *o, const char *url, struct buf *out,
                                       char **old, struct err *err);

/*
 * The body for the store: strings over 4 KiB and data URIs become "[image/png 52113 bytes
 * sha256:...]". Compact JSON text, at most 64 KiB; owned by the caller.
 */
char *request_summary(const struct outline *o);
/* Whether such a text has the members of its request: not when that was unknown, or too large. */
bool request_summary_has_members(const char *summary);
/* Whether a text of it stands for one that is not there. */
bool request_summary_is_note(const char *text);

#endif
