/* SPDX-License-Identifier: MIT */
#include "sim/sim_sign.h"

#include "base/buf.h"
#include "base/encode.h"
#include "vidu/crypto.h"

#include <stdio.h>
#include <string.h>

#define MAX_TEXT ((size_t)64 * 1024)

/* Path and query of a URL as written; the fragment belongs to neither. */
static void split_url(const char *url, struct slice *path, struct slice *query)
{
    const char *authority = strstr(url, "://");
    const char *p = authority != NULL ? authority + 3 : url;

    p += strcspn(p, "/?#");
    *path = (struct slice){p, strcspn(p, "?#")};
    p += path->n;
    *query = *p == '?' ? (struct slice){p + 1, strcspn(p + 1, "#")} : (struct slice){"", 0};
    if (path->n == 0)
        *path = SLICE_LIT("/");
}

static void add_line(struct buf *b, struct slice s)
{
    buf_add(b, s.p, s.n);
    buf_addc(b, '\n');
}

void sim_sign(const char *key, const char *url, const char *date,
              const struct sim_signed_field *fields, char out[SIM_SIGNATURE_LEN + 1])
{
    autobuf struct buf text = BUF_INIT(MAX_TEXT);
    struct slice path;
    struct slice query;
    uint8_t mac[SHA256_LEN];

    split_url(url, &path, &query);
    buf_adds(&text, "POST\n");
    add_line(&text, path);
    add_line(&text, query);
    buf_adds(&text, "vidu\n");
    add_line(&text, slice_str(date));
    for (; fields->name != NULL; fields++) {
        buf_addf(&text, "%s:", fields->name);
        add_line(&text, slice_str(fields->value));
    }
    crypto_hmac_sha256(key, strlen(key), text.data, text.len, mac);
    encode_base64(mac, sizeof(mac), out);
}

void sim_sign_nonce(char out[SIM_NONCE_LEN + 1])
{
    uint8_t u[16];

    crypto_random(u, sizeof(u));
    u[6] = (uint8_t)((u[6] & 0x0f) | 0x40);
    u[8] = (uint8_t)((u[8] & 0x3f) | 0x80);
    snprintf(out, SIM_NONCE_LEN + 1,
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0], u[1],
             u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12], u[13], u[14],
             u[15]);
}
