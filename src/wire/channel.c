/*
 * Both directions are one contiguous piece of memory, so that a frame is always whole in one
 * place and everything collected leaves in one send. (A bufferevent reads 4 KiB a turn whatever
 * limit it is given; a batch of the keeper would never be longer than that.)
 *
 * SPDX-License-Identifier: MIT
 */
#include "wire/channel.h"

#include "wire/pass.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_STEP (64U << 10)
#define READ_TURN (1U << 20) /* then others have their turn */
#define KEEP      (1U << 20) /* memory an idle channel holds on to */
#define EARLY     (8U << 10) /* as much as this does not wait for the end of the turn */

/* Bytes between start and end are waiting. */
struct bytes {
    uint8_t *p;
    size_t start, end, cap;
};

struct channel {
    int fd;
    size_t max, limit;
    const struct channel_ops *ops;
    void *ctx;
    struct event *readable, *writable, *flush;
    struct bytes in, out;
    bool blocked;   /* the socket is full: writable will tell */
    bool finishing; /* nothing is handed up any more */
    bool closed;    /* on_close was called */
    bool busy;      /* a callback of the owner may be running */
    bool dead;      /* freed meanwhile */
    bool passing;   /* descriptors may come along */
    int passed;     /* the one that did, -1: none */
};

static size_t waiting(const struct bytes *b)
{
    return b->end - b->start;
}

/* Where n more bytes can be put. */
static uint8_t *reserve(struct bytes *b, size_t n)
{
    size_t used = waiting(b);
    size_t cap = b->cap != 0 ? b->cap : READ_STEP;

    if (b->cap - b->end >= n)
        return b->p + b->end;
    if (b->start != 0) {
        memmove(b->p, b->p + b->start, used);
        b->start = 0;
        b->end = used;
    }
    while (cap - used < n)
        cap *= 2;
    if (cap != b->cap) {
        b->p = mem_realloc(b->p, cap, 1);
        b->cap = cap;
    }
    return b->p + b->end;
}

static void consume(struct bytes *b, size_t n)
{
    b->start += n;
    if (b->start < b->end)
        return;
    b->start = b->end = 0;
    if (b->cap > KEEP) {
        free(b->p);
        *b = (struct bytes){0};
    }
}

static void drop_passed(struct channel *ch)
{
    if (ch->passed >= 0)
        close(ch->passed);
    ch->passed = -1;
}

static void destroy(struct channel *ch)
{
    drop_passed(ch);
    free(ch->in.p);
    free(ch->out.p);
    free(ch);
}

static void close_with(struct channel *ch, const char *why)
{
    if (ch->closed || ch->dead)
        return;
    ch->closed = true;
    event_del(ch->readable);
    event_del(ch->writable);
    event_del(ch->flush);
    ch->ops->on_close(ch, why, ch->ctx);
}

/* What has arrived, up to READ_TURN: 0, -ENODATA at the end of the stream, or -errno. */
static int fill(struct channel *ch)
{
    size_t total = 0;

    while (total < READ_TURN) {
        uint8_t *to = reserve(&ch->in, READ_STEP);
        size_t space = ch->in.cap - ch->in.end;
        ssize_t n = ch->passing ? pass_receive(ch->fd, to, space, &ch->passed)
                                : recv(ch->fd, to, space, MSG_DONTWAIT);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return errno == EAGAIN ? 0 : -errno;
        if (n == 0)
            return -ENODATA;
        ch->in.end += (size_t)n;
        total += (size_t)n;
        if ((size_t)n < space)
            return 0;
    }
    return 0;
}

/* 1 when a frame was handed up, 0 when none is whole, -EPROTO. */
static int deliver_one(struct channel *ch)
{
    uint8_t *p = ch->in.p + ch->in.start;
    size_t n = waiting(&ch->in);
    struct frame f;
    uint32_t length;
    int r = frame_read_head(p, n, ch->max, &f.type, &f.id, &length);

    if (r <= 0)
        return r;
    if (n - FRAME_HEAD < length)
        return 0;
    f.payload = (struct slice){(const char *)p + FRAME_HEAD, length};
    ch->ops->on_frame(ch, &f, ch->ctx);
    drop_passed(ch);
    if (f.type == MSG_HELLO)
        explicit_bzero(p + FRAME_HEAD, length);
    ch->in.start += FRAME_HEAD + (size_t)length;
    return 1;
}

static void deliver(struct channel *ch)
{
    int r = 0;

    while (!ch->dead && !ch->closed && !ch->finishing && waiting(&ch->in) != 0) {
        r = deliver_one(ch);
        if (r <= 0)
            break;
    }
    consume(&ch->in, 0);
    if (r < 0)
        close_with(ch, "not a frame, or longer than allowed");
}

static const char *end_text(const struct channel *ch, int r)
{
    if (r != -ENODATA)
        return strerror(-r);
    return waiting(&ch->in) != 0 ? "closed in the middle of a frame" : "closed by the other end";
}

static void leave(struct channel *ch)
{
    ch->busy = false;
    if (ch->dead)
        destroy(ch);
}

static void on_readable(evutil_socket_t fd, short what, void *ctx)
{
    struct channel *ch = ctx;
    int r;

    (void)fd;
    (void)what;
    ch->busy = true;
    r = fill(ch);
    deliver(ch);
    if (r != 0)
        close_with(ch, end_text(ch, r));
    leave(ch);
}

/* One send; 0 or -errno. */
static int write_out(struct channel *ch)
{
    ssize_t n;

    ch->blocked = false;
    if (waiting(&ch->out) == 0)
        return 0;
    n = send(ch->fd, ch->out.p + ch->out.start, waiting(&ch->out), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return -errno;
    if (n > 0)
        consume(&ch->out, (size_t)n);
    if (waiting(&ch->out) != 0) {
        ch->blocked = true;
        event_add(ch->writable, NULL);
    }
    return 0;
}

/* The other end reads no more, but what it said before it went still counts. */
static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
    struct channel *ch = ctx;
    int r;

    (void)fd;
    (void)what;
    ch->busy = true;
    r = write_out(ch);
    if (r != 0) {
        (void)fill(ch);
        deliver(ch);
        close_with(ch, strerror(-r));
    } else if (ch->finishing && waiting(&ch->out) == 0) {
        close_with(ch, "finished");
    }
    leave(ch);
}

/* The flush event runs after the callbacks that are active now, and so after all they send. */
static void flush_soon(struct channel *ch)
{
    if (!ch->blocked)
        event_active(ch->flush, EV_WRITE, 0);
}

/* Room for a frame's payload behind its head, or NULL with *r. */
static uint8_t *begin_frame(struct channel *ch, uint16_t type, uint64_t id, size_t n, int *r)
{
    uint8_t *p;

    *r = 0;
    if (ch->closed || ch->dead || ch->finishing)
        *r = -EPIPE;
    else if (n > ch->max)
        *r = -EMSGSIZE;
    else if (ch->limit != 0 && waiting(&ch->out) >= ch->limit)
        *r = -ENOBUFS;
    if (*r != 0)
        return NULL;
    p = reserve(&ch->out, FRAME_HEAD + n);
    frame_write_head(p, type, id, (uint32_t)n);
    ch->out.end += FRAME_HEAD + n;
    flush_soon(ch);
    return p + FRAME_HEAD;
}

struct channel *channel_new(struct event_base *base, int fd, size_t max,
                            const struct channel_ops *ops, void *ctx)
{
    struct channel *ch = mem_calloc(1, sizeof(*ch));

    *ch = (struct channel){.fd = fd, .max = max, .ops = ops, .ctx = ctx, .passed = -1};
    ch->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, ch);
    ch->writable = event_new(base, fd, EV_WRITE, on_writable, ch);
    ch->flush = event_new(base, -1, 0, on_writable, ch);
    if (ch->readable == NULL || ch->writable == NULL || ch->flush == NULL ||
        event_add(ch->readable, NULL) != 0)
        abort();
    return ch;
}

void channel_free(struct channel *ch)
{
    if (ch == NULL || ch->dead)
        return;
    ch->dead = true;
    event_free(ch->readable);
    event_free(ch->writable);
    event_free(ch->flush);
    close(ch->fd);
    if (!ch->busy)
        destroy(ch);
}

void channel_limit(struct channel *ch, size_t max_queued)
{
    ch->limit = max_queued;
}

int channel_send(struct channel *ch, enum message_type type, uint64_t id, const void *msg)
{
    uint8_t *p;
    int r = message_check(type, msg);

    if (r != 0)
        return r;
    p = begin_frame(ch, (uint16_t)type, id, message_size(type, msg), &r);
    if (p == NULL)
        return r;
    message_write(type, msg, p);
    if (!ch->blocked && waiting(&ch->out) >= EARLY)
        (void)write_out(ch); /* an error comes again at the end of the turn */
    return 0;
}

int channel_forward(struct channel *ch, const struct frame *f, uint64_t id)
{
    int r;
    uint8_t *p = begin_frame(ch, f->type, id, f->payload.n, &r);

    if (p != NULL && f->payload.n != 0)
        memcpy(p, f->payload.p, f->payload.n);
    return r;
}

size_t channel_queued(const struct channel *ch)
{
    return waiting(&ch->out);
}

void channel_finish(struct channel *ch)
{
    ch->finishing = true;
    event_del(ch->readable);
    flush_soon(ch);
}

int channel_fd(const struct channel *ch)
{
    return ch->fd;
}

void channel_allow_passing(struct channel *ch)
{
    ch->passing = true;
}

int channel_passed(struct channel *ch)
{
    int fd = ch->passed;

    ch->passed = -1;
    return fd;
}
