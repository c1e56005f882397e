/* SPDX-License-Identifier: MIT */
#include "http/address.h"

#include "base/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define PUBLIC NULL

/*
 * The first row that fits decides. An IPv4 address is looked up as ::ffff:a.b.c.d, so mapped and
 * plain spellings are the same thing. `embedded` is where an IPv4 address lies that is judged in
 * place of the whole, 0 for none. What no row of ours calls public is not: IPv6 has handed out
 * only 2000::/3.
 */
static const struct range {
    const char *prefix;
    unsigned bits;
    size_t embedded;
    const char *name;
} ranges[] = {
    {"0.0.0.0", 8, 0, "this network (0.0.0.0/8)"},
    {"10.0.0.0", 8, 0, "private network (10.0.0.0/8)"},
    {"100.64.0.0", 10, 0, "carrier-grade NAT (100.64.0.0/10)"},
    {"127.0.0.0", 8, 0, "loopback (127.0.0.0/8)"},
    {"169.254.0.0", 16, 0, "link local (169.254.0.0/16)"},
    {"172.16.0.0", 12, 0, "private network (172.16.0.0/12)"},
    {"192.0.0.0", 24, 0, "protocol assignments (192.0.0.0/24)"},
    {"192.0.2.0", 24, 0, "documentation (192.0.2.0/24)"},
    {"192.88.99.0", 24, 0, "6to4 relay (192.88.99.0/24)"},
    {"192.168.0.0", 16, 0, "private network (192.168.0.0/16)"},
    {"198.18.0.0", 15, 0, "benchmarking, or a fake-IP resolver (198.18.0.0/15)"},
    {"198.51.100.0", 24, 0, "documentation (198.51.100.0/24)"},
    {"203.0.113.0", 24, 0, "documentation (203.0.113.0/24)"},
    {"224.0.0.0", 4, 0, "multicast (224.0.0.0/4)"},
    {"240.0.0.0", 4, 0, "reserved (240.0.0.0/4)"},
    {"::ffff:0:0", 96, 0, PUBLIC},
    {"::1", 128, 0, "loopback (::1)"},
    {"::", 128, 0, "unspecified (::)"},
    {"::", 96, 12, PUBLIC},        /* IPv4-compatible */
    {"64:ff9b::", 96, 12, PUBLIC}, /* NAT64 */
    /* Where the IPv4 address lies in here is its operator's choice, so there is none to judge. */
    {"64:ff9b:1::", 48, 0, "local NAT64 (64:ff9b:1::/48)"},
    {"2002::", 16, 2, PUBLIC}, /* 6to4 */
    {"2001::", 23, 0, "protocol assignments (2001::/23)"},
    {"2001:db8::", 32, 0, "documentation (2001:db8::/32)"},
    {"3fff::", 20, 0, "documentation (3fff::/20)"},
    {"2000::", 3, 0, PUBLIC},
    {"fc00::", 7, 0, "private network (fc00::/7)"},
    {"fe80::", 10, 0, "link local (fe80::/10)"},
    {"fec0::", 10, 0, "site local (fec0::/10)"},
    {"ff00::", 8, 0, "multicast (ff00::/8)"},
    {"::", 0, 0, "not global unicast"},
};

static void map_ipv4(const uint8_t ipv4[4], uint8_t out[16])
{
    memset(out, 0, 10);
    memset(out + 10, 0xff, 2);
    memcpy(out + 12, ipv4, 4);
}

/* 0, or -EINVAL when the text is not an address; bits: width before the mapping. */
static int parse_address(const char *text, uint8_t out[16], unsigned *mapped_bits)
{
    uint8_t ipv4[4];

    *mapped_bits = 0;
    if (inet_pton(AF_INET6, text, out) == 1)
        return 0;
    if (inet_pton(AF_INET, text, ipv4) != 1)
        return -EINVAL;
    map_ipv4(ipv4, out);
    *mapped_bits = 96;
    return 0;
}

static bool in_range(const struct range *r, const uint8_t address[16])
{
    uint8_t prefix[16];
    unsigned bits, whole;

    if (parse_address(r->prefix, prefix, &bits) < 0)
        return r->name != PUBLIC;
    bits += r->bits;
    whole = bits / 8;
    if (memcmp(prefix, address, whole) != 0)
        return false;
    return bits % 8 == 0 || (prefix[whole] ^ address[whole]) >> (8 - bits % 8) == 0;
}

static const struct range *first_range(const uint8_t address[16])
{
    size_t i = 0;

    while (i + 1 < ARRAY_LEN(ranges) && !in_range(&ranges[i], address))
        i++;
    return &ranges[i];
}

static const char *judge(const uint8_t address[16])
{
    const struct range *r = first_range(address);
    uint8_t mapped[16];

    if (r->embedded == 0)
        return r->name;
    map_ipv4(address + r->embedded, mapped);
    return first_range(mapped)->name;
}

static bool read_sockaddr(const struct sockaddr *sa, uint8_t address[16], uint16_t *port)
{
    if (sa->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, sa, sizeof(in));
        map_ipv4((const uint8_t *)&in.sin_addr, address);
        *port = ntohs(in.sin_port);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, sa, sizeof(in6));
        memcpy(address, &in6.sin6_addr, 16);
        *port = ntohs(in6.sin6_port);
        return true;
    }
    return false;
}

/* The address part of "address[:port]", where IPv6 stands in brackets; *port is what follows the
 * colon, or empty. */
static int split_rule(const char *text, char host[INET6_ADDRSTRLEN], const char **port)
{
    bool bracket = text[0] == '[';
    const char *from = bracket ? text + 1 : text;
    size_t n = strcspn(from, bracket ? "]" : ":");
    const char *rest = from + n;

    if (bracket && *rest++ != ']')
        return -EINVAL;
    if (n == 0 || n >= INET6_ADDRSTRLEN || (*rest != ':' && *rest != '\0'))
        return -EINVAL;
    if (*rest == ':' && rest[1] == '\0')
        return -EINVAL;
    memcpy(host, from, n);
    host[n] = '\0';
    *port = *rest == ':' ? rest + 1 : rest;
    return bracket == (strchr(host, ':') != NULL) ? 0 : -EINVAL;
}

int address_rule_parse(const char *text, struct address_rule *out, struct err *err)
{
    char host[INET6_ADDRSTRLEN];
    const char *port;
    struct address_rule rule = {.port = 0};
    uint64_t number = 0;
    unsigned mapped;

    if (split_rule(text, host, &port) < 0 || parse_address(host, rule.address, &mapped) < 0)
        return err_set(err, -EINVAL,
                       "%s: not an address; write 10.0.0.5, 10.0.0.5:9000 or [::1]:9000", text);
    if (*port != '\0' && (str_to_u64(port, strlen(port), UINT16_MAX, &number) < 0 || number == 0))
        return err_set(err, -EINVAL, "%s: the port must be a number from 1 to 65535", text);
    rule.port = (uint16_t)number;
    *out = rule;
    return 0;
}

const char *address_denied(const struct sockaddr *sa)
{
    uint8_t address[16];
    uint16_t port;

    return read_sockaddr(sa, address, &port) ? judge(address) : "not an internet address";
}

bool address_named(const struct sockaddr *sa, const struct address_rule *rules, size_t n_rules)
{
    uint8_t address[16];
    uint16_t port;

    if (!read_sockaddr(sa, address, &port))
        return false;
    for (size_t i = 0; i < n_rules; i++)
        if (memcmp(rules[i].address, address, 16) == 0 &&
            (rules[i].port == 0 || rules[i].port == port))
            return true;
    return false;
}

bool address_allowed(const struct sockaddr *sa, const uint16_t *ports, size_t n_ports,
                     const struct address_rule *rules, size_t n_rules)
{
    uint8_t address[16];
    uint16_t port;

    if (address_named(sa, rules, n_rules))
        return true;
    if (!read_sockaddr(sa, address, &port) || judge(address) != PUBLIC)
        return false;
    for (size_t i = 0; i < n_ports; i++)
        if (ports[i] == port)
            return true;
    return n_ports == 0;
}
