/*
 * A channel: frames over one connected stream socket.
 *
 * Sending collects: what one turn of the loop has to say leaves in one system call, or, when it is
 * much, in a few large ones.
 * Frames are handed up in order, as many as have arrived. A frame is valid only while on_frame
 * runs. Nothing but this file and its users knows whether the other end is a parent, a child or
 * a client.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WIRE_CHANNEL_H
#define WIRE_CHANNEL_H

#include "wire/message.h"

struct event_base;
struct channel;

struct channel_ops {
    void (*on_frame)(struct channel *ch, const struct frame *f, void *ctx);
    /* The other end is gone or spoke nonsense (why says which). Called once, from the loop; the
     * owner frees the channel, in here or later. */
    void (*on_close)(struct channel *ch, const char *why, void *ctx);
};

/* Takes the descriptor. max is the largest payload accepted. ops is borrowed. */
struct channel *channel_new(struct event_base *base, int fd, size_t max,
                            const struct channel_ops *ops, void *ctx);
/* Closes; what was not written yet is lost. NULL is fine. Allowed inside on_frame. */
void channel_free(struct channel *ch);
/* From now on sending is -ENOBUFS while this many bytes are waiting already; 0: no limit. */
void channel_limit(struct channel *ch, size_t max_queued);
/* 0, -ENOBUFS, -EMSGSIZE (message_check), -EPIPE (closed or finishing): then nothing was queued. */
int channel_send(struct channel *ch, enum message_type type, uint64_t id, const void *msg);
/* Passes a frame on as it is. */
int channel_forward(struct channel *ch, const struct frame *f, uint64_t id);
size_t channel_queued(const struct channel *ch);
/* Hands nothing up any more, and calls on_close after everything queued has been written. */
void channel_finish(struct channel *ch);
int channel_fd(const struct channel *ch);
/*
 * From now on a descriptor may come along with a frame (wire/pass.h); otherwise one that does is
 * closed unseen. channel_passed, while on_frame runs: the one that came with this frame, owned by
 * the caller; -1: none. One who passes a descriptor waits for the answers to earlier frames first.
 */
void channel_allow_passing(struct channel *ch);
int channel_passed(struct channel *ch);

/* The other side, without a loop (the command line): one whole frame, blocking up to timeout_ms
 * (-1: for ever). *memory holds the payload, owned by the caller. -ETIMEDOUT, -EPIPE, -EPROTO. */
MUST_CHECK int channel_read_blocking(int fd, size_t max, int64_t timeout_ms, struct frame *out,
                                     char **memory);
MUST_CHECK int channel_write_blocking(int fd, enum message_type type, uint64_t id, const void *msg);
/* The same, and passed (-1: none) goes along. */
MUST_CHECK int channel_pass_blocking(int fd, enum message_type type, uint64_t id, const void *msg,
                                     int passed);

#endif
