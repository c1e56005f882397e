/* SPDX-License-Identifier: MIT */
#include "keeper/sockets.h"

#include "base/fs.h"
#include "base/log.h"
#include "base/net.h"
#include "keeper/spawn.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define LISTEN_FDS_START 3 /* sd_listen_fds(3) */

static int add(struct sockets *s, int fd, bool tls, const char *scheme, struct err *err)
{
    char name[96];
    int lifted = spawn_lift(fd);

    close(fd);
    if (lifted < 0)
        return err_sys(err, lifted, "listening socket");
    if (s->n == CONF_MAX_LISTEN) {
        close(lifted);
        return err_set(err, -E2BIG, "more than %d listening sockets", CONF_MAX_LISTEN);
    }
    net_name(lifted, name, sizeof(name));
    s->listen[s->n].fd = lifted;
    s->listen[s->n].tls = tls;
    snprintf(s->listen[s->n].text, sizeof(s->listen[s->n].text), "%s://%s", scheme, name);
    log_info("listener.bound", LOG_S("address", s->listen[s->n].text),
             LOG_I("port", net_port(lifted)));
    s->n++;
    return 0;
}

static int take_control(struct sockets *s, int fd, struct err *err)
{
    int lifted = spawn_lift(fd);

    close(fd);
    if (lifted < 0 || s->control_fd >= 0)
        return err_set(err, -EINVAL, "more than one inherited unix socket");
    s->control_fd = lifted;
    s->control_inherited = true;
    return fs_set_nonblock(lifted);
}

/* LISTEN_PID must be ours, or the descriptors were meant for somebody else. */
static int inherited_count(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *fds = getenv("LISTEN_FDS");
    uint64_t value;

    if (pid == NULL || fds == NULL || str_to_u64(pid, strlen(pid), INT32_MAX, &value) < 0 ||
        (pid_t)value != getpid() || str_to_u64(fds, strlen(fds), 64, &value) < 0)
        return 0;
    return (int)value;
}

static int take_inherited(struct sockets *s, const struct conf *c, struct err *err)
{
    int n = inherited_count();
    bool tls = c->tls.certificate != NULL;
    int rc = 0;

    if (n == 0)
        return err_set(err, -ENOENT,
                       "`listen: systemd` is configured, but no socket was passed "
                       "(LISTEN_FDS); start the .socket unit");
    for (int fd = LISTEN_FDS_START; fd < LISTEN_FDS_START + n && rc == 0; fd++) {
        int family = net_family(fd);

        if (family == AF_UNIX)
            rc = take_control(s, fd, err);
        else if (family != AF_INET && family != AF_INET6)
            rc = err_set(err, -EINVAL, "inherited descriptor %d is not a listening socket", fd);
        else if (fs_set_nonblock(fd) < 0)
            rc = err_sys(err, -errno, "inherited descriptor %d", fd);
        else
            rc = add(s, fd, tls, tls ? "https" : "http", err);
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return rc;
}

/* Whoever connects to them would wait for ever. */
static void warn_of_unused(void)
{
    int n = inherited_count();

    if (n > 0)
        log_warn("listener.not_used", LOG_I("sockets", n),
                 LOG_S("why", "the service manager passed them, but `listen` does not name "
                              "`systemd`; name it, or stop and disable the .socket unit"));
}

static int open_one(struct sockets *s, const struct conf *c, const struct conf_listen *l,
                    struct err *err)
{
    int fd;

    if (l->kind == LISTEN_SYSTEMD)
        return take_inherited(s, c, err);
    fd = net_listen_tcp(l->host, l->port, err);
    if (fd == -EACCES)
        return err_set(err, fd,
                       "listen %s: ports below 1024 are for root; use `listen: systemd` with "
                       "viduhookd.socket, or a port above that is forwarded to",
                       l->text);
    if (fd < 0)
        return err_wrap(err, fd, "listen %s", l->text);
    return add(s, fd, l->kind == LISTEN_HTTPS, l->kind == LISTEN_HTTPS ? "https" : "http", err);
}

/* Only a socket that was left behind may be replaced: a mistyped path must not cost a file. */
static int check_control(const char *path, struct err *err)
{
    struct stat st;

    if (lstat(path, &st) < 0 || S_ISSOCK(st.st_mode))
        return 0;
    return err_set(err, -EEXIST, "control: %s is there and no socket; name another path", path);
}

static int open_control(struct sockets *s, const struct conf *c, struct err *err)
{
    autofree char *dir = fs_dirname(c->control);
    int fd;
    int rc;

    s->control_path = mem_strdup(c->control);
    if (s->control_inherited)
        return 0;
    rc = fs_mkdirs(dir, 0750, err);
    if (rc < 0)
        return err_wrap(err, rc, "control");
    rc = check_control(c->control, err);
    if (rc < 0)
        return rc;
    fd = net_listen_unix(c->control, 0660, err);
    if (fd < 0)
        return err_wrap(err, fd, "control");
    s->control_fd = spawn_lift(fd);
    close(fd);
    return s->control_fd < 0 ? err_sys(err, s->control_fd, "control") : 0;
}

static int open_gateway(struct sockets *s, const struct conf *c, struct err *err)
{
    const struct conf_listen *l = &c->gateway.listen;
    char name[96];
    int fd;

    if (l->text == NULL)
        return 0;
    fd = net_listen_tcp(l->host, l->port, err);
    if (fd < 0)
        return err_wrap(err, fd, "gateway.listen %s", l->text);
    s->gateway_fd = spawn_lift(fd);
    close(fd);
    if (s->gateway_fd < 0)
        return err_sys(err, s->gateway_fd, "gateway.listen %s", l->text);
    s->gateway_tls = l->kind == LISTEN_HTTPS;
    net_name(s->gateway_fd, name, sizeof(name));
    log_info("gateway.bound", LOG_S("address", name), LOG_I("port", net_port(s->gateway_fd)));
    return 0;
}

int sockets_open(const struct conf *c, struct sockets **out, struct err *err)
{
    struct sockets *s = mem_calloc(1, sizeof(*s));
    int rc = 0;

    s->control_fd = s->gateway_fd = -1;
    for (size_t i = 0; i < c->n_listen && rc == 0; i++)
        rc = open_one(s, c, &c->listen[i], err);
    warn_of_unused();
    if (rc == 0)
        rc = open_control(s, c, err);
    if (rc == 0)
        rc = open_gateway(s, c, err);
    if (rc < 0) {
        sockets_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void sockets_close(struct sockets *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->n; i++)
        close(s->listen[i].fd);
    if (s->gateway_fd >= 0)
        close(s->gateway_fd);
    if (s->control_fd >= 0) {
        close(s->control_fd);
        if (!s->control_inherited)
            unlink(s->control_path);
    }
    free(s->control_path);
    free(s);
}
