/* SPDX-License-Identifier: MIT */
#include "vidu/sign.h"

#include "base/clock.h"
#include "base/encode.h"

#include <string.h>
#include <strings.h>

#define ACCESS_KEY "vidu"
#define MAX_STRING (1U << 20)
#define NONCE_MAX  128
#define DATE_NAME  "Date"
#define NONCE_NAME "x-request-nonce"

enum part {
    PART_DATE,
    PART_NONCE,
    PART_ALGORITHM,
    PART_ACCESS_KEY,
    PART_NAMES,
    PART_SIGNATURE,
    PART_COUNT
};

static const struct {
    const char *name, *missing, *doubled;
} parts[PART_COUNT] = {
    [PART_DATE] = {DATE_NAME, "Date missing", "Date twice"},
    [PART_NONCE] = {NONCE_NAME, "x-request-nonce missing", "x-request-nonce twice"},
    [PART_ALGORITHM] = {"x-hmac-algorithm", "X-HMAC-ALGORITHM missing", "X-HMAC-ALGORITHM twice"},
    [PART_ACCESS_KEY] = {"x-hmac-access-key", "X-HMAC-ACCESS-KEY missing",
                         "X-HMAC-ACCESS-KEY twice"},
    [PART_NAMES] = {"x-hmac-signed-headers", "X-HMAC-SIGNED-HEADERS missing",
                    "X-HMAC-SIGNED-HEADERS twice"},
    [PART_SIGNATURE] = {"x-hmac-signature", "X-HMAC-SIGNATURE missing", "X-HMAC-SIGNATURE twice"},
};

/* What a request says about its signature, taken from the headers. */
struct claim {
    struct slice part[PART_COUNT];
    int64_t date_ms;
    uint8_t mac[SHA256_LEN];
};

static bool same_name(struct slice a, struct slice b)
{
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

/* The first header of this name; *count is how many there are. */
static struct slice header_value(const struct sign_request *req, struct slice name, size_t *count)
{
    struct slice value = SLICE_LIT("");

    *count = 0;
    for (size_t i = 0; i < req->n_headers; i++)
        if (same_name(req->headers[i].name, name) && (*count)++ == 0)
            value = req->headers[i].value;
    return value;
}

/* The parts of a;b;c one after the other; an empty list has one empty part. */
static bool next_name(struct slice *rest, struct slice *name)
{
    const char *end;

    if (rest->p == NULL)
        return false;
    end = memchr(rest->p, ';', rest->n);
    *name = (struct slice){rest->p, end != NULL ? (size_t)(end - rest->p) : rest->n};
    *rest = end != NULL ? (struct slice){end + 1, rest->n - name->n - 1} : (struct slice){0};
    return true;
}

static bool has_control(struct slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return true;
    return false;
}

/* A line end inside a value would let one request pass for another. */
static bool has_line_end(struct slice s)
{
    return memchr(s.p, '\0', s.n) != NULL || memchr(s.p, '\r', s.n) != NULL ||
           memchr(s.p, '\n', s.n) != NULL;
}

/* The checks below return what is wrong, NULL when nothing is. */

static const char *read_parts(const struct sign_request *req, struct claim *claim, bool *absent)
{
    const char *wrong = NULL;

    *absent = true;
    for (size_t i = 0; i < PART_COUNT; i++) {
        size_t count;

        claim->part[i] = header_value(req, slice_str(parts[i].name), &count);
        if (count != 0 && i != PART_DATE)
            *absent = false;
        if (count != 1 && wrong == NULL)
            wrong = count == 0 ? parts[i].missing : parts[i].doubled;
    }
    return wrong;
}

static const char *check_fixed(const struct claim *claim)
{
    if (!slice_is_nocase(claim->part[PART_ALGORITHM], "hmac-sha256"))
        return "another algorithm than hmac-sha256";
    if (!slice_is(claim->part[PART_ACCESS_KEY], ACCESS_KEY))
        return "another access key than vidu";
    return NULL;
}

static const char *check_fresh_parts(struct claim *claim)
{
    struct slice date = claim->part[PART_DATE];
    struct slice nonce = claim->part[PART_NONCE];

    if (clock_parse_http(date.p, date.n, &claim->date_ms) < 0)
        return "Date is not an IMF-fixdate";
    if (nonce.n == 0 || nonce.n > NONCE_MAX || has_control(nonce))
        return "x-request-nonce has no usable value";
    return NULL;
}

static const char *check_name(const struct sign_request *req, struct slice name)
{
    size_t count;
    struct slice value = header_value(req, name, &count);

    if (name.n == 0 || has_control(name))
        return "signed list has an empty or unprintable name";
    if (count != 1)
        return count == 0 ? "a signed header is missing" : "a signed header is there twice";
    return has_line_end(value) ? "a signed header holds a line end" : NULL;
}

static const char *check_names(const struct sign_request *req, const struct claim *claim)
{
    struct slice rest = claim->part[PART_NAMES];
    struct slice name;
    size_t n = 0;
    bool date = false;
    bool nonce = false;

    if (rest.n > 0 && rest.p[rest.n - 1] == ';')
        rest.n--;
    while (next_name(&rest, &name)) {
        const char *wrong = check_name(req, name);

        if (wrong != NULL)
            return wrong;
        if (++n > SIGN_MAX_NAMES)
            return "more than 16 signed headers";
        date = date || slice_is_nocase(name, DATE_NAME);
        nonce = nonce || slice_is_nocase(name, NONCE_NAME);
    }
    if (!date)
        return "Date not signed";
    return nonce ? NULL : "x-request-nonce not signed";
}

static const char *check_mac(struct claim *claim)
{
    struct slice text = claim->part[PART_SIGNATURE];
    size_t n = 0;

    if (decode_base64(text.p, text.n, claim->mac, SHA256_LEN, &n) < 0 || n != SHA256_LEN)
        return "X-HMAC-SIGNATURE is not the base64 of 32 bytes";
    return NULL;
}

static const char *check_form(const struct sign_request *req, struct claim *claim)
{
    const char *wrong = NULL;

    if (has_control(req->method) || has_control(req->path) || has_control(req->query))
        wrong = "control character in the request line";
    if (wrong == NULL)
        wrong = check_fixed(claim);
    if (wrong == NULL)
        wrong = check_fresh_parts(claim);
    if (wrong == NULL)
        wrong = check_names(req, claim);
    if (wrong == NULL)
        wrong = check_mac(claim);
    return wrong;
}

/* Index of the first secret that gives the MAC, n when none does; an empty secret never does. */
static size_t matching_secret(const struct buf *text, const uint8_t mac[SHA256_LEN],
                              const struct slice *secrets, size_t n, struct crypto_place *place)
{
    size_t found = n;

    for (size_t i = 0; i < n; i++) {
        uint8_t own[SHA256_LEN];
        bool equal;

        crypto_place_hmac(place, secrets[i].p, secrets[i].n, text->data, text->len, own);
        equal = crypto_equal(own, mac, SHA256_LEN);
        if (equal && secrets[i].n != 0 && found == n)
            found = i;
    }
    return found;
}

static void add_line(struct buf *out, struct slice s)
{
    buf_add(out, s.p, s.n);
    buf_addc(out, '\n');
}

static struct sign_result refuse(enum sign_verdict verdict, const char *reason)
{
    return (struct sign_result){.verdict = verdict, .reason = reason};
}

struct sign_result sign_verify(const struct sign_request *req, const struct slice *secrets,
                               size_t n_secrets, struct crypto_place *place)
{
    struct claim claim = {0};
    autobuf struct buf text = BUF_INIT(MAX_STRING);
    bool absent;
    const char *wrong;
    size_t found;

    if (req->n_headers > SIGN_MAX_HEADERS)
        return refuse(SIGN_MALFORMED, "more than 64 headers");
    wrong = read_parts(req, &claim, &absent);
    if (absent)
        return refuse(SIGN_ABSENT, "not signed");
    if (wrong == NULL)
        wrong = check_form(req, &claim);
    if (wrong != NULL)
        return refuse(SIGN_MALFORMED, wrong);
    sign_string(req, claim.part[PART_DATE], claim.part[PART_NAMES], &text);
    if (!buf_ok(&text))
        return refuse(SIGN_MALFORMED, "string to sign over 1 MiB");
    found = matching_secret(&text, claim.mac, secrets, n_secrets, place);
    if (found == n_secrets)
        return (struct sign_result){
            SIGN_WRONG, "no key gives this signature", 0, claim.date_ms, {NULL, 0}};
    return (struct sign_result){SIGN_OK, "signature matches", found, claim.date_ms,
                                claim.part[PART_NONCE]};
}

const char *sign_verdict_name(enum sign_verdict v)
{
    static const char *const names[] = {
        [SIGN_OK] = "ok",
        [SIGN_ABSENT] = "absent",
        [SIGN_MALFORMED] = "malformed",
        [SIGN_WRONG] = "wrong",
    };

    return (size_t)v < ARRAY_LEN(names) ? names[v] : "unknown";
}

void sign_string(const struct sign_request *req, struct slice date, struct slice names,
                 struct buf *out)
{
    struct slice name;

    add_line(out, req->method);
    add_line(out, req->path.n != 0 ? req->path : SLICE_LIT("/"));
    add_line(out, req->query);
    add_line(out, SLICE_LIT(ACCESS_KEY));
    add_line(out, date);
    while (next_name(&names, &name)) {
        size_t count;

        if (name.n == 0)
            continue;
        buf_add(out, name.p, name.n);
        buf_addc(out, ':');
        add_line(out, header_value(req, name, &count));
    }
}

void sign_compute(struct slice secret, const char *text, size_t n, char out[SIGN_TEXT_LEN + 1])
{
    uint8_t mac[SHA256_LEN];

    crypto_hmac_sha256(secret.p, secret.n, text, n, mac);
    encode_base64(mac, sizeof(mac), out);
}
