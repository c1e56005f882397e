/*
 * Transfers: what may be reached, what comes back, and how it ends.
 *
 * SPDX-License-Identifier: MIT
 */
#include "http/client.h"

#include "base/clock.h"
#include "http/client_loop.h"
#include "http/client_options.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_HEAD_MAX     (64U << 10)
#define RETRY_AFTER_MAX_MS  86400000
#define RECEIVE_BUFFER_SIZE (64L << 10)
#define IDLE_HANDLES        64 /* kept for the next: a new one costs more than its reset */

struct transfer {
    LIST_ENTRY(transfer) link;
    struct client *client;
    const struct transfer_ops *ops;
    void *ctx;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body;
    uint64_t max_body;
    uint64_t received;
    const struct client_file *file; /* what is sent, or NULL */
    uint64_t file_at;
    size_t head_bytes;
    long opened_hop;  /* redirects followed when a socket was last opened, -1: none yet */
    long sent_hop;    /* redirects followed when the request last left, -1: not yet */
    bool in_loop;     /* curl knows it */
    bool dead;        /* cancelled while curl was busy */
    bool ended;       /* on_done is running */
    bool head_told;   /* on_head has been called */
    bool sent;        /* the request may have left */
    bool once;        /* not to be sent again */
    bool refused;     /* by the policy or one of our limits, reason says which */
    char reason[256]; /* why we ended it, "" when we did not */
    char detail[CURL_ERROR_SIZE];
};

struct client {
    struct event_base *base;
    struct client_policy policy;
    char *ca_file;
    struct client_loop *loop;
    LIST_HEAD(, transfer) transfers;
    CURL *idle[IDLE_HANDLES];
    size_t n_idle;
    bool has_rest; /* something was started or cancelled inside a callback of curl */
};

static void PRINTF_LIKE(2, 3) end_because(struct transfer *t, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(t->reason, sizeof(t->reason), fmt, ap);
    va_end(ap);
}

/* ---- what may be reached ---- */

static void address_text(const struct sockaddr *sa, char out[INET6_ADDRSTRLEN])
{
    const void *address = sa->sa_family == AF_INET
                              ? (const void *)&((const struct sockaddr_in *)sa)->sin_addr
                              : (const void *)&((const struct sockaddr_in6 *)sa)->sin6_addr;

    if (inet_ntop(sa->sa_family, address, out, INET6_ADDRSTRLEN) == NULL)
        out[0] = '\0';
}

/* The URL of this hop, not of the first one. */
static bool is_plain_http(CURL *easy)
{
    char *url = NULL;

    curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &url);
    return url == NULL || strncasecmp(url, "https:", 6) != 0;
}

static bool may_reach(struct transfer *t, const struct sockaddr *sa)
{
    const struct client_policy *p = &t->client->policy;
    char text[INET6_ADDRSTRLEN];
    const char *range;

    if (!p->public_only)
        return true;
    address_text(sa, text);
    if (!address_allowed(sa, p->ports, p->n_ports, p->rules, p->n_rules)) {
        range = address_denied(sa);
        end_because(t, "address %s refused: %s%s", text, str_or(range, "port not allowed"),
                    range != NULL ? "; fetch.allow may name it" : "");
        return false;
    }
    if (is_plain_http(t->easy) && !address_named(sa, p->rules, p->n_rules)) {
        end_because(t, "address %s refused: plain http", text);
        return false;
    }
    return true;
}

/*
 * One host may have several addresses: the transfer is refused when none of this hop's may be
 * reached, so a socket opened for the hop forgets an earlier refusal and prevents a later one.
 */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
    struct transfer *t = arg;
    long hop = 0;

    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_COUNT, &hop);
    if (purpose != CURLSOCKTYPE_IPCXN || !may_reach(t, &to->addr)) {
        t->refused = t->opened_hop != hop;
        if (!t->refused)
            t->reason[0] = '\0';
        return CURL_SOCKET_BAD;
    }
    t->opened_hop = hop;
    t->refused = false;
    t->reason[0] = '\0';
    return socket(to->family, to->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, to->protocol);
}

/* The last look before bytes leave; the only one for a connection that is used again. */
static int on_connected(void *arg, char *peer, char *local, int peer_port, int local_port)
{
    struct transfer *t = arg;
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)peer_port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)peer_port)};
    const struct sockaddr *sa = NULL;
    long hop = 0;

    (void)local;
    (void)local_port;
    if (inet_pton(AF_INET, peer, &in.sin_addr) == 1)
        sa = (struct sockaddr *)&in;
    else if (inet_pton(AF_INET6, peer, &in6.sin6_addr) == 1)
        sa = (struct sockaddr *)&in6;
    if (sa == NULL || !may_reach(t, sa)) {
        t->refused = true;
        if (sa == NULL)
            end_because(t, "refused: the peer has no address");
        return CURL_PREREQFUNC_ABORT;
    }
    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_COUNT, &hop);
    if (t->once && t->sent_hop == hop) {
        end_because(t, "the connection ended before an answer came; this is not sent again");
        return CURL_PREREQFUNC_ABORT;
    }
    t->sent_hop = hop;
    t->sent = true;
    return CURL_PREREQFUNC_OK;
}

/* ---- what is sent from a file ---- */

/* Of what is sent before or behind the file; at counts from its own beginning. */
static ssize_t copy_part(struct slice part, uint64_t at, char *out, size_t max)
{
    size_t n = part.n - (size_t)at < max ? part.n - (size_t)at : max;

    if (n != 0)
        memcpy(out, part.p + at, n);
    return (ssize_t)n;
}

static ssize_t read_part(const struct client_file *f, uint64_t at, char *out, size_t max)
{
    uint64_t end = f->head.n + f->size;

    if (at < f->head.n)
        return copy_part(f->head, at, out, max);
    if (at >= end)
        return copy_part(f->tail, at - end, out, max);
    return pread(f->fd, out, max < end - at ? max : (size_t)(end - at), (off_t)(at - f->head.n));
}

static size_t on_file_read(char *out, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    uint64_t left = client_file_length(t->file) - t->file_at;
    size_t n = size * count < left ? size * count : (size_t)left;
    ssize_t got = n == 0 ? 0 : read_part(t->file, t->file_at, out, n);

    if (got < 0 || (got == 0 && n != 0)) {
        end_because(t, "the file that is sent: %s",
                    got < 0 ? strerror(errno) : "shorter than it was");
        t->sent = false; /* it was never whole */
        return CURL_READFUNC_ABORT;
    }
    t->file_at += (uint64_t)got;
    return (size_t)got;
}

/* A kept connection turned out dead: from the beginning. */
static int on_file_seek(void *arg, curl_off_t offset, int origin)
{
    struct transfer *t = arg;

    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > client_file_length(t->file))
        return CURL_SEEKFUNC_FAIL;
    t->file_at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* ---- what comes back ---- */

/* Called late, with the first byte of the body or at the end: only then is it the last answer. */
static bool tell_head(struct transfer *t)
{
    long status = 0;

    if (t->head_told || t->ops->on_head == NULL)
        return true;
    t->head_told = true;
    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    if (t->ops->on_head(t, (int)status, t->ctx))
        return true;
    end_because(t, "given up after the head of the answer");
    return false;
}

static void refuse_head(struct transfer *t)
{
    t->refused = true;
    end_because(t, "the head of the answer is over %u bytes", ANSWER_HEAD_MAX);
}

static size_t on_header(char *p, size_t size, size_t n, void *arg)
{
    struct transfer *t = arg;

    (void)p;
    t->head_bytes += n * size;
    if (t->head_bytes <= ANSWER_HEAD_MAX)
        return n * size;
    refuse_head(t);
    return CURL_WRITEFUNC_ERROR;
}

static size_t on_body(char *p, size_t size, size_t count, void *arg)
{
    struct transfer *t = arg;
    size_t n = size * count;

    if (t->dead || !tell_head(t) || t->dead)
        return CURL_WRITEFUNC_ERROR;
    if (n > t->max_body - t->received) {
        t->refused = true;
        end_because(t, "the answer is over %llu bytes", (unsigned long long)t->max_body);
        return CURL_WRITEFUNC_ERROR;
    }
    t->received += n;
    if (t->ops->on_data == NULL) {
        buf_add(&t->body, p, n);
        return n;
    }
    if (t->ops->on_data(t, p, n, t->ctx))
        return n;
    end_because(t, "given up in the body of the answer");
    return CURL_WRITEFUNC_ERROR;
}

static bool apply_callbacks(struct transfer *t)
{
    CURL *e = t->easy;
    CURLcode bad = curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);

    bad |= curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, t);
    bad |= curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_connected);
    bad |= curl_easy_setopt(e, CURLOPT_PREREQDATA, t);
    bad |= curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    bad |= curl_easy_setopt(e, CURLOPT_HEADERDATA, t);
    bad |= curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    bad |= curl_easy_setopt(e, CURLOPT_WRITEDATA, t);
    bad |= curl_easy_setopt(e, CURLOPT_READFUNCTION, on_file_read);
    bad |= curl_easy_setopt(e, CURLOPT_READDATA, t);
    bad |= curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, on_file_seek);
    bad |= curl_easy_setopt(e, CURLOPT_SEEKDATA, t);
    bad |= curl_easy_setopt(e, CURLOPT_ERRORBUFFER, t->detail);
    bad |= curl_easy_setopt(e, CURLOPT_PRIVATE, t);
    return bad == CURLE_OK;
}

/* ---- handles ---- */

/* A transfer that was given up may have left its buffer behind, whose size is refused then. */
static bool is_usable(CURL *easy)
{
    return curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_SIZE) == CURLE_OK;
}

static CURL *take_handle(struct client *c)
{
    CURL *easy;

    while (c->n_idle != 0) {
        easy = c->idle[--c->n_idle];
        if (is_usable(easy))
            return easy;
        curl_easy_cleanup(easy);
    }
    easy = curl_easy_init();
    if (easy == NULL || !is_usable(easy))
        abort();
    return easy;
}

/* A reset handle knows nothing of its last request. */
static void give_back(struct client *c, CURL *easy)
{
    if (c->n_idle == IDLE_HANDLES) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    c->idle[c->n_idle++] = easy;
}

/* ---- the end ---- */

static void transfer_free(struct transfer *t)
{
    if (t == NULL)
        return;
    LIST_REMOVE(t, link);
    if (t->in_loop)
        client_loop_remove(t->client->loop, t->easy);
    give_back(t->client, t->easy);
    curl_slist_free_all(t->headers);
    buf_free(&t->body);
    free(t);
}

static int64_t retry_after_ms(const struct transfer *t)
{
    const char *text = transfer_header(t, "Retry-After");
    uint64_t seconds;
    int64_t at_ms, wait_ms;
    int rc;

    if (text == NULL)
        return -1;
    rc = str_to_u64(text, strlen(text), RETRY_AFTER_MAX_MS / 1000, &seconds);
    if (rc == 0)
        return (int64_t)seconds * 1000;
    if (rc == -ERANGE)
        return RETRY_AFTER_MAX_MS;
    if (clock_parse_http(text, strlen(text), &at_ms) < 0)
        return -1;
    wait_ms = at_ms - clock_wall_ms();
    if (wait_ms < 0)
        return 0;
    return wait_ms < RETRY_AFTER_MAX_MS ? wait_ms : RETRY_AFTER_MAX_MS;
}

/* curl speaks of an unsupported protocol for rubbish in place of an answer as well. */
static bool is_refusal(int code, long status)
{
    return (code == CURLE_UNSUPPORTED_PROTOCOL && status / 100 == 3) ||
           code == CURLE_FILESIZE_EXCEEDED || code == CURLE_TOO_MANY_REDIRECTS ||
           code == CURLE_URL_MALFORMAT || code == CURLE_LOGIN_DENIED;
}

static const char *error_text(struct transfer *t, int code)
{
    if (code == CURLE_OK)
        return NULL;
    if (t->reason[0] != '\0')
        return t->reason;
    if (t->detail[0] == '\0')
        snprintf(t->detail, sizeof(t->detail), "%s", curl_easy_strerror((CURLcode)code));
    t->detail[strcspn(t->detail, "?")] = '\0'; /* should curl ever quote a URL: not its query */
    return t->detail;
}

static void on_end(void *easy, int code, void *ctx)
{
    struct transfer *t = NULL;
    struct client_answer a = {0};
    char *peer = NULL;
    long status = 0;

    (void)ctx;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &t);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_PRIMARY_IP, &peer);
    t->ended = true;
    client_loop_remove(t->client->loop, easy);
    t->in_loop = false;
    if (code == CURLE_OK && !tell_head(t))
        code = CURLE_WRITE_ERROR;
    if (code == CURLE_OUT_OF_MEMORY && !t->head_told && t->reason[0] == '\0')
        refuse_head(t); /* what curl says of a line that is longer than it can hold */
    a.status = (int)status;
    a.body = (struct slice){buf_text(&t->body), t->body.len};
    a.error = error_text(t, code);
    a.sent = t->sent;
    a.refused = code != CURLE_OK && (t->refused || is_refusal(code, status));
    a.retry_after_ms = retry_after_ms(t);
    a.peer = str_or(peer, "");
    t->ops->on_done(t, &a, t->ctx);
    transfer_free(t);
}

/* Curl does not take what was begun while it was busy: whoever began it still waits for its end. */
static void end_unstarted(struct transfer *t, const struct err *err)
{
    struct client_answer a = {
        .body = {"", 0}, .error = err->text, .retry_after_ms = -1, .peer = ""};

    t->ended = true;
    t->ops->on_done(t, &a, t->ctx);
    transfer_free(t);
}

static struct transfer *find_rest(struct client *c)
{
    struct transfer *t;

    LIST_FOREACH(t, &c->transfers, link)
    if (t->dead || (!t->in_loop && !t->ended))
        return t;
    return NULL;
}

/*
 * What was started or cancelled inside a callback of curl is done now. The search begins anew each
 * time: the end of one may cancel another.
 */
static void on_rest(void *ctx)
{
    struct client *c = ctx;
    struct transfer *t;
    struct err err;

    if (!c->has_rest)
        return;
    c->has_rest = false;
    while ((t = find_rest(c)) != NULL) {
        if (t->dead)
            transfer_free(t);
        else if (client_loop_add(c->loop, t->easy, &err) < 0)
            end_unstarted(t, &err);
        else
            t->in_loop = true;
    }
}

static const struct client_loop_ops loop_ops = {.on_end = on_end, .on_rest = on_rest};

struct client *client_new(struct event_base *base, const struct client_policy *policy,
                          struct err *err)
{
    struct client *c;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        err_set(err, -EIO, "curl cannot start");
        return NULL;
    }
    c = mem_calloc(1, sizeof(*c));
    c->base = base;
    c->policy = *policy;
    c->ca_file = mem_strdup(policy->ca_file);
    c->policy.ca_file = c->ca_file;
    c->loop = client_loop_new(base, policy->max_transfers, &loop_ops, c);
    return c;
}

void client_free(struct client *c)
{
    if (c == NULL)
        return;
    while (!LIST_EMPTY(&c->transfers))
        transfer_free(LIST_FIRST(&c->transfers));
    while (c->n_idle != 0)
        curl_easy_cleanup(c->idle[--c->n_idle]);
    client_loop_free(c->loop);
    free(c->ca_file);
    free(c);
    curl_global_cleanup();
}

struct event_base *client_base(const struct client *c)
{
    return c->base;
}

struct transfer *client_start(struct client *c, const struct client_request *req,
                              const struct transfer_ops *ops, void *ctx, struct err *err)
{
    struct transfer *t;

    t = mem_calloc(1, sizeof(*t));
    t->client = c;
    t->ops = ops;
    t->ctx = ctx;
    t->max_body = req->max_body;
    t->file = req->file;
    t->body = BUF_INIT(req->max_body);
    t->opened_hop = t->sent_hop = -1;
    t->once = client_options_is_once(req);
    t->easy = take_handle(c);
    LIST_INSERT_HEAD(&c->transfers, t, link);
    if (client_options_apply(t->easy, &c->policy, req, &t->headers, err) < 0 ||
        !apply_callbacks(t)) {
        transfer_free(t);
        return NULL;
    }
    if (client_loop_busy(c->loop)) {
        c->has_rest = true;
        return t;
    }
    if (client_loop_add(c->loop, t->easy, err) < 0) {
        transfer_free(t);
        return NULL;
    }
    t->in_loop = true;
    return t;
}

void client_cancel(struct transfer *t)
{
    if (t == NULL || t->ended)
        return;
    if (client_loop_busy(t->client->loop))
        t->dead = t->client->has_rest = true;
    else
        transfer_free(t);
}

const char *transfer_header(const struct transfer *t, const char *name)
{
    struct curl_header *h = NULL;

    if (curl_easy_header(t->easy, name, 0, CURLH_HEADER, -1, &h) != CURLHE_OK)
        return NULL;
    return h->value;
}

void transfer_headers(const struct transfer *t,
                      void (*fn)(const char *name, const char *value, void *ctx), void *ctx)
{
    struct curl_header *h = NULL;

    while ((h = curl_easy_nextheader(t->easy, CURLH_HEADER, -1, h)) != NULL)
        fn(h->name, h->value, ctx);
}

struct buf transfer_take_body(struct transfer *t)
{
    struct buf body = t->body;

    t->body = BUF_INIT(body.max);
    return body;
}
