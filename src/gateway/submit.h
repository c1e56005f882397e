/*
 * The life of one submit. Once it has begun it is carried to its end, whether or not its client
 * still waits. The control socket's clients (submit_command.h) and those of the mirror
 * (mirror_create.h) come the same way.
 *
 *   order -> prepare -> REGISTER -> RECORDED (committed) -> POST, once -> SUBMITTED -> RECORDED
 *         -> result
 *
 * An endpoint that answers with its result (audio-tts) makes no task: REGISTER and SUBMITTED are
 * left out, and the client gets the answer.
 *
 * A request whose answer is lost is never sent again: a second one would be billed twice.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_SUBMIT_H
#define GATEWAY_SUBMIT_H

#include "gateway/room.h"
#include "vidu/answer.h"

#include <jansson.h>

#define SUBMIT_TIMEOUT_MS 240000

enum submit_end {
    SUBMIT_ACCEPTED,
    SUBMIT_ANSWERED,       /* the answer is the result; no task was made */
    SUBMIT_REFUSED,        /* by the provider; nothing was created */
    SUBMIT_AMBIGUOUS,      /* it may exist at the provider */
    SUBMIT_UNSENT,         /* it has certainly not reached the provider */
    SUBMIT_OVER_LIMIT,     /* by a limit of our own; answer->reason names it; nothing was sent */
    SUBMIT_NOT_REGISTERED, /* nothing was sent, nothing is recorded */
    SUBMIT_UNRECORDED,     /* the provider answered; the store does not know */
};

/* How it ended; borrowed for the call. on_end gets NULL when the room ends before the submit has:
 * then only ctx is to be released. */
struct submit_result {
    enum submit_end end;
    const char *task; /* NULL where the endpoint makes none */
    const char *provider;
    const char *error;           /* one line for people; NULL when accepted or answered */
    const struct answer *answer; /* of the provider, taken apart */
    struct slice body;           /* of its answer, as it came */
    bool whole;                  /* the answer came to its end */
    const char *content_type;    /* of its answer, or NULL */
    int64_t retry_after_ms;      /* likewise; -1: not said */
};
typedef void submit_on_end(const struct submit_result *r, void *ctx);

/*
 * args: as prepare wants them. body need not stay. query: to be appended to the URL, or empty.
 * file: a descriptor for prepared_add_file, which need not stay either, or NULL.
 * form: NULL, or what goes out in place of body, as it is and under this content_type; taken over
 * when the submit has begun.
 */
struct submit_order {
    const json_t *args;
    struct slice body, query;
    const int *file;
    struct buf *form;
    struct slice content_type;
};

struct submits *submits_new(void);
void submits_free(struct submits *ss); /* after the client; NULL is fine */
/*
 * 0, and on_end comes later, from the loop, or at once for an endpoint that makes no task; or
 * nothing was sent and it will not come: -EAGAIN (the keeper cannot be asked), or what prepare says
 * about the order.
 */
MUST_CHECK int submit_begin(struct gateway *g, const struct submit_order *order,
                            submit_on_end *on_end, void *ctx, struct err *err);
size_t submits_open(const struct submits *ss);

#endif
