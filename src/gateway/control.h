/*
 * The control socket: clients, their commands, and those who watch.
 *
 * Who may connect is decided by the mode of the socket's file; the uid that the kernel vouches
 * for goes with every command. A client is a stranger to the rest of the room: answers name it by
 * number, and one to a client that has gone is dropped.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_CONTROL_H
#define GATEWAY_CONTROL_H

#include "gateway/question.h"
#include "gateway/room.h"
#include "wire/command.h"

#include <jansson.h>

#define CONTROL_MAX_CLIENTS   64
#define CONTROL_MAX_QUESTIONS 16           /* of one client at once */
#define CONTROL_MAX_BEHIND    (1U << 20)   /* bytes a watcher may be late */
#define CONTROL_MAX_OUTPUT    (512U << 10) /* being later than this it hears no output */

/* One command of a client. What is in it lives as long as the call that hands it over. */
struct command {
    struct asker asker;
    uint32_t uid;
    const json_t *args;
    struct slice blob;
    int file; /* a descriptor that came along, -1: none */
};

/* listen_fd: bound, listening, non-blocking; owned from now on. */
struct control *control_new(struct gateway *g, int listen_fd);
void control_free(struct control *c); /* NULL is fine */

/* The last answer to a command; json is stolen. */
void control_answer(struct control *c, struct asker to, enum exit_status exit, json_t *json);
/* The same with {"error": text}. */
void control_refuse(struct control *c, struct asker to, enum exit_status exit, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* A live event, to the watchers that want it. */
void control_tell(struct control *c, const struct msg_event *event);

/* A piece of a run's output, to those who follow it and are not late: they see by its offset what
 * they have missed. */
void control_tell_output(struct control *c, const struct msg_output *output);

/* Accepts no more; each client goes when its last question is answered. */
void control_drain(struct control *c);
size_t control_clients(const struct control *c);
size_t control_watchers(const struct control *c);
/* Somebody else in the room begins, or ceases, to listen to live events. */
void control_watchers_changed(struct control *c);
/* About once a second: accepts again when there is room. */
void control_tick(struct control *c);

#endif
