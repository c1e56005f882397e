/* SPDX-License-Identifier: MIT */
#include "vidu/sigv4.h"

#include "base/encode.h"
#include "vidu/crypto.h"

#include <string.h>

#define DATE_LEN 8
#define TEXT_MAX (64U << 10)

/* "host;x-amz-date" of the header lines. */
static void add_names(const char *headers, struct buf *out)
{
    for (const char *line = headers; *line != '\0'; line = strchr(line, '\n') + 1) {
        if (line != headers)
            buf_addc(out, ';');
        buf_add(out, line, strcspn(line, ":"));
    }
}

static void hex_of(const struct buf *text, char out[SHA256_HEX_LEN + 1])
{
    uint8_t digest[SHA256_LEN];

    crypto_sha256(buf_text(text), text->len, digest);
    encode_hex(digest, sizeof(digest), out);
}

static void mac(uint8_t key[SHA256_LEN], const char *text, size_t n)
{
    crypto_hmac_sha256(key, SHA256_LEN, text, n, key);
}

/* Each step's result is the key of the next one. */
static void derive_key(const struct sigv4_request *r, uint8_t key[SHA256_LEN])
{
    autofree char *first = mem_printf("AWS4%s", r->secret_key);

    crypto_hmac_sha256(first, strlen(first), r->time, DATE_LEN, key);
    mac(key, r->region, strlen(r->region));
    mac(key, "s3", 2);
    mac(key, "aws4_request", strlen("aws4_request"));
    explicit_bzero(first, strlen(first));
}

void sigv4_authorization(const struct sigv4_request *r, struct buf *out)
{
    autobuf struct buf names = BUF_INIT(TEXT_MAX);
    autobuf struct buf text = BUF_INIT(TEXT_MAX);
    autofree char *scope = mem_printf("%.*s/%s/s3/aws4_request", DATE_LEN, r->time, r->region);
    char digest[SHA256_HEX_LEN + 1], signature[SHA256_HEX_LEN + 1];
    uint8_t key[SHA256_LEN];

    add_names(r->headers, &names);
    buf_addf(&text, "%s\n%s\n\n%s\n%s\n%s", r->method, r->path, r->headers, buf_text(&names),
             r->payload);
    hex_of(&text, digest);
    buf_reset(&text);
    buf_addf(&text, "AWS4-HMAC-SHA256\n%s\n%s\n%s", r->time, scope, digest);
    derive_key(r, key);
    mac(key, buf_text(&text), text.len);
    encode_hex(key, sizeof(key), signature);
    explicit_bzero(key, sizeof(key));
    buf_addf(out, "AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,Signature=%s", r->access_key,
             scope, buf_text(&names), signature);
}
