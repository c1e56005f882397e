/*
 * Questions to the keeper that wait for their answer. One counter gives the ids, every question
 * has the same deadline, and an answer to an id that is no longer known is dropped.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_QUESTION_H
#define GATEWAY_QUESTION_H

#include "wire/channel.h"

#define QUESTION_DEADLINE_MS 30000

struct questions;

/* Who wants to know: a client's number and the id it gave its command. client 0: nobody. */
struct asker {
    uint64_t client, id;
};

/*
 * The answer, of the type that was asked for; or NULL: none came in time. True keeps the question
 * open for another answer.
 */
typedef bool question_on_answer(const struct frame *f, struct asker asker, void *ctx);

struct questions *questions_new(struct channel *keeper); /* keeper is borrowed */
void questions_free(struct questions *qs);               /* without callbacks; NULL is fine */
/* 0, or what channel_send says: then fn will not be called. */
MUST_CHECK int question_ask(struct questions *qs, enum message_type type, const void *msg,
                            enum message_type answer, struct asker asker, question_on_answer *fn,
                            void *ctx);
void questions_answer(struct questions *qs, const struct frame *f);
/* Those whose deadline has passed; to be called about once a second. */
void questions_expire(struct questions *qs);
/* A client has gone: what it asked is forgotten, without callbacks. */
void questions_drop(struct questions *qs, uint64_t client);
size_t questions_open(const struct questions *qs);

#endif
