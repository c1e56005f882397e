/*
 * One request of a delivery, made from the action and the context of a run (wire/run.h). Pure:
 * nothing is sent here.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_DELIVER_REQUEST_H
#define RUNNER_DELIVER_REQUEST_H

#include "base/buf.h"
#include "vidu/template.h"

#include <jansson.h>

#define DELIVER_LINES_MAX 64

struct deliver_request {
    const char *method; /* static, or of the action */
    struct buf url;
    char *lines[DELIVER_LINES_MAX + 1]; /* headers; NULL terminated */
    size_t n_lines;
    bool lines_cut; /* one of them was too long, or there were too many */
    struct buf body;
    bool has_body;
    struct buf head, tail; /* of a form, around the file */
    const char *upload;    /* a file of this machine in place of a body, or NULL; of the context */
};

/*
 * The context as the server sees it: paths of files through path_map (longest folder that fits),
 * and the prompt cut when it is for people. To be released by the caller.
 */
json_t *deliver_context(const json_t *action, const json_t *context);

/* Appends the URL of the action, filled in. */
void deliver_url(const json_t *action, const json_t *context, struct buf *out);
/* The same for its headers. */
void deliver_headers(const json_t *action, const json_t *context, struct deliver_request *r);
void deliver_add_line(struct deliver_request *r, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A text of the action, filled in. */
void deliver_fill(const char *text, enum template_place place, const json_t *context,
                  struct buf *out);
/* Its Content-Type, unless the hook has one of its own. */
void deliver_add_type(struct deliver_request *r, const char *type);
/* Whether a file is what the task was for, and not a cover or a description beside it. */
bool deliver_is_result(const json_t *file);
/* The headers with event id, time and attempt; number tells the requests of one run apart. */
void deliver_identify(const json_t *context, size_t number, int64_t now_s,
                      struct deliver_request *r);

/*
 * Everything of it, with event id, attempt and signatures. now_s is the time of the signature.
 * -EINVAL: what it was filled with is too long. Release with deliver_request_clear in any case.
 */
MUST_CHECK int deliver_request_fill(const json_t *action, const json_t *context, int64_t now_s,
                                    struct deliver_request *r, struct err *err);
void deliver_request_clear(struct deliver_request *r);

#endif
