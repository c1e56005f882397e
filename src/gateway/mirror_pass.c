/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_pass.h"

#include "base/log.h"

#include <string.h>
#include <strings.h>

#define MAX_OPTIONS (64U << 10) /* of Connection headers; a head is no longer */

/* Of one connection (RFC 9110 7.6.1), or said anew by whoever sends. */
static const char *const kept_back[] = {
    "Connection",
    "Keep-Alive",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Connection",
    "TE",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Content-Length",
};
static const char *const kept_back_from_provider[] = {"Authorization", "Host", "Expect",
                                                      "User-Agent"};
static const char *const kept_back_from_client[] = {"Date"};

static bool is_among(struct slice name, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (slice_is_nocase(name, names[i]))
            return true;
    return false;
}

/* All lines of it become one list. */
static void add_options(struct slice name, struct slice value, struct buf *options)
{
    if (!slice_is_nocase(name, "Connection"))
        return;
    buf_add(options, value.p, value.n);
    buf_addc(options, ',');
}

/* Whether a Connection header names it. */
static bool is_connection_option(const char *options, struct slice name)
{
    for (const char *p = options; *p != '\0';) {
        size_t n = strcspn(p, ", \t");

        if (n == name.n && strncasecmp(p, name.p, n) == 0)
            return true;
        p += n;
        p += strspn(p, ", \t");
    }
    return false;
}

/* -- the request -- */

static bool goes_out(struct slice name, const char *options)
{
    static const char ours[] = "X-Viduhook-";

    return !is_among(name, kept_back, ARRAY_LEN(kept_back)) &&
           !is_among(name, kept_back_from_provider, ARRAY_LEN(kept_back_from_provider)) &&
           !is_connection_option(options, name) &&
           (name.n < sizeof(ours) - 1 || strncasecmp(name.p, ours, sizeof(ours) - 1) != 0);
}

/* lines has room for all of a head, ours and the end; it is released with free_lines. */
static void collect_lines(const struct mirror_call *c, char **lines)
{
    const struct head *head = server_request_head(c->req);
    autobuf struct buf options = BUF_INIT(MAX_OPTIONS);
    size_t n = 0;

    for (size_t i = 0; i < head->n_fields; i++)
        add_options(head->fields[i].name, head->fields[i].value, &options);
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct head_field *f = &head->fields[i];

        if (f->value.n != 0 && goes_out(f->name, buf_text(&options)))
            lines[n++] =
                mem_printf("%.*s: %.*s", (int)f->name.n, f->name.p, (int)f->value.n, f->value.p);
    }
    lines[n] = account_authorization(c->route.account);
}

static void free_lines(char **lines)
{
    for (size_t i = 0; lines[i] != NULL; i++)
        mem_wipe_free(lines[i], strlen(lines[i]));
}

/* -- the answer -- */

struct reply {
    struct server_header headers[HEAD_MAX_LINES + 1];
    size_t n;
    const char *options;
    bool head; /* whose answer tells the length of another one */
};

static void add_answer_options(const char *name, const char *value, void *ctx)
{
    add_options(slice_str(name), slice_str(value), ctx);
}

static void add_header(const char *name, const char *value, void *ctx)
{
    struct reply *r = ctx;
    struct slice s = slice_str(name);
    bool length = r->head && slice_is_nocase(s, "Content-Length");

    if (r->n == HEAD_MAX_LINES || (!length && is_among(s, kept_back, ARRAY_LEN(kept_back))) ||
        is_among(s, kept_back_from_client, ARRAY_LEN(kept_back_from_client)) ||
        is_connection_option(r->options, s))
        return;
    r->headers[r->n++] = (struct server_header){mem_strdup(name), mem_strdup(value)};
}

static void hand_back(struct mirror_call *c, const struct transfer *t, int status)
{
    autobuf struct buf options = BUF_INIT(MAX_OPTIONS);
    struct reply r = {.head = slice_is(server_request_head(c->req)->method, "HEAD")};

    transfer_headers(t, add_answer_options, &options);
    r.options = buf_text(&options);
    transfer_headers(t, add_header, &r);
    c->g->counters.http_passed++;
    mirror_reply(c, status, r.headers, buf_text(&c->answer), c->answer.len);
    for (size_t i = 0; i < r.n; i++) {
        free((char *)r.headers[i].name);
        free((char *)r.headers[i].value);
    }
}

static bool on_data(struct transfer *t, const void *p, size_t n, void *ctx)
{
    (void)t;
    return mirror_keep(ctx, p, n);
}

/* To ask again costs nothing. */
static bool is_safe(struct slice method)
{
    return slice_is(method, "GET") || slice_is(method, "HEAD");
}

/* What stands before a provider says so as well. */
static bool is_down(const struct client_answer *a)
{
    return a->error != NULL || a->status == 0 || (a->status >= 502 && a->status <= 504);
}

static void on_done(struct transfer *t, const struct client_answer *a, void *ctx)
{
    struct mirror_call *c = ctx;
    const char *name = c->route.account->name;

    if (is_down(a) && c->instead.len != 0)
        mirror_reply_json(c, buf_text(&c->instead), c->instead.len);
    else if (a->error == NULL && a->status != 0)
        hand_back(c, t, a->status);
    else if (c->no_room && is_safe(server_request_head(c->req)->method))
        mirror_fail(c, 503, "ViduhookBusy",
                    "answers in flight fill gateway.body_budget; try again");
    else if (!a->sent)
        mirror_fail(c, 503, "ViduhookUnreachable", "%s cannot be reached, nothing was sent: %s",
                    name, str_or(a->error, "no connection"));
    else
        mirror_fail(c, 502, "ViduhookNoAnswer", "no usable answer from %s: %s", name,
                    str_or(a->error, "it says nothing"));
}

static const struct transfer_ops transfer_ops = {.on_data = on_data, .on_done = on_done};

void mirror_pass(struct mirror_call *c)
{
    const struct head *head = server_request_head(c->req);
    struct slice body = server_request_body(c->req);
    autofree char *method = mem_strndup(head->method.p, head->method.n);
    autofree char *url =
        mem_printf("%s%.*s", c->route.account->base_url, (int)c->route.target.n, c->route.target.p);
    char *lines[HEAD_MAX_LINES + 2] = {NULL};
    struct client_request request = {
        .method = method,
        .url = url,
        .headers = (const char *const *)lines,
        .body = head->body != HEAD_BODY_NONE ? body.p : NULL,
        .body_len = body.n,
        .max_body = MIRROR_MAX_BODY,
        .timeout_ms = MIRROR_PASS_TIMEOUT_MS,
    };
    struct err err = {""};
    struct transfer *t;

    collect_lines(c, lines);
    t = client_start(c->g->client, &request, &transfer_ops, c, &err);
    free_lines(lines);
    if (t == NULL)
        mirror_fail(c, 400, "ViduhookBadRequest", "the request cannot be handed on: %s", err.text);
}
