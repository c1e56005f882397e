/*
 * A request as lines: signed list, path, query, signature, then headers. It is judged as it came,
 * and once more with the signature it ought to have: only policy may refuse it then, and a
 * request with another query must not pass with it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "vidu/sign.h"

#include <string.h>

#define LIST_NAME      "X-Hmac-Signed-Headers"
#define SIGNATURE_NAME "X-Hmac-Signature"
#define SECRET         "your_secret_token"

static struct sign_result verify(const struct sign_request *req, const struct slice *secrets,
                                 size_t n)
{
    struct crypto_place *h = crypto_place_new();
    struct sign_result r = sign_verify(req, secrets, n, h);

    crypto_place_free(h);
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice next(struct slice *rest, char end)
{
    const char *at = rest->n != 0 ? memchr(rest->p, end, rest->n) : NULL;
    struct slice line = {rest->p, at != NULL ? (size_t)(at - rest->p) : rest->n};
    size_t skip = line.n + (at != NULL);

    *rest = (struct slice){rest->p + skip, rest->n - skip};
    return line;
}

static size_t read_headers(struct slice rest, struct sign_header *headers, size_t n)
{
    while (rest.n != 0 && n < SIGN_MAX_HEADERS) {
        struct slice line = next(&rest, '\n');

        headers[n].name = next(&line, ':');
        headers[n++].value = line;
    }
    return n;
}

static struct slice date_of(const struct sign_request *req)
{
    for (size_t i = 0; i < req->n_headers; i++)
        if (slice_is_nocase(req->headers[i].name, "date"))
            return req->headers[i].value;
    return SLICE_LIT("");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct slice secret = SLICE_LIT(SECRET);
    struct sign_header headers[SIGN_MAX_HEADERS];
    struct sign_request req = {.method = SLICE_LIT("POST"), .headers = headers};
    struct buf text = BUF_INIT(1U << 20);
    char signature[SIGN_TEXT_LEN + 1];
    enum sign_verdict as_sent, resigned;

    headers[0] = (struct sign_header){SLICE_LIT(LIST_NAME), next(&rest, '\n')};
    req.path = next(&rest, '\n');
    req.query = next(&rest, '\n');
    headers[1] = (struct sign_header){SLICE_LIT(SIGNATURE_NAME), next(&rest, '\n')};
    req.n_headers = read_headers(rest, headers, 2);
    as_sent = verify(&req, &secret, 1).verdict;

    sign_string(&req, date_of(&req), headers[0].value, &text);
    sign_compute(secret, buf_text(&text), text.len, signature);
    headers[1].value = slice_str(signature);
    resigned = verify(&req, &secret, 1).verdict;
    if (resigned == SIGN_WRONG || (as_sent == SIGN_OK && resigned != SIGN_OK))
        abort();
    req.query = SLICE_LIT("changed=1&never=in-the-corpus");
    if (verify(&req, &secret, 1).verdict == SIGN_OK)
        abort();
    buf_free(&text);
    return 0;
}
