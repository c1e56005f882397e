/*
 * What a provider answers to a create call (vidu-api.md sections 5 and 9).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_ANSWER_H
#define VIDU_ANSWER_H

#include "vidu/callback.h"

enum answer_outcome {
    ANSWER_ACCEPTED,  /* 2xx with an id */
    ANSWER_REJECTED,  /* 4xx: nothing was created */
    ANSWER_AMBIGUOUS, /* no answer, 5xx, 3xx, 408, 499, or 2xx without an id: never sent again */
};

struct answer {
    enum answer_outcome outcome;
    int http_status; /* 0: no answer */
    char remote_id[CALLBACK_ID_SIZE];
    char state_word[CALLBACK_WORD_SIZE];
    int64_t credits;    /* -1: not said */
    char reason[128];   /* symbolic code: FieldInvalid; "" when absent */
    char message[512];  /* for people */
    char trace_id[128]; /* metadata.trace_id of an error, else the header x-md-trace-id */
};

/*
 * The id is the first of compose_sub_task_id, sub_task_id, task_id and id, at the top or in `data`.
 * Any bytes are fine; status 0 means that no answer came. trace_header may be NULL.
 */
void answer_parse(int http_status, const char *body, size_t n, const char *trace_header,
                  struct answer *out);
/* The same where a provider has names of its own for id and state, which are tried first. */
void answer_parse_named(int http_status, const char *body, size_t n, const char *trace_header,
                        const struct answer_names *names, struct answer *out);
const char *answer_outcome_name(enum answer_outcome o);

#endif
