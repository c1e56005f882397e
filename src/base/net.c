/* SPDX-License-Identifier: MIT */
#include "base/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG        1024
#define DEFER_ACCEPT_S 5

static int set_options(int fd, int family)
{
    static const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET, SO_REUSEADDR, 1},
        {IPPROTO_TCP, TCP_NODELAY, 1},
        {IPPROTO_TCP, TCP_DEFER_ACCEPT, DEFER_ACCEPT_S},
    };
    int off = 0;

    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(int)) < 0)
            return -errno;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0)
        return -errno;
    return 0;
}

static int fill_address(const char *host, int port, struct sockaddr_storage *out, socklen_t *len)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)(void *)out;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)(void *)out;

    *out = (struct sockaddr_storage){0};
    if (port < 0 || port > UINT16_MAX)
        return -EINVAL;
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        *len = sizeof(*v4);
        return 0;
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        *len = sizeof(*v6);
        return 0;
    }
    return -EINVAL;
}

int net_listen_tcp(const char *host, int port, struct err *err)
{
    struct sockaddr_storage ss;
    socklen_t len;
    int fd;
    int rc;

    if (fill_address(host, port, &ss, &len) < 0)
        return err_set(err, -EINVAL, "not a numeric address and a port: %s port %d", host, port);
    fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    rc = fd < 0 ? -errno : set_options(fd, ss.ss_family);
    if (rc == 0 && (bind(fd, (struct sockaddr *)&ss, len) < 0 || listen(fd, BACKLOG) < 0))
        rc = -errno;
    if (rc < 0 && fd >= 0)
        close(fd);
    return rc < 0 ? err_sys(err, rc, "%s port %d", host, port) : fd;
}

/* A socket file that refuses connections was left behind by a process that is gone. */
static bool is_stale(const struct sockaddr_un *sun)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool stale;

    if (fd < 0)
        return false;
    stale = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 && errno == ECONNREFUSED;
    close(fd);
    return stale;
}

/* The mode is in force from the start: nobody can connect before listen, which comes last. */
static int bind_unix(int fd, const struct sockaddr_un *sun, mode_t mode)
{
    if (bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0) {
        if (errno != EADDRINUSE || !is_stale(sun))
            return -errno;
        if (unlink(sun->sun_path) < 0 || bind(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0)
            return -errno;
    }
    if (chmod(sun->sun_path, mode) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return 0;
}

int net_listen_unix(const char *path, mode_t mode, struct err *err)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    int fd;
    int rc;

    if (strlen(path) >= sizeof(sun.sun_path))
        return err_set(err, -ENAMETOOLONG, "%s: longer than the %zu bytes a socket path may have",
                       path, sizeof(sun.sun_path) - 1);
    mem_copy_text(sun.sun_path, sizeof(sun.sun_path), path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    rc = fd < 0 ? -errno : bind_unix(fd, &sun, mode);
    if (rc < 0 && fd >= 0)
        close(fd);
    if (rc == -EADDRINUSE)
        return err_set(err, rc, "%s: another process serves it", path);
    return rc < 0 ? err_sys(err, rc, "%s", path) : fd;
}

static int local_address(int fd, struct sockaddr_storage *ss)
{
    socklen_t n = sizeof(*ss);

    return getsockname(fd, (struct sockaddr *)ss, &n) < 0 ? -errno : 0;
}

int net_family(int fd)
{
    struct sockaddr_storage ss;
    int rc = local_address(fd, &ss);

    return rc < 0 ? rc : ss.ss_family;
}

int net_port(int fd)
{
    struct sockaddr_storage ss;
    int rc = local_address(fd, &ss);

    if (rc < 0)
        return rc;
    if (ss.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)(void *)&ss)->sin6_port);
    if (ss.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)(void *)&ss)->sin_port);
    return -EAFNOSUPPORT;
}

void net_name(int fd, char *out, size_t size)
{
    struct sockaddr_storage ss;
    char host[INET6_ADDRSTRLEN] = "?";

    if (local_address(fd, &ss) < 0) {
        mem_copy_text(out, size, "?");
        return;
    }
    if (ss.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&ss)->sin6_addr, host, sizeof(host));
        snprintf(out, size, "[%s]:%d", host, net_port(fd));
    } else {
        inet_ntop(AF_INET, &((struct sockaddr_in *)&ss)->sin_addr, host, sizeof(host));
        snprintf(out, size, "%s:%d", host, net_port(fd));
    }
}
