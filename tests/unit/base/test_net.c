/* SPDX-License-Identifier: MIT */
#include "base/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static int option(int fd, int level, int name)
{
    int value = -1;
    socklen_t len = sizeof(value);

    assert_int_equal(getsockopt(fd, level, name, &value, &len), 0);
    return value;
}

static int connect_to(const struct sockaddr *sa, socklen_t len)
{
    int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int rc = connect(fd, sa, len) < 0 ? -errno : fd;

    if (rc < 0)
        close(fd);
    return rc;
}

/* tcpi_sacked of a listener is its backlog (tcp(7) TCP_INFO). */
static unsigned backlog_of(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);

    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    return info.tcpi_sacked;
}

static unsigned system_backlog(void)
{
    FILE *f = fopen("/proc/sys/net/core/somaxconn", "re");
    unsigned most = 4096;

    if (f != NULL) {
        assert_int_equal(fscanf(f, "%u", &most), 1);
        fclose(f);
    }
    return most;
}

static void check_listener(int fd)
{
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(option(fd, IPPROTO_TCP, TCP_NODELAY), 1);
    assert_int_equal(option(fd, SOL_SOCKET, SO_REUSEADDR), 1);
    assert_int_equal(option(fd, SOL_SOCKET, SO_ACCEPTCONN), 1);
    assert_in_range(option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT), 5, 15);
    assert_int_equal(backlog_of(fd), system_backlog() < 1024 ? system_backlog() : 1024);
    assert_in_range(net_port(fd), 1, 65535);
}

static void a_listener_is_what_the_header_says(void **state)
{
    struct err err;
    char name[64];
    char expected[64];
    int fd = net_listen_tcp("127.0.0.1", 0, &err);

    (void)state;
    check_listener(fd);
    assert_int_equal(net_family(fd), AF_INET);
    snprintf(expected, sizeof(expected), "127.0.0.1:%d", net_port(fd));
    net_name(fd, name, sizeof(name));
    assert_string_equal(name, expected);
    close(fd);
    assert_int_equal(net_port(fd), -EBADF);
    assert_int_equal(net_family(fd), -EBADF);
    net_name(fd, name, sizeof(name));
    assert_string_equal(name, "?");
}

static void both_families_meet_on_one_ipv6_listener(void **state)
{
    struct sockaddr_in four = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct err err;
    int fd = net_listen_tcp("::", 0, &err);
    int client;

    (void)state;
    if (fd == -EAFNOSUPPORT)
        skip();
    check_listener(fd);
    assert_int_equal(option(fd, IPPROTO_IPV6, IPV6_V6ONLY), 0);
    four.sin_port = six.sin6_port = htons((uint16_t)net_port(fd));
    client = connect_to((struct sockaddr *)&four, sizeof(four));
    assert_true(client >= 0);
    close(client);
    client = connect_to((struct sockaddr *)&six, sizeof(six));
    assert_true(client >= 0 || client == -EADDRNOTAVAIL);
    if (client >= 0)
        close(client);
    close(fd);
}

static void only_numeric_addresses_and_real_ports(void **state)
{
    static const struct {
        const char *host;
        int port;
    } bad[] = {{"localhost", 0}, {"", 0},           {"127.0.0.1:80", 0}, {"[::]", 0},
               {"127.1", 0},     {"127.0.0.1", -1}, {"127.0.0.1", 65536}};
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(net_listen_tcp(bad[i].host, bad[i].port, &err), -EINVAL);
}

static void a_taken_port_is_an_error_with_a_reason(void **state)
{
    struct err err;
    int fd = net_listen_tcp("127.0.0.1", 0, &err);

    (void)state;
    assert_int_equal(net_listen_tcp("127.0.0.1", net_port(fd), &err), -EADDRINUSE);
    assert_ptr_equal(strstr(err.text, "127.0.0.1 port "), err.text);
    close(fd);
}

struct place {
    char dir[32], path[64];
};

static void make_place(struct place *p)
{
    snprintf(p->dir, sizeof(p->dir), "/tmp/test_net.XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof(p->path), "%s/socket", p->dir);
}

static void drop_place(const struct place *p)
{
    unlink(p->path);
    rmdir(p->dir);
}

static void a_unix_listener_has_its_mode_and_no_port(void **state)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};
    struct place p;
    struct stat st;
    struct err err;
    int client;
    int fd;

    (void)state;
    make_place(&p);
    fd = net_listen_unix(p.path, 0600, &err);
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    assert_int_equal(stat(p.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(net_family(fd), AF_UNIX);
    assert_int_equal(net_port(fd), -EAFNOSUPPORT);
    snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", p.path);
    client = connect_to((struct sockaddr *)&sun, sizeof(sun));
    assert_true(client >= 0);
    close(client);
    close(fd);
    drop_place(&p);
}

static void a_socket_file_that_nobody_serves_is_replaced(void **state)
{
    struct place p;
    struct err err;
    int first;
    int second;

    (void)state;
    make_place(&p);
    first = net_listen_unix(p.path, 0600, &err);
    assert_true(first >= 0);
    assert_int_equal(net_listen_unix(p.path, 0600, &err), -EADDRINUSE);
    assert_non_null(strstr(err.text, "another process serves it"));
    close(first);
    second = net_listen_unix(p.path, 0600, &err);
    assert_true(second >= 0);
    close(second);
    drop_place(&p);
}

static void a_path_longer_than_a_socket_may_have_is_refused(void **state)
{
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
    struct err err;

    (void)state;
    memset(path, 'x', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    assert_int_equal(net_listen_unix(path, 0600, &err), -ENAMETOOLONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listener_is_what_the_header_says),
        cmocka_unit_test(both_families_meet_on_one_ipv6_listener),
        cmocka_unit_test(only_numeric_addresses_and_real_ports),
        cmocka_unit_test(a_taken_port_is_an_error_with_a_reason),
        cmocka_unit_test(a_unix_listener_has_its_mode_and_no_port),
        cmocka_unit_test(a_socket_file_that_nobody_serves_is_replaced),
        cmocka_unit_test(a_path_longer_than_a_socket_may_have_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
