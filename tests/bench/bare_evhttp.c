/*
 * The floor to measure against: evhttp that answers 200 with an empty body and does nothing else.
 *
 *   bare_evhttp PORT [CERT.pem KEY.pem]
 *
 * SPDX-License-Identifier: MIT
 */
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/http.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void on_request(struct evhttp_request *req, void *ctx)
{
    (void)ctx;
    evhttp_send_reply(req, 200, "OK", NULL);
}

static struct bufferevent *on_accept(struct event_base *base, void *ctx)
{
    return bufferevent_openssl_socket_new(base, -1, SSL_new(ctx), BUFFEREVENT_SSL_ACCEPTING,
                                          BEV_OPT_CLOSE_ON_FREE);
}

/* As the daemon and nginx are set in the same run: TLS 1.3 only, no tickets. */
static SSL_CTX *make_tls(const char *cert, const char *key)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        exit(1);
    return ctx;
}

int main(int argc, char **argv)
{
    struct event_base *base = event_base_new();
    struct evhttp *http = evhttp_new(base);

    if (argc != 2 && argc != 4) {
        fprintf(stderr, "usage: bare_evhttp PORT [CERT KEY]\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN); /* a client that closes while it is answered must not end it */
    evhttp_set_gencb(http, on_request, NULL);
    evhttp_set_max_body_size(http, 8 << 20);
    if (argc == 4)
        evhttp_set_bevcb(http, on_accept, make_tls(argv[2], argv[3]));
    if (evhttp_bind_socket(http, "127.0.0.1", (ev_uint16_t)strtoul(argv[1], NULL, 10)) != 0)
        return 1;
    event_base_dispatch(base);
    return 0;
}
