/*
 * TLS for listeners (hardening.md section 2): TLS 1.2 with ECDHE and AEAD, or 1.3; no tickets, no
 * session cache, no renegotiation, no compression, no early data; ALPN http/1.1.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct ssl_ctx_st; /* SSL_CTX */

/*
 * A context from a PEM chain and key, or NULL with the reason: not PEM, key does not belong to
 * the certificate, expired or not yet valid, key too weak. A complete handshake in memory has
 * succeeded against what this returns. The key's text is not kept.
 */
struct ssl_ctx_st *tls_server_new(const char *chain_pem, const char *key_pem, bool min_13,
                                  struct err *err);
void tls_server_free(struct ssl_ctx_st *ctx);
/* Whether tls_server_new would make one: 0, -EKEYEXPIRED (only the dates are wrong), -EINVAL. */
MUST_CHECK int tls_server_check(const char *chain_pem, const char *key_pem, bool min_13,
                                struct err *err);

/* When the first certificate of the chain ends, wall clock in ms. */
MUST_CHECK int tls_not_after(const char *chain_pem, int64_t *wall_ms, struct err *err);

/*
 * A new ECDSA P-256 key and a certificate it signed itself for these names and addresses
 * (comma-separated, e.g. "localhost,127.0.0.1,::1"), valid for days. Both owned by the caller.
 */
MUST_CHECK int tls_self_signed(const char *names, int days, char **chain_pem, char **key_pem,
                               struct err *err);

#endif
