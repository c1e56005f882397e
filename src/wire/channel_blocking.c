/*
 * The channel of a program without a loop.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "wire/channel.h"
#include "wire/pass.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

/* 0 when the descriptor is ready, -ETIMEDOUT, or -errno. deadline -1: for ever. */
static int wait_for(int fd, short what, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = what};
    int64_t left = deadline < 0 ? -1 : deadline - clock_mono_ms();
    int n;

    if (deadline >= 0 && left < 0)
        left = 0;
    n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    return n == 0 ? -ETIMEDOUT : 0;
}

static int read_exactly(int fd, void *to, size_t n, int64_t deadline)
{
    uint8_t *p = to;

    while (n != 0) {
        ssize_t got = recv(fd, p, n, MSG_DONTWAIT);
        int r = 0;

        if (got == 0)
            return -EPIPE;
        if (got < 0 && errno == EAGAIN)
            r = wait_for(fd, POLLIN, deadline);
        else if (got < 0 && errno != EINTR)
            r = errno == ECONNRESET ? -EPIPE : -errno;
        if (r != 0)
            return r;
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
    return 0;
}

static int write_exactly(int fd, const void *from, size_t n, int passed)
{
    const uint8_t *p = from;

    while (n != 0) {
        ssize_t put = pass_send(fd, p, n, passed);
        int r = 0;

        if (put < 0 && errno == EAGAIN)
            r = wait_for(fd, POLLOUT, -1);
        else if (put < 0 && errno != EINTR)
            r = -errno;
        if (r != 0)
            return r;
        if (put > 0) {
            p += put;
            n -= (size_t)put;
            passed = -1;
        }
    }
    return 0;
}

int channel_read_blocking(int fd, size_t max, int64_t timeout_ms, struct frame *out, char **memory)
{
    int64_t deadline = timeout_ms < 0 ? -1 : clock_mono_ms() + timeout_ms;
    uint8_t head[FRAME_HEAD];
    uint32_t length;
    struct frame f;
    autofree char *payload = NULL;
    int r = read_exactly(fd, head, sizeof(head), deadline);

    if (r != 0)
        return r;
    if (frame_read_head(head, sizeof(head), max, &f.type, &f.id, &length) != 1)
        return -EPROTO;
    payload = mem_calloc((size_t)length + 1, 1);
    r = read_exactly(fd, payload, length, deadline);
    if (r != 0)
        return r;
    f.payload = (struct slice){payload, length};
    *out = f;
    *memory = payload;
    payload = NULL;
    return 0;
}

int channel_pass_blocking(int fd, enum message_type type, uint64_t id, const void *msg, int passed)
{
    autofree uint8_t *frame = NULL;
    int r = message_check(type, msg);
    size_t n;

    if (r != 0)
        return r;
    n = message_size(type, msg);
    frame = mem_calloc(FRAME_HEAD + n, 1);
    frame_write_head(frame, (uint16_t)type, id, (uint32_t)n);
    message_write(type, msg, frame + FRAME_HEAD);
    return write_exactly(fd, frame, FRAME_HEAD + n, passed);
}

int channel_write_blocking(int fd, enum message_type type, uint64_t id, const void *msg)
{
    return channel_pass_blocking(fd, type, id, msg, -1);
}
