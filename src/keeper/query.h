/*
 * Questions of the command line that the store answers (wire/command.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_QUERY_H
#define KEEPER_QUERY_H

#include "keeper/keeper.h"

#include <jansson.h>

/* One MSG_COMMAND: answered through the batch, at once or later. */
void query_on_command(struct keeper *k, struct room *gateway, const struct frame *f);

/* What a handler is given, and what it answers with. */
struct question {
    struct room *room;
    uint64_t id;
    const json_t *args;
    struct slice blob; /* what came with it: text to be taken as it is */
};
void query_answer(struct keeper *k, const struct question *q, json_t *answer); /* takes answer */
void query_refuse(struct keeper *k, const struct question *q, int exit_status, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
const char *query_text(const struct question *q, const char *name); /* NULL: absent */
/* The task that `name` means; refuses and returns false when there is none, or several. */
bool query_task(struct keeper *k, const struct question *q, struct store_task *out);
/* rc of reading the store; refuses and returns false when that has failed. */
bool query_could_read(struct keeper *k, const struct question *q, int rc);

#endif
