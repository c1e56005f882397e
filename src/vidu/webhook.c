/* SPDX-License-Identifier: MIT */
#include "vidu/webhook.h"

#include "base/encode.h"
#include "vidu/crypto.h"

#include <errno.h>
#include <string.h>

#define PREFIX "whsec_"

static int decode(const char *secret, uint8_t key[WEBHOOK_SECRET_MAX], size_t *len, struct err *err)
{
    const char *text = str_starts(secret, PREFIX) ? secret + strlen(PREFIX) : secret;
    int rc = decode_base64(text, strlen(text), key, WEBHOOK_SECRET_MAX, len);

    if (rc < 0 || *len < WEBHOOK_SECRET_MIN)
        return err_set(err, -EINVAL,
                       "the secret must be base64 of %d to %d bytes, perhaps behind " PREFIX
                       "; make one with: openssl rand -base64 32",
                       WEBHOOK_SECRET_MIN, WEBHOOK_SECRET_MAX);
    return 0;
}

int webhook_secret_check(const char *secret, struct err *err)
{
    uint8_t key[WEBHOOK_SECRET_MAX];
    size_t len;
    int rc = decode(secret, key, &len, err);

    explicit_bzero(key, sizeof(key));
    return rc;
}

int webhook_sign(const char *secret, const char *id, int64_t time_s, struct slice body,
                 struct buf *out, struct err *err)
{
    uint8_t key[WEBHOOK_SECRET_MAX], mac[SHA256_LEN];
    autobuf struct buf text = BUF_INIT(body.n + 512);
    char mac_text[BASE64_LEN(SHA256_LEN) + 1];
    size_t len;
    int rc = decode(secret, key, &len, err);

    buf_addf(&text, "%s.%lld.", id, (long long)time_s);
    buf_add(&text, body.p, body.n);
    if (rc == 0 && !buf_ok(&text))
        rc = err_set(err, -EINVAL, "the id is too long to be signed");
    if (rc < 0)
        return rc;
    crypto_hmac_sha256(key, len, buf_text(&text), text.len, mac);
    explicit_bzero(key, sizeof(key));
    encode_base64(mac, sizeof(mac), mac_text);
    buf_addf(out, "%sv1,%s", out->len != 0 ? " " : "", mac_text);
    return 0;
}
