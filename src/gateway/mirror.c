/* SPDX-License-Identifier: MIT */
#include "gateway/mirror.h"

#include "base/fs.h"
#include "base/log.h"
#include "gateway/mirror_call.h"
#include "gateway/mirror_create.h"
#include "gateway/mirror_error.h"
#include "gateway/mirror_pass.h"
#include "gateway/mirror_query.h"
#include "http/tls.h"
#include "vidu/crypto.h"
#include "vidu/request.h"

#include <errno.h>
#include <string.h>

#define METHODS "GET, HEAD, POST, PUT, PATCH, DELETE"

/* -- who is let in -- */

/* "Token x", "Bearer x", or x alone. */
static struct slice without_scheme(struct slice value)
{
    static const struct slice schemes[] = {SLICE_LIT("Token"), SLICE_LIT("Bearer")};
    const char *blank = memchr(value.p, ' ', value.n);
    size_t n = blank != NULL ? (size_t)(blank - value.p) : 0;

    for (size_t i = 0; n != 0 && i < ARRAY_LEN(schemes); i++)
        if (slice_is_nocase((struct slice){value.p, n}, schemes[i].p)) {
            while (n < value.n && value.p[n] == ' ')
                n++;
            return (struct slice){value.p + n, value.n - n};
        }
    return value;
}

/* Digests are compared, so the time tells nothing, not even the token's length. */
static bool has_token(const struct mirror *m, const struct head *head)
{
    uint8_t hash[SHA256_LEN];
    size_t n;
    const struct head_field *field = head_field(head, "Authorization", &n);
    struct slice token;

    if (n != 1)
        return false;
    token = without_scheme(field->value);
    crypto_sha256(token.p, token.n, hash);
    return crypto_equal(hash, m->token_hash, sizeof(hash));
}

static bool is_method(struct slice method)
{
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (slice_is(method, methods[i]))
            return true;
    return false;
}

static bool is_json(const struct head *head)
{
    static const char json[] = "application/json";
    size_t n;
    const struct head_field *field = head_field(head, "Content-Type", &n);

    return n == 1 && field->value.n >= sizeof(json) - 1 &&
           slice_is_nocase((struct slice){field->value.p, sizeof(json) - 1}, json);
}

static int on_head(const struct head *head, bool *trusted, void *ctx)
{
    const struct mirror *m = ctx;
    struct slice path;

    if (!has_token(m, head))
        return 401;
    *trusted = true;
    if (mirror_route_account(&m->g->hello, head, &path) == NULL)
        return 404;
    if (!is_method(head->method))
        return 405;
    if (m->n_calls >= MIRROR_MAX_CLIENTS)
        return 503;
    if (head->body == HEAD_BODY_LENGTH && head->content_length > REQUEST_MAX_BODY && is_json(head))
        return 413;
    return 0;
}

static struct slice refusal(int status, void *ctx)
{
    struct mirror *m = ctx;

    buf_reset(&m->refusal);
    mirror_error_refusal(status, &m->refusal);
    return (struct slice){buf_text(&m->refusal), m->refusal.len};
}

/* -- requests -- */

static void (*const steps[])(struct mirror_call *c) = {
    [MIRROR_PASS] = mirror_pass, [MIRROR_CREATE] = mirror_create, [MIRROR_QUERY] = mirror_query,
    [MIRROR_TREE] = mirror_tree, [MIRROR_LIST] = mirror_list,
};

static void on_request(struct server_request *req, void *ctx)
{
    struct mirror_call *c = mirror_call_new(ctx, req);

    if (c == NULL)
        return;
    if (server_request_body(req).n > REQUEST_MAX_BODY && is_json(server_request_head(req)))
        mirror_fail(c, 413, "ViduhookBodyTooLarge", "JSON may have %u MiB", REQUEST_MAX_BODY >> 20);
    else
        steps[c->route.step](c);
}

/* -- the server -- */

static int open_server(struct mirror *m, struct err *err)
{
    const struct hello_gateway *h = &m->g->hello;
    const struct server_limits limits = {
        .max_body = MIRROR_MAX_BODY,
        .body_budget = h->http_budget,
        .stranger_bytes = REQUEST_MAX_BODY, /* a wrong token should be told so */
        .connections = 2 * MIRROR_MAX_CLIENTS,
        .handshakes = MIRROR_MAX_CLIENTS,
        .keepalive_requests = 1000000,
        .handshake_ms = 10000,
        .header_ms = 60000,
        .body_ms = 120000,
        .reply_ms = 120000,
        .allow = METHODS,
        .refusal = refusal,
    };
    struct server_listener listener = {.fd = h->http_fd};

    if (h->http_tls) {
        m->tls = tls_server_new(str_or(h->certificate_pem, ""), str_or(h->key_pem, ""),
                                h->tls_min_13, err);
        if (m->tls == NULL)
            return err_wrap(err, -EINVAL, "gateway.listen: TLS");
        listener.tls = m->tls;
    }
    if (fs_set_nonblock(h->http_fd) != 0 || fs_set_cloexec(h->http_fd, 1) != 0)
        return err_set(err, -EBADF, "no socket for gateway.listen was handed over");
    m->server = server_new(m->g->base, &limits, &listener, 1, on_head, on_request, m);
    return m->server != NULL ? 0 : err_set(err, -EBADF, "gateway.listen: cannot be listened on");
}

struct mirror *mirror_new(struct gateway *g, struct err *err)
{
    struct mirror *m = mem_calloc(1, sizeof(*m));

    *m = (struct mirror){.g = g, .refusal = BUF_INIT(2048)};
    TAILQ_INIT(&m->calls);
    crypto_sha256(g->hello.token, strlen(g->hello.token), m->token_hash);
    if (open_server(m, err) == 0)
        return m;
    mirror_free(m);
    return NULL;
}

void mirror_free(struct mirror *m)
{
    struct mirror_call *c;

    if (m == NULL)
        return;
    while ((c = TAILQ_FIRST(&m->calls)) != NULL)
        mirror_call_free(c);
    server_free(m->server);
    tls_server_free(m->tls);
    buf_free(&m->refusal);
    free(m);
}

static void on_drained(void *ctx)
{
    struct mirror *m = ctx;

    m->drained = true;
    gateway_check_idle(m->g);
}

void mirror_drain(struct mirror *m)
{
    if (m == NULL)
        return;
    m->draining = true;
    mirror_query_end_waits(m);
    server_drain(m->server, on_drained, m);
}

bool mirror_is_idle(const struct mirror *m)
{
    return m == NULL || m->drained;
}

size_t mirror_watchers(const struct mirror *m)
{
    return m != NULL ? m->watchers : 0;
}

void mirror_tell(struct mirror *m, const struct msg_event *event)
{
    if (m != NULL && m->watchers != 0)
        mirror_query_changed(m, event->task.p);
}
