/* SPDX-License-Identifier: MIT */
#include "conf/conf_url.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* n bytes of a text, none of them NUL. */
static bool consists_of(const char *p, size_t n, const char *allowed)
{
    for (size_t i = 0; i < n; i++)
        if (strchr(allowed, p[i]) == NULL)
            return false;
    return n != 0;
}

static int parse_port(const char *p, size_t n, int *port, struct err *err)
{
    uint64_t value;

    if (str_to_u64(p, n, 65535, &value) < 0)
        return err_set(err, -EINVAL, "the port must be a number up to 65535");
    *port = (int)value;
    return 0;
}

/* host, host:port, [v6], [v6]:port; n bytes at p. */
static int parse_authority(const char *p, size_t n, char host[256], int *port, struct err *err)
{
    bool bracket = n != 0 && p[0] == '[';
    const char *start = bracket ? p + 1 : p;
    const char *end = memchr(start, bracket ? ']' : ':', n - (bracket ? 1 : 0));
    size_t length = end != NULL ? (size_t)(end - start) : n - (bracket ? 1 : 0);
    const char *rest = start + length + (bracket ? 1 : 0);
    struct in6_addr address;

    if (bracket && end == NULL)
        return err_set(err, -EINVAL, "']' is missing behind the address");
    if (!consists_of(start, length, bracket ? "0123456789abcdefABCDEF:." : ALNUM ".-") ||
        length > 255)
        return err_set(err, -EINVAL, "the host is missing or not a host name or address");
    memcpy(host, start, length);
    host[length] = '\0';
    if (bracket && inet_pton(AF_INET6, host, &address) != 1)
        return err_set(err, -EINVAL, "only an IPv6 address stands in brackets");
    *port = -1;
    if (rest == p + n)
        return 0;
    if (*rest != ':')
        return err_set(err, -EINVAL, "only a port may follow the host");
    return parse_port(rest + 1, (size_t)(p + n - rest - 1), port, err);
}

int conf_url_parse_listen(const char *text, struct conf_url *out, struct err *err)
{
    struct conf_url url = {.https = str_starts(text, "https://")};
    const char *at = text + (url.https ? 8 : 7);
    size_t n;
    int rc;

    if (!url.https && !str_starts(text, "http://"))
        return err_set(err, -EINVAL, "must start with https:// or http://");
    n = strcspn(at, "/?#");
    if (memchr(at, '@', n) != NULL)
        return err_set(err, -EINVAL, "must not contain a user name or password");
    url.path = at + n;
    if (strpbrk(url.path, "?#") != NULL)
        return err_set(err, -EINVAL, "must not have a query (?) or a fragment (#)");
    if (url.path[0] != '\0' && !consists_of(url.path, strlen(url.path), ALNUM "._~/-"))
        return err_set(err, -EINVAL, "the path may only contain A-Z a-z 0-9 . _ ~ / -");
    rc = parse_authority(at, n, url.host, &url.port, err);
    if (rc == 0)
        *out = url;
    return rc;
}

static int check_port(int port, struct err *err)
{
    return port != 0 ? 0 : err_set(err, -EINVAL, "nobody can be reached at port 0");
}

int conf_url_parse(const char *text, struct conf_url *out, struct err *err)
{
    struct conf_url url;
    int rc = conf_url_parse_listen(text, &url, err);

    if (rc == 0)
        rc = check_port(url.port, err);
    if (rc == 0)
        *out = url;
    return rc;
}

int conf_endpoint_parse(const char *text, char host[256], int *port, struct err *err)
{
    int rc;

    if (strchr(text, '[') == NULL && strchr(text, ':') != strrchr(text, ':')) {
        if (!conf_host_is_numeric(text))
            return err_set(err, -EINVAL, "not a numeric address");
        memcpy(host, text, strlen(text) + 1);
        *port = -1;
        return 0;
    }
    rc = parse_authority(text, strlen(text), host, port, err);
    if (rc == 0 && !conf_host_is_numeric(host))
        return err_set(err, -EINVAL, "not a numeric address");
    return rc == 0 ? check_port(*port, err) : rc;
}

bool conf_host_is_numeric(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

bool conf_host_is_same(const char *a, const char *b)
{
    struct in6_addr x, y;

    if (inet_pton(AF_INET, a, &x) == 1 && inet_pton(AF_INET, b, &y) == 1)
        return memcmp(&x, &y, sizeof(struct in_addr)) == 0;
    return inet_pton(AF_INET6, a, &x) == 1 && inet_pton(AF_INET6, b, &y) == 1 &&
           memcmp(&x, &y, sizeof(x)) == 0;
}

bool conf_host_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return str_eq_nocase(host, "localhost");
}
