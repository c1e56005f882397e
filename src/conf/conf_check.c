/* SPDX-License-Identifier: MIT */
#include "conf/conf_check.h"

#include "base/fs.h"
#include "conf/conf_listen.h"
#include "conf/conf_type.h"
#include "conf/conf_url.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define PEM_MAX (256U * 1024)
#define CA_MAX  (4U << 20)

struct check {
    const struct conf_fill *fill;
    const struct conf_node *root;
    struct conf *c;
};

/* The node of "option" or "group.option"; the top when it is not written. */
static const struct conf_node *place(const struct check *k, const char *group, const char *option)
{
    const struct conf_node *map = group != NULL ? conf_node_get(k->root, group) : k->root;
    const struct conf_node *node = conf_node_get(map, option);

    if (node != NULL)
        return node;
    return map != NULL ? map : k->root;
}

/* What callbacks need, unless nobody is asked for any. */
static void check_needed(const struct check *k, const char *option, bool there)
{
    const struct conf *c = k->c;
    const struct conf_provider *p = NULL;

    if (k->fill->partial)
        return;
    for (size_t i = 0; i < c->n_providers && p == NULL; i++)
        if (c->providers[i].mode != MODE_POLL)
            p = &c->providers[i];
    if (there || (p == NULL && c->n_providers > 0))
        return;
    if (p != NULL)
        conf_found_at(k->fill->found, k->root,
                      "'%s' is missing: provider '%s' sends callbacks to it; without an address, "
                      "give it mode: poll",
                      option, p->name);
    else
        conf_found_at(k->fill->found, k->root, "'%s' is missing: callbacks need it", option);
}

static void check_public_url(const struct check *k)
{
    const struct conf_node *at = place(k, NULL, "public_url");
    char *text = k->c->public_url;
    struct conf_url url;
    struct err err;

    if (text == NULL)
        return;
    if (conf_url_parse(text, &url, &err) < 0) {
        conf_found_at(k->fill->found, at, "'public_url': %s", err.text);
        return;
    }
    if (!url.https && !k->c->behind_proxy && !k->fill->partial && !conf_host_is_loopback(url.host))
        conf_found_at(k->fill->found, at,
                      "'public_url' must be https; http is for loopback addresses, and with "
                      "behind_proxy: yes");
    for (size_t n = strlen(text); text[n - 1] == '/'; n--)
        text[n - 1] = '\0';
}

static void check_listen(const struct check *k)
{
    const struct conf_node *at = place(k, NULL, "listen");
    const struct conf *c = k->c;

    for (size_t i = 0; i < c->n_listen; i++) {
        const struct conf_listen *l = &c->listen[i];

        if (l->kind == LISTEN_HTTP && !c->behind_proxy && !k->fill->partial &&
            !conf_host_is_loopback(l->host))
            conf_found_at(k->fill->found, at,
                          "listen: %s would be open to the network without TLS; use https, a "
                          "loopback address, or behind_proxy: yes when a proxy does TLS",
                          l->text);
    }
}

static bool needs_tls(const struct conf *c)
{
    for (size_t i = 0; i < c->n_listen; i++)
        if (c->listen[i].kind == LISTEN_HTTPS ||
            (c->listen[i].kind == LISTEN_SYSTEMD && !c->behind_proxy))
            return true;
    return c->gateway.listen.text != NULL && c->gateway.listen.kind == LISTEN_HTTPS;
}

static void check_gateway(const struct check *k)
{
    const struct conf_listen *l = &k->c->gateway.listen;

    if (conf_node_get(conf_node_get(k->root, "gateway"), "listen") == NULL &&
        conf_node_get(conf_node_get(k->root, "gateway"), "token") == NULL)
        return;
    if (conf_node_get(conf_node_get(k->root, "gateway"), "listen") == NULL)
        conf_found_at(k->fill->found, place(k, "gateway", "token"),
                      "'gateway.listen' is missing: nobody could use the token; give the address "
                      "local clients connect to, such as http://127.0.0.1:8787");
    else if (conf_node_get(conf_node_get(k->root, "gateway"), "token") == NULL)
        conf_found_at(k->fill->found, place(k, "gateway", "listen"),
                      "'gateway.token' is missing: without it everybody on this machine could use "
                      "the API keys");
    if (l->kind == LISTEN_HTTP && !conf_host_is_loopback(l->host))
        conf_found_at(k->fill->found, place(k, "gateway", "listen"),
                      "'gateway.listen': %s would send the token over the network without TLS; use "
                      "https or a loopback address",
                      l->text);
    for (size_t i = 0; i < k->c->n_listen && l->text != NULL; i++)
        if (conf_listen_is_same(l, &k->c->listen[i]))
            conf_found_at(k->fill->found, place(k, "gateway", "listen"),
                          "'gateway.listen': %s is an address of 'listen'; they need a port each",
                          l->text);
}

static void check_tls(const struct check *k)
{
    struct conf *c = k->c;
    bool both = c->tls.certificate != NULL && c->tls.key != NULL;
    const struct conf_node *at = place(k, "tls", "certificate");
    struct err err;
    size_t len;

    if (!both && !k->fill->partial && (needs_tls(c) || c->tls.certificate != c->tls.key)) {
        conf_found_at(k->fill->found, place(k, NULL, "tls"),
                      "'tls.certificate' and 'tls.key' are both needed%s",
                      needs_tls(c) ? " for an https listener" : "");
        return;
    }
    if (!both)
        return;
    if (fs_read_file(c->tls.certificate, PEM_MAX, &c->tls.certificate_pem, &len, &err) < 0)
        conf_found_at(k->fill->found, at, "'tls.certificate': %s", err.text);
    if (fs_read_private_file(c->tls.key, PEM_MAX, &c->tls.key_pem, &len, &err) < 0)
        conf_found_at(k->fill->found, place(k, "tls", "key"), "'tls.key': %s", err.text);
    if (k->fill->pair != NULL && c->tls.certificate_pem != NULL && c->tls.key_pem != NULL &&
        k->fill->pair(c->tls.certificate_pem, c->tls.key_pem, c->tls.min_13, &err) < 0)
        conf_found_at(k->fill->found, place(k, "tls", "certificate"), "'tls': %s with %s: %s",
                      c->tls.certificate, c->tls.key, err.text);
}

/* What is there must be what the daemon makes of it; that nothing is there is fine. */
static void check_kind(const struct check *k, const char *option, const char *path, mode_t kind,
                       const char *name)
{
    struct stat st;

    if (stat(path, &st) == 0 && (st.st_mode & S_IFMT) != kind)
        conf_found_at(k->fill->found, place(k, NULL, option),
                      "'%s': %s is there and is no %s; name another path", option, path, name);
}

static void check_control(const struct check *k)
{
    const size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;

    if (strlen(k->c->control) > most)
        conf_found_at(k->fill->found, place(k, NULL, "control"),
                      "'control' is longer than the %zu bytes a socket's path may have", most);
    check_kind(k, "control", k->c->control, S_IFSOCK, "socket");
}

static void check_store(const struct check *k)
{
    char *text = k->c->store;
    autofree char *path = NULL;

    if (!str_starts(text, "sqlite:") || text[7] == '\0') {
        conf_found_at(k->fill->found, place(k, NULL, "store"), "'store' must be sqlite:PATH");
        return;
    }
    if (conf_is_tilde(k->fill, "store", place(k, NULL, "store"), text + 7))
        return;
    path = fs_join(k->fill->dir, text + 7);
    check_kind(k, "store", path, S_IFREG, "file");
    k->c->store = mem_printf("sqlite:%s", path);
    free(text);
}

/* libcurl says so of every transfer, and only then. */
static void check_ca_file(const struct check *k)
{
    const char *path = k->c->fetch.ca_file;
    const struct conf_node *at = place(k, "fetch", "ca_file");
    autofree char *pem = NULL;
    struct err err;
    size_t len;

    if (path == NULL)
        return;
    if (fs_read_file(path, CA_MAX, &pem, &len, &err) < 0)
        conf_found_at(k->fill->found, at, "'fetch.ca_file': %s", err.text);
    else if (strstr(pem, "-----BEGIN ") == NULL)
        conf_found_at(k->fill->found, at, "'fetch.ca_file': %s holds no certificate (PEM)", path);
}

static void check_sizes(const struct check *k)
{
    const struct conf *c = k->c;

    if (k->fill->partial)
        return;
    if (c->limits.body_budget < c->limits.max_body)
        conf_found_at(k->fill->found, place(k, "limits", "body_budget"),
                      "'limits.body_budget' is smaller than 'limits.max_body'");
    if (c->signature.nonce_keep_ms / 2 < c->signature.window_ms)
        conf_found_at(k->fill->found, place(k, "signature", "nonce_keep"),
                      "'signature.nonce_keep' must be at least twice 'signature.window', or a "
                      "forgotten nonce could be played again");
}

void conf_check(const struct conf_fill *fill, const struct conf_node *root, struct conf *c)
{
    const struct check k = {fill, root, c};

    check_needed(&k, "public_url", c->public_url != NULL);
    check_needed(&k, "listen", conf_node_get(root, "listen") != NULL);
    check_public_url(&k);
    check_listen(&k);
    check_gateway(&k);
    check_tls(&k);
    check_control(&k);
    check_store(&k);
    check_ca_file(&k);
    check_sizes(&k);
}
