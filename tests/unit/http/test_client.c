/* SPDX-License-Identifier: MIT */
#include "http/client.h"

#include "base/clock.h"
#include "tests/unit/http/file_server.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <cmocka.h>

static struct file_server plain, tls;

/* Takes the place of the library's: who curl believes to be connected with. */
static bool false_peer;

int getpeername(int fd, struct sockaddr *sa, socklen_t *len)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(443)};

    if (!false_peer)
        return (int)syscall(SYS_getpeername, fd, sa, len);
    in.sin_addr.s_addr = htonl(0x0a000001);
    memcpy(sa, &in, sizeof(in));
    *len = sizeof(in);
    return 0;
}

/* As above: every clock of the process is so far ahead. */
static time_t ahead_s;

int clock_gettime(clockid_t id, struct timespec *out)
{
    int rc = (int)syscall(SYS_clock_gettime, id, out);

    out->tv_sec += ahead_s;
    return rc;
}

static int connects;

int connect(int fd, const struct sockaddr *sa, socklen_t len)
{
    connects++;
    return (int)syscall(SYS_connect, fd, sa, len);
}

/* As above: curl takes no more transfers. */
static bool add_fails;

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    static CURLMcode (*real)(CURLM *, CURL *);

    if (real == NULL)
        real = (CURLMcode(*)(CURLM *, CURL *))dlsym(RTLD_NEXT, "curl_multi_add_handle");
    return add_fails ? CURLM_OUT_OF_MEMORY : real(multi, easy);
}

struct seen {
    struct event_base *base;
    int dones, heads, datas;
    int status, head_status;
    bool sent, refused, has_error;
    char error[512], body[4096], peer[64], header[128];
    int64_t retry_after_ms;
    bool stop_at_head, stop_at_data, cancel_at_data;
    struct client *client; /* on_done starts another one with it */
    const char *next_url;
};

static const struct transfer_ops ops, streaming_ops;

static bool on_head(struct transfer *t, int status, void *ctx)
{
    struct seen *s = ctx;

    s->heads++;
    s->head_status = status;
    snprintf(s->header, sizeof(s->header), "%s", str_or(transfer_header(t, "eTAG"), "none"));
    return !s->stop_at_head;
}

static bool on_data(struct transfer *t, const void *p, size_t n, void *ctx)
{
    struct seen *s = ctx;

    (void)p;
    (void)n;
    s->datas++;
    if (s->cancel_at_data) {
        client_cancel(t);
        event_base_loopbreak(s->base);
    }
    return !s->stop_at_data;
}

static void on_done(struct transfer *t, const struct client_answer *a, void *ctx)
{
    struct seen *s = ctx;
    struct client_request req = {.url = s->next_url, .max_body = 4000, .timeout_ms = 5000};

    s->dones++;
    s->status = a->status;
    s->sent = a->sent;
    s->refused = a->refused;
    s->has_error = a->error != NULL;
    s->retry_after_ms = a->retry_after_ms;
    snprintf(s->error, sizeof(s->error), "%s", str_or(a->error, ""));
    snprintf(s->body, sizeof(s->body), "%.*s", (int)a->body.n, a->body.p);
    snprintf(s->peer, sizeof(s->peer), "%s", a->peer);
    snprintf(s->header, sizeof(s->header), "%s", str_or(transfer_header(t, "eTAG"), "none"));
    if (s->next_url != NULL) {
        s->next_url = NULL;
        assert_non_null(client_start(s->client, &req, &ops, s, NULL));
        return;
    }
    event_base_loopbreak(s->base);
}

static const struct transfer_ops ops = {.on_done = on_done};
static const struct transfer_ops streaming_ops = {
    .on_head = on_head, .on_data = on_data, .on_done = on_done};

static struct client_policy open_policy(void)
{
    return (struct client_policy){.allow_http = true, .max_transfers = 4, .redirects = 3};
}

/* Strangers' URLs, with this test's server as the one exception. */
static struct client_policy strict_policy(void)
{
    struct client_policy p = open_policy();
    autofree char *rule = mem_printf("127.0.0.1:%d", plain.port);

    p.public_only = true;
    p.ports[p.n_ports++] = 443;
    assert_int_equal(address_rule_parse(rule, &p.rules[p.n_rules++], NULL), 0);
    return p;
}

static const char *url_of(const char *path)
{
    static char url[2048];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", plain.port, path);
    return url;
}

static void run(const struct client_policy *p, const struct client_request *req,
                const struct transfer_ops *use, struct seen *s)
{
    struct event_base *base = event_base_new();
    struct err err;
    struct client *c = client_new(base, p, &err);
    struct timeval limit = {.tv_sec = 20};

    assert_non_null(c);
    s->base = base;
    s->client = c;
    if (client_start(c, req, use, s, &err) == NULL)
        fail_msg("%s", err.text);
    assert_int_equal(s->dones, 0);
    event_base_loopexit(base, &limit);
    event_base_dispatch(base);
    client_free(c);
    event_base_free(base);
}

static struct client_request get(const char *url)
{
    return (struct client_request){.url = url, .max_body = 1 << 20, .timeout_ms = 10000};
}

static struct seen fetch(const struct client_policy *p, const char *url)
{
    struct client_request req = get(url);
    struct seen s = {0};

    run(p, &req, &ops, &s);
    assert_int_equal(s.dones, 1);
    return s;
}

static size_t times_asked(const char *path)
{
    struct client_policy p = open_policy();
    autofree char *log = mem_printf("/_log%s", path);
    struct seen s = fetch(&p, url_of(log));
    size_t n = 0;

    for (const char *at = s.body; (at = strstr(at, "\"method\"")) != NULL; at++)
        n++;
    return n;
}

static void an_answer_is_collected(void **state)
{
    struct client_policy p = open_policy();
    struct seen s = fetch(&p, url_of("/kind/gif"));

    (void)state;
    assert_int_equal(s.status, 200);
    assert_false(s.has_error);
    assert_true(s.sent);
    assert_false(s.refused);
    assert_memory_equal(s.body, "GIF89a", 6);
    assert_string_equal(s.peer, "127.0.0.1");
    assert_int_equal(s.retry_after_ms, -1);
}

static void the_request_is_what_was_asked(void **state)
{
    static const char *const headers[] = {"Authorization: Token abc",
                                          "Content-Type: application/json", NULL};
    struct client_policy p = open_policy();
    struct client_request req = get(url_of("/echo/a/../b?x=%2F&y=1"));
    struct seen s = {0};

    (void)state;
    req.method = "PUT";
    req.headers = headers;
    req.body = "{\"a\":1}";
    req.body_len = 7;
    run(&p, &req, &ops, &s);
    assert_non_null(strstr(s.body, "PUT /echo/a/../b?x=%2F&y=1 HTTP/1.1\n"));
    assert_non_null(strstr(s.body, "Authorization: Token abc\n"));
    assert_non_null(strstr(s.body, "Content-Type: application/json\n"));
    assert_non_null(strstr(s.body, "Content-Length: 7\n"));
    assert_non_null(strstr(s.body, "\n{\"a\":1}"));
    assert_null(strstr(s.body, "Accept-Encoding"));
    assert_null(strstr(s.body, "Expect"));
    assert_null(strstr(s.body, "Cookie"));
}

static void a_large_body_is_sent_without_asking_first(void **state)
{
    struct client_policy p = open_policy();
    struct client_request req = get(url_of("/echo/large"));
    autofree char *body = mem_calloc(2 << 20, 1);
    struct seen s = {0};

    (void)state;
    req.method = "POST";
    req.body = body;
    req.body_len = 2 << 20;
    req.max_body = 3 << 20;
    run(&p, &req, &ops, &s);
    assert_int_equal(s.status, 200);
    assert_null(strstr(s.body, "Expect"));
    assert_null(strstr(s.body, "urlencoded"));
}

static void a_file_is_sent_by_position_and_must_be_whole(void **state)
{
    struct client_policy p = open_policy();
    struct client_request req = get(url_of("/echo/file"));
    char path[] = "/tmp/viduhook-client-XXXXXX";
    int fd = mkstemp(path);
    struct client_file file = {.fd = fd, .size = 5};
    struct seen s = {0};

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "hello", 5), 5); /* and the position is at the end */
    unlink(path);
    req.method = "PUT";
    req.file = &file;
    run(&p, &req, &ops, &s);
    assert_int_equal(s.status, 200);
    assert_non_null(strstr(s.body, "PUT /echo/file HTTP/1.1\n"));
    assert_non_null(strstr(s.body, "Content-Length: 5\n"));
    assert_non_null(strstr(s.body, "\nhello"));
    assert_null(strstr(s.body, "Expect"));
    memset(&s, 0, sizeof(s));
    file.head = SLICE_LIT("<<");
    file.tail = SLICE_LIT(">>>");
    run(&p, &req, &ops, &s);
    assert_non_null(strstr(s.body, "Content-Length: 10\n"));
    assert_non_null(strstr(s.body, "\n<<hello>>>"));
    memset(&s, 0, sizeof(s));
    file.size = 6;
    req.timeout_ms = 5000;
    run(&p, &req, &ops, &s);
    assert_int_equal(s.status, 0);
    assert_string_equal(s.error, "the file that is sent: shorter than it was");
    assert_false(s.sent); /* a create that was never whole has created nothing */
    close(fd);
}

static void the_environment_redirects_nobody(void **state)
{
    struct client_policy p = open_policy();
    struct seen s;

    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    s = fetch(&p, url_of("/kind/gif"));
    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    assert_int_equal(s.status, 200);
}

static void packed_bodies_stay_packed(void **state)
{
    struct client_policy p = open_policy();
    struct seen s = fetch(&p, url_of("/gzip"));

    (void)state;
    assert_string_equal(s.body, "\x1f\x8b not decoded");
}

static void strangers_urls_lead_only_where_rules_allow(void **state)
{
    static const char *const refused[] = {
        "https://127.0.0.1:PORT/kind/gif/ssrf",
        "https://localhost:443/",
        "https://[::ffff:127.0.0.1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://[fd00::1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "http://169.254.169.254/",
        "http://localhost/",
        "http://[::ffff:7f00:1]:1/",
    };
    struct client_policy p = strict_policy();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        struct seen s;

        if (strstr(refused[i], "PORT") != NULL)
            continue;
        s = fetch(&p, refused[i]);
        if (!s.refused || s.status != 0 || s.sent || strstr(s.error, "refused") == NULL)
            fail_msg("%s: %s", refused[i], s.error);
    }
    assert_int_equal(fetch(&p, url_of("/kind/gif")).status, 200);
}

static void redirects_pass_the_same_gate(void **state)
{
    static const char *const to[] = {
        "http://169.254.169.254/latest/",
        "http://[::ffff:127.0.0.1]:1/",
        "http://2130706433:1/",
        "http://127.1:1/",
        "http://0x7f000001:1/",
        "https://localhost/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:1/",
        "ftp://127.0.0.1/",
        "http://user:secret@127.0.0.1:1/",
    };
    struct client_policy p = strict_policy();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(to); i++) {
        autofree char *path = mem_printf("/redirect?to=%s", to[i]);
        struct seen s = fetch(&p, url_of(path));

        if (!s.refused || strstr(s.error, "secret") != NULL || strstr(s.error, "passwd") != NULL)
            fail_msg("%s: %s", to[i], s.error);
    }
}

static void a_redirect_brings_no_user_name(void **state)
{
    struct client_policy p = strict_policy();
    autofree char *path =
        mem_printf("/redirect?to=http://user:secret@127.0.0.1:%d/kind/gif", plain.port);
    struct seen s = fetch(&p, url_of(path));

    (void)state;
    assert_true(s.refused);
    assert_null(strstr(s.error, "secret"));
}

/* What is at the other end is looked at again once it is there. */
static void a_peer_that_is_not_who_was_called_gets_no_byte(void **state)
{
    struct client_policy p = strict_policy();
    struct seen s;

    (void)state;
    false_peer = true;
    s = fetch(&p, url_of("/kind/gif/peer"));
    false_peer = false;
    assert_true(s.refused);
    assert_false(s.sent);
    assert_true(str_starts(s.error, "address 10.0.0.1 refused: private network (10.0.0.0/8)"));
    assert_int_equal(times_asked("/kind/gif/peer"), 0);
}

static void an_allowed_redirect_is_followed_but_not_for_ever(void **state)
{
    struct client_policy p = strict_policy();
    autofree char *path =
        mem_printf("/redirect?to=http%%3A%%2F%%2F127.0.0.1%%3A%d%%2Fkind%%2Fpng", plain.port);
    struct seen s = fetch(&p, url_of(path));

    (void)state;
    assert_int_equal(s.status, 200);
    s = fetch(&p, url_of("/loop"));
    assert_true(s.refused);
    p.redirects = 0;
    s = fetch(&p, url_of(path));
    assert_int_equal(s.status, 302);
    assert_false(s.has_error);
}

/* Plain http to a public address: refused before a byte leaves, also without a network. */
static void plain_http_leads_only_to_named_addresses(void **state)
{
    struct client_policy p = strict_policy();
    struct seen s;

    (void)state;
    p.n_ports = 0;
    s = fetch(&p, "http://8.8.8.8/");
    assert_true(s.refused);
    assert_string_equal(s.error, "address 8.8.8.8 refused: plain http");
    s = fetch(&p, url_of("/redirect?to=http://8.8.8.8/"));
    assert_true(s.refused);
    assert_non_null(strstr(s.error, "plain http"));
    p.ports[p.n_ports++] = 443;
    s = fetch(&p, "https://8.8.8.8:22/");
    assert_true(s.refused);
    assert_string_equal(s.error, "address 8.8.8.8 refused: port not allowed");
}

static void bad_urls_do_not_start(void **state)
{
    static const char *const bad[] = {
        "",
        "example.org/x",
        "ftp://example.org/",
        "file:///etc/passwd",
        "http://",
        "https://exa mple.org/",
        "https://example.org/\r\nX: y",
        "https://user:pw@example.org/",
        "https://example.org:99999/",
        "javascript:alert(1)",
    };
    struct client_policy p = strict_policy();
    struct event_base *base = event_base_new();
    struct client *c = client_new(base, &p, NULL);
    struct seen s = {.base = base};
    autofree char *long_url = mem_calloc(10000, 1);
    struct err err;

    (void)state;
    memset(long_url, 'a', 9999);
    memcpy(long_url, "https://example.org/?", 21);
    for (size_t i = 0; i <= ARRAY_LEN(bad); i++) {
        struct client_request req = get(i < ARRAY_LEN(bad) ? bad[i] : long_url);

        if (client_start(c, &req, &ops, &s, &err) != NULL)
            fail_msg("started: %s", req.url);
        assert_non_null(strstr(err.text, "URL"));
    }
    event_base_loop(base, EVLOOP_NONBLOCK);
    assert_int_equal(s.dones, 0);
    client_free(c);
    event_base_free(base);
}

static void https_only_means_https_only(void **state)
{
    struct client_policy p = open_policy();
    struct event_base *base = event_base_new();
    struct client *c;
    struct client_request req = get(url_of("/kind/gif"));
    struct seen s = {.base = base};

    (void)state;
    p.allow_http = false;
    c = client_new(base, &p, NULL);
    assert_null(client_start(c, &req, &ops, &s, NULL));
    client_free(c);
    event_base_free(base);
}

static void header_lines_cannot_smuggle(void **state)
{
    static const char *const headers[] = {"X: a\r\nY: b", NULL};
    struct client_policy p = open_policy();
    struct event_base *base = event_base_new();
    struct client *c = client_new(base, &p, NULL);
    struct client_request req = get(url_of("/echo"));
    struct seen s = {.base = base};
    struct err err;

    (void)state;
    req.headers = headers;
    assert_null(client_start(c, &req, &ops, &s, &err));
    assert_null(strstr(err.text, "Y: b"));
    client_free(c);
    event_base_free(base);
}

static void a_certificate_has_to_be_trusted(void **state)
{
    struct client_policy p = open_policy();
    autofree char *url = mem_printf("https://127.0.0.1:%d/kind/gif", tls.port);
    autofree char *other = mem_printf("https://localhost:%d/kind/gif", tls.port);
    struct seen s = fetch(&p, url);

    (void)state;
    assert_true(s.has_error);
    assert_false(s.sent);
    assert_int_equal(s.status, 0);
    p.ca_file = tls.certificate;
    assert_int_equal(fetch(&p, url).status, 200);
    assert_true(fetch(&p, other).has_error); /* trusted, but for another name */
}

static void endless_answers_end(void **state)
{
    struct client_policy p = open_policy();
    struct seen s = fetch(&p, url_of("/endless"));

    (void)state;
    assert_true(s.refused);
    assert_string_equal(s.error, "the answer is over 1048576 bytes");
}

static void declared_sizes_over_the_limit_end_at_once(void **state)
{
    struct client_policy p = open_policy();
    struct seen s = fetch(&p, url_of("/huge"));

    (void)state;
    assert_true(s.refused);
    assert_int_equal(s.status, 200);
    assert_string_equal(s.body, "");
}

static void heads_without_end_end(void **state)
{
    struct client_policy p = open_policy();
    struct seen s = fetch(&p, url_of("/bighead"));

    (void)state;
    assert_true(s.refused);
    assert_non_null(strstr(s.error, "head of the answer"));
}

static void cut_answers_are_errors(void **state)
{
    struct client_policy p = open_policy();
    struct seen s = fetch(&p, url_of("/halves/client"));

    (void)state;
    assert_int_equal(s.status, 200);
    assert_true(s.has_error);
    assert_false(s.refused);
    s = fetch(&p, url_of("/chunkcut/client"));
    assert_true(s.has_error);
    s = fetch(&p, url_of("/reset/client"));
    assert_true(s.has_error);
}

static void rubbish_is_an_error_but_no_refusal(void **state)
{
    struct client_policy p = open_policy();
    struct seen s = fetch(&p, url_of("/rubbish"));

    (void)state;
    assert_true(s.has_error);
    assert_false(s.refused);
    assert_int_equal(s.status, 0);
}

static void silence_times_out(void **state)
{
    struct client_policy p = open_policy();
    struct client_request req = get(url_of("/silent?secret=query"));
    struct seen s = {0};
    int64_t before = clock_mono_ms();

    (void)state;
    req.timeout_ms = 300;
    run(&p, &req, &ops, &s);
    assert_true(s.has_error);
    assert_true(s.sent);
    assert_false(s.refused);
    assert_int_equal(s.status, 0);
    assert_null(strstr(s.error, "secret"));
    assert_true(clock_mono_ms() - before < 3000);
}

static void dribbling_ends(void **state)
{
    struct client_policy p = open_policy();
    struct client_request req = get(url_of("/slow"));
    struct seen s = {0};

    (void)state;
    req.low_speed_ms = 1000;
    run(&p, &req, &ops, &s);
    assert_true(s.has_error);
    assert_non_null(strstr(s.error, "too slow"));
}

static void nobody_there_means_not_sent(void **state)
{
    struct client_policy p = open_policy();
    struct seen s = fetch(&p, "http://127.0.0.1:1/x?secret=query");

    (void)state;
    assert_true(s.has_error);
    assert_false(s.sent);
    assert_false(s.refused);
    assert_null(strstr(s.error, "secret"));
    assert_string_equal(s.peer, "");
}

static void no_answer_after_sending_is_told(void **state)
{
    struct client_policy p = open_policy();
    struct seen s = fetch(&p, url_of("/close"));

    (void)state;
    assert_true(s.has_error);
    assert_true(s.sent);
    assert_int_equal(s.status, 0);
}

/* curl would send it again by itself when a kept connection dies; a create may cost money. */
static void a_post_is_never_sent_twice(void **state)
{
    struct client_policy p = open_policy();
    struct client_request req = get(url_of("/dies/post"));
    struct seen s = {0};
    autofree char *again = mem_strdup(url_of("/dies/post"));

    (void)state;
    p.max_transfers = 1;
    req.method = "POST";
    req.body = "x";
    req.body_len = 1;
    run(&p, &req, &ops, &s);
    assert_int_equal(s.status, 200);
    assert_int_equal(times_asked("/dies/post"), 1);
    memset(&s, 0, sizeof(s));
    req.url = again;
    s.next_url = again; /* a GET that may use the kept connection, and be repeated */
    run(&p, &req, &ops, &s);
    assert_int_equal(s.dones, 2);
    assert_int_equal(s.status, 200);
}

static void on_rested(evutil_socket_t fd, short what, void *ctx)
{
    (void)fd;
    (void)what;
    event_base_loopbreak(ctx);
}

/* A GET, then a POST while its connection is kept, which has rested so long. */
static struct seen post_after_get(const char *url, bool may_reuse, time_t rest_s)
{
    struct timeval rest = {.tv_sec = rest_s, .tv_usec = 100000};
    struct client_policy p = open_policy();
    struct event_base *base = event_base_new();
    struct client *c = client_new(base, &p, NULL);
    struct client_request req = get(url);
    struct seen s = {.base = base};

    assert_non_null(client_start(c, &req, &ops, &s, NULL));
    event_base_dispatch(base);
    assert_int_equal(s.status, 200);
    if (rest_s > 0) {
        event_base_once(base, -1, EV_TIMEOUT, on_rested, base, &rest);
        event_base_dispatch(base);
    }
    req.method = "POST";
    req.body = "x";
    req.body_len = 1;
    req.may_reuse = may_reuse;
    assert_non_null(client_start(c, &req, &ops, &s, NULL));
    event_base_dispatch(base);
    assert_int_equal(s.dones, 2);
    client_free(c);
    event_base_free(base);
    return s;
}

static void a_kept_connection_carries_no_post(void **state)
{
    (void)state;
    assert_int_equal(post_after_get(url_of("/dies/kept"), false, 0).status, 200);
    assert_int_equal(times_asked("/dies/kept"), 2);
}

static void a_post_that_may_reuse_a_connection_is_sent_once_all_the_same(void **state)
{
    struct seen s = post_after_get(url_of("/dies/busy"), true, 0);

    (void)state;
    assert_int_equal(s.status, 0);
    assert_true(s.has_error && s.sent);
    assert_non_null(strstr(s.error, "not sent again"));
    assert_int_equal(times_asked("/dies/busy"), 2);
}

/* libcurl counts whole seconds by its own clock. */
static void a_connection_that_rests_carries_no_post(void **state)
{
    (void)state;
    assert_int_equal(post_after_get(url_of("/dies/rested"), true, 2).status, 200);
    assert_int_equal(times_asked("/dies/rested"), 2);
}

static void a_connection_is_kept_for_two_minutes_of_rest_and_ten_of_life(void **state)
{
    static const struct {
        time_t at_s;
        int connects;
    } rows[] = {{0, 1},   {100, 1}, {200, 1}, {300, 1}, {400, 1},
                {500, 1}, {590, 1}, {690, 2}, {800, 2}, {930, 3}};
    struct client_policy p = open_policy();
    struct event_base *base = event_base_new();
    struct client *c = client_new(base, &p, NULL);
    struct client_request req = get(url_of("/kind/gif"));
    struct seen s = {.base = base};

    (void)state;
    connects = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        ahead_s = rows[i].at_s;
        assert_non_null(client_start(c, &req, &ops, &s, NULL));
        event_base_dispatch(base);
        assert_int_equal(s.status, 200);
        assert_int_equal(connects, rows[i].connects);
    }
    ahead_s = 0;
    client_free(c);
    event_base_free(base);
}

static void retry_after_is_read_and_clamped(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"5", 5000},
        {"0", 0},
        {"7200", 7200000},
        {"86400", 86400000},
        {"86401", 86400000},
        {"99999999999999999999", 86400000},
        {"Tue,%2006%20May%202025%2012:09:42%20GMT", 0},
        {"Tue,%2006%20May%202025%2012:10:42%20GMT", 42000},
        {"Wed,%2007%20May%202025%2012:09:42%20GMT", 86382000},
        {"Wed,%2007%20May%202025%2012:10:42%20GMT", 86400000},
        {"-5", -1},
        {"soon", -1},
        {"5.5", -1},
    };
    struct client_policy p = open_policy();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autofree char *path = mem_printf("/status/503?after=%s", rows[i].text);
        struct seen s;

        clock_freeze(1000, 1746533400000); /* 2025-05-06 12:10:00 */
        s = fetch(&p, url_of(path));
        clock_freeze(-1, -1);
        assert_int_equal(s.status, 503);
        assert_false(s.has_error);
        assert_int_equal(s.retry_after_ms, rows[i].ms);
    }
}

static void the_head_comes_before_the_body(void **state)
{
    struct client_policy p = open_policy();
    struct client_request req = get(url_of("/good/head"));
    struct seen s = {.stop_at_head = true};

    (void)state;
    run(&p, &req, &streaming_ops, &s);
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.datas, 0);
    assert_int_equal(s.head_status, 200);
    assert_string_equal(s.header, "\"one\"");
    assert_true(s.has_error);
    assert_false(s.refused);
    memset(&s, 0, sizeof(s));
    run(&p, &req, &streaming_ops, &s);
    assert_int_equal(s.heads, 1);
    assert_true(s.datas > 0);
    assert_false(s.has_error);
    assert_string_equal(s.body, "");
}

static void an_empty_answer_has_a_head_too(void **state)
{
    struct client_policy p = open_policy();
    struct client_request req = get(url_of("/empty"));
    struct seen s = {0};

    (void)state;
    run(&p, &req, &streaming_ops, &s);
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.datas, 0);
    assert_int_equal(s.dones, 1);
}

static void the_head_of_a_redirect_is_not_told(void **state)
{
    struct client_policy p = open_policy();
    autofree char *path = mem_printf("/redirect?to=/good/redirected");
    struct client_request req = get(url_of(path));
    struct seen s = {0};

    (void)state;
    run(&p, &req, &streaming_ops, &s);
    assert_int_equal(s.heads, 1);
    assert_int_equal(s.head_status, 200);
}

static void cancelled_means_silent(void **state)
{
    struct client_policy p = open_policy();
    struct client_request req = get(url_of("/good/cancel"));
    struct seen s = {.cancel_at_data = true};
    struct event_base *base = event_base_new();
    struct client *c = client_new(base, &p, NULL);
    struct transfer *t = client_start(c, &req, &streaming_ops, &s, NULL);

    (void)state;
    client_cancel(t);
    event_base_loop(base, EVLOOP_NONBLOCK);
    client_free(c);
    event_base_free(base);
    assert_int_equal(s.heads + s.datas + s.dones, 0);
    run(&p, &req, &streaming_ops, &s);
    assert_int_equal(s.datas, 1);
    assert_int_equal(s.dones, 0);
}

/* Started while curl is busy, so that its refusal comes later. */
static struct seen later;

static bool start_another(struct transfer *t, const void *p, size_t n, void *ctx)
{
    struct seen *s = ctx;
    struct client_request req = get(s->next_url);

    (void)t;
    (void)p;
    (void)n;
    if (s->datas++ > 0)
        return true;
    add_fails = true;
    later = (struct seen){.base = s->base, .client = s->client};
    assert_non_null(client_start(s->client, &req, &ops, &later, NULL));
    assert_int_equal(later.dones, 0);
    s->next_url = NULL;
    return true;
}

static void one_that_cannot_begin_later_is_told_of(void **state)
{
    static const struct transfer_ops starting = {.on_data = start_another, .on_done = on_done};
    struct client_policy p = open_policy();
    struct client_request req = get(url_of("/good/first"));
    autofree char *next = mem_strdup(url_of("/good/second"));
    struct seen s = {.next_url = next};

    (void)state;
    run(&p, &req, &starting, &s);
    add_fails = false;
    assert_int_equal(later.dones, 1);
    assert_string_equal(later.error, "curl: Out of memory");
    assert_false(later.sent);
}

static void freeing_the_client_is_silent(void **state)
{
    struct client_policy p = open_policy();
    struct client_request req = get(url_of("/stall"));
    struct seen s = {0};
    struct event_base *base = event_base_new();
    struct client *c = client_new(base, &p, NULL);
    struct timeval soon = {.tv_usec = 100000};

    (void)state;
    s.base = base;
    for (int i = 0; i < 8; i++)
        assert_non_null(client_start(c, &req, &streaming_ops, &s, NULL));
    event_base_loopexit(base, &soon);
    event_base_dispatch(base);
    client_free(c);
    client_free(NULL);
    client_cancel(NULL);
    event_base_loop(base, EVLOOP_NONBLOCK);
    event_base_free(base);
    assert_int_equal(s.dones, 0);
}

static int inherited(void)
{
    int n = 0;

    for (int fd = 3; fd < 256; fd++) {
        int flags = fcntl(fd, F_GETFD);
        struct sockaddr_storage ss;
        socklen_t len = sizeof(ss);

        if (flags >= 0 && (flags & FD_CLOEXEC) == 0 &&
            getpeername(fd, (struct sockaddr *)&ss, &len) == 0 && ss.ss_family != AF_UNIX)
            n++;
    }
    return n;
}

static bool head_checks_descriptors(struct transfer *t, int status, void *ctx)
{
    (void)t;
    (void)status;
    ((struct seen *)ctx)->heads = inherited();
    return true;
}

static void sockets_are_close_on_exec(void **state)
{
    static const struct transfer_ops checking = {.on_head = head_checks_descriptors,
                                                 .on_done = on_done};
    struct client_policy p = open_policy();
    struct client_request req = get(url_of("/good/cloexec"));
    struct seen s = {0};
    int before = inherited();

    (void)state;
    run(&p, &req, &checking, &s);
    assert_int_equal(s.heads, before);
}

static int start(void **state)
{
    (void)state;
    return file_server_start(&plain, NULL) < 0 || file_server_start(&tls, "--tls") < 0;
}

static int stop(void **state)
{
    (void)state;
    file_server_stop(&plain);
    file_server_stop(&tls);
    return 0;
}

static int count_before(void **state)
{
    *state = (void *)(intptr_t)open_descriptors();
    return 0;
}

static int count_after(void **state)
{
    return open_descriptors() == (int)(intptr_t)*state ? 0 : -1;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, count_before, count_after)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_is_collected),
        TEST(the_request_is_what_was_asked),
        TEST(a_large_body_is_sent_without_asking_first),
        TEST(a_file_is_sent_by_position_and_must_be_whole),
        TEST(the_environment_redirects_nobody),
        TEST(packed_bodies_stay_packed),
        TEST(strangers_urls_lead_only_where_rules_allow),
        TEST(redirects_pass_the_same_gate),
        TEST(a_redirect_brings_no_user_name),
        TEST(a_peer_that_is_not_who_was_called_gets_no_byte),
        TEST(an_allowed_redirect_is_followed_but_not_for_ever),
        TEST(plain_http_leads_only_to_named_addresses),
        TEST(bad_urls_do_not_start),
        TEST(https_only_means_https_only),
        TEST(header_lines_cannot_smuggle),
        TEST(a_certificate_has_to_be_trusted),
        TEST(endless_answers_end),
        TEST(declared_sizes_over_the_limit_end_at_once),
        TEST(heads_without_end_end),
        TEST(cut_answers_are_errors),
        TEST(rubbish_is_an_error_but_no_refusal),
        TEST(silence_times_out),
        TEST(dribbling_ends),
        TEST(nobody_there_means_not_sent),
        TEST(no_answer_after_sending_is_told),
        TEST(a_post_is_never_sent_twice),
        TEST(a_post_that_may_reuse_a_connection_is_sent_once_all_the_same),
        TEST(a_kept_connection_carries_no_post),
        TEST(a_connection_that_rests_carries_no_post),
        TEST(a_connection_is_kept_for_two_minutes_of_rest_and_ten_of_life),
        TEST(retry_after_is_read_and_clamped),
        TEST(the_head_comes_before_the_body),
        TEST(an_empty_answer_has_a_head_too),
        TEST(the_head_of_a_redirect_is_not_told),
        TEST(cancelled_means_silent),
        TEST(one_that_cannot_begin_later_is_told_of),
        TEST(freeing_the_client_is_silent),
        TEST(sockets_are_close_on_exec),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
