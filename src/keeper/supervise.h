/*
 * Starting, watching, replacing and stopping the other rooms.
 *
 * A generation is the set of rooms that one configuration wants. A new one is started beside the
 * old; when every room of it is ready it takes over and the old rooms drain; when one fails, the
 * new rooms are ended and nothing has changed. Start of the daemon, reload and restart after a
 * death are this one mechanism.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_SUPERVISE_H
#define KEEPER_SUPERVISE_H

#include "wire/channel.h"

struct event_base;
struct room;
struct supervise;

enum room_kind { ROOM_RECEIVER, ROOM_GATEWAY, ROOM_RUNNER };

#define ROOM_MAX_FDS 8

struct room_plan {
    enum room_kind kind;
    int number;            /* receivers count from 1 */
    char *hello;           /* JSON of MSG_HELLO; owned, wiped when it goes */
    int fds[ROOM_MAX_FDS]; /* inherited as ROOM_FIRST_FD and on; borrowed */
    size_t n_fds;
};
void room_plan_clear(struct room_plan *plan);

struct supervise_ops {
    void (*on_frame)(struct room *room, const struct frame *f, void *ctx);
    void (*on_up)(struct room *room, void *ctx);
    /* The process has ended; it will not answer any more. True when it was in the middle of
     * something that may have ended it, and that is counted elsewhere. */
    bool (*on_gone)(struct room *room, void *ctx);
    /* Five deaths in ten seconds: the owner ends the daemon. */
    void (*on_hopeless)(const char *why, void *ctx);
};

/* ok false: error says which room and why, and the former generation goes on. */
typedef void supervise_on_started(bool ok, const char *error, void *ctx);

struct supervise *supervise_new(struct event_base *base, const struct supervise_ops *ops,
                                void *ctx);
/* Ends what still runs: by closing its channel, and if that does not help by force. */
void supervise_free(struct supervise *s);

/* Takes the plans. -EBUSY while another start is under way (the plans are cleared). */
MUST_CHECK int supervise_start(struct supervise *s, struct room_plan *plans, size_t n,
                               supervise_on_started *on_started, void *ctx);
/* Whether a start is under way. */
bool supervise_starting(const struct supervise *s);
/* Drains every room, receivers and gateway first, then the runner; on_stopped when all are gone.
 * Once more with a shorter grace: that one counts. */
void supervise_stop(struct supervise *s, int64_t grace_ms, void (*on_stopped)(void *ctx));
/* Asks every room for a sign of life, and ends those that have not answered the last ones. Time
 * does not count, only pings: while the keeper itself was held up, it did not ask. */
void supervise_ping(struct supervise *s);
/* Whether every room of the present generation has lately shown that its loop turns. */
bool supervise_alive(const struct supervise *s);

/* The ready room of this kind in the present generation; NULL: none at the moment. */
struct room *supervise_room(struct supervise *s, enum room_kind kind);
struct room *supervise_by_id(struct supervise *s, unsigned id);
/* Whether this process is a room. */
bool supervise_owns(const struct supervise *s, pid_t pid);
unsigned room_id(const struct room *room);
enum room_kind room_kind(const struct room *room);
/* NULL while the room is down. */
struct channel *room_channel(struct room *room);

/* For status: calls fn for each living room with its latest counters (JSON text, "" before). */
void supervise_each(struct supervise *s,
                    void (*fn)(const char *name, int pid, const char *phase, const char *counters,
                               void *ctx),
                    void *ctx);

#endif
