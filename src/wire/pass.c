/* SPDX-License-Identifier: MIT */
#include "wire/pass.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

union ancillary {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr alignment;
};

ssize_t pass_receive(int fd, void *to, size_t n, int *passed)
{
    union ancillary room;
    struct iovec piece = {to, n};
    /* Room for one: the kernel closes what does not fit. */
    struct msghdr m = {.msg_iov = &piece,
                       .msg_iovlen = 1,
                       .msg_control = room.bytes,
                       .msg_controllen = CMSG_LEN(sizeof(int))};
    ssize_t got = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    struct cmsghdr *c = got >= 0 ? CMSG_FIRSTHDR(&m) : NULL;

    if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS ||
        c->cmsg_len < CMSG_LEN(sizeof(int)))
        return got;
    if (*passed >= 0)
        close(*passed);
    memcpy(passed, CMSG_DATA(c), sizeof(*passed));
    return got;
}

ssize_t pass_send(int fd, const void *from, size_t n, int passed)
{
    union ancillary room = {{0}};
    struct iovec piece = {(void *)(uintptr_t)from, n}; /* only reads it */
    struct msghdr m = {.msg_iov = &piece, .msg_iovlen = 1};
    struct cmsghdr *c;

    if (passed >= 0) {
        m.msg_control = room.bytes;
        m.msg_controllen = sizeof(room.bytes);
        c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(c), &passed, sizeof(passed));
    }
    return sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
}
