/* The vectors of vidu-api.md 12.4 and the rules of 12.5. SPDX-License-Identifier: MIT */
#include "vidu/sign.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define SECRET_1   "your_secret_token"
#define SECRET_2   "vda_0000000000000000_EXAMPLEexampleEXAMPLEexample1"
#define K20        "kkkkkkkkkkkkkkkkkkkk"
#define SECRET_3   K20 K20 K20 K20
#define DATE       "Tue, 06 May 2025 12:09:42 GMT"
#define NONCE      "123e4567-e89b-12d3-a456-426614174000"
#define LAST_DAY   "Wed, 31 Dec 2025 23:59:59 GMT"
#define LAST_NONCE "00000000-0000-4000-8000-000000000000"

static const struct vector {
    const char *id, *secret, *path, *query, *names, *signature;
    const char *date; /* NULL: DATE and NONCE */
    enum sign_verdict verdict;
} vectors[] = {
    {"V01", SECRET_1, "/vidu/callback", "name=james&age=36", "Date;x-request-nonce",
     "PrO4+kG4W+b3HOSimdHMHn8pnQ6YXQTseBDC/8yvvNA=", NULL, SIGN_OK},
    {"V02", SECRET_1, "/vidu/callback", "", "Date;x-request-nonce",
     "gEBIvkJCV/xfho8jV9zQGe8t/K8ewRatRNaIiHzsOo0=", NULL, SIGN_OK},
    {"V03", SECRET_1, "/", "", "Date;x-request-nonce",
     "jEcWM2v0K1wNyFI6/qKzNyjUN7lBHWiq7L0oaEK366o=", NULL, SIGN_OK},
    {"V04", SECRET_1, "/", "x=1", "Date;x-request-nonce",
     "8uSnZBRQyAwlfSvfUh2bDRq8kv2MCDSn38njM3uDKMo=", NULL, SIGN_OK},
    {"V05", SECRET_1, "/", "name=james&age=36", "Date;x-request-nonce",
     "OiKIEfRYScepmLfPTmVY5VKTX4HVnmkIhaqi0IK+6Ig=", NULL, SIGN_OK},
    {"V06", SECRET_1, "/vidu/callback", "name=james&age=36", "x-request-nonce;Date",
     "Z8ZlyWXqAHMN5QPzIRmGtI1OGmVLmWRo8uYRMTH8AZo=", NULL, SIGN_OK},
    {"V07", SECRET_1, "/vidu/callback", "name=james&age=36", "Date",
     "Ru1jOm9QfNn2tZmN67pK4frD7Tg7baq4me1kntmiuVA=", NULL, SIGN_MALFORMED},
    {"V08", SECRET_1, "/vidu/callback", "name=james&age=36", "x-request-nonce",
     "PIAjKIbHPAZLEQjPjuQDFwfFpwvl6XJSj+Xwjper0TY=", NULL, SIGN_MALFORMED},
    {"V09", SECRET_1, "/vidu/callback", "name=james&age=36", "Date;x-request-nonce;Content-Type",
     "nmvbT+qNtW3eh8i9y6DnLbE9jgh0rlJ3h6SMxY8vvQs=", NULL, SIGN_OK},
    {"V10", SECRET_1, "/vidu/callback", "name=james&age=36", "date;x-request-nonce",
     "SDejJur6ERD1Wvs3uysB+od+xBtObYN4owdH5yN7l3A=", NULL, SIGN_OK},
    {"V11", SECRET_1, "/vidu/callback", "name=james&age=36", "Date;X-Request-Nonce",
     "GWmB/wWj92KovphTfnFey+BjGFJqjWoaQQHffDCYTyM=", NULL, SIGN_OK},
    {"V12", SECRET_1, "/vidu/callback", "name=james&age=36", "Date;x-request-nonce;X-Extra",
     "sKOZOhsxIbeIF4ZpvRM3MhvhKIL37FDsjp3r0a8NNoE=", NULL, SIGN_MALFORMED},
    {"V13", SECRET_1, "/vidu/callback", "name=james&age=36", "",
     "HkCw2OsmajPnwFij79wRkyYwYuLp6sQ2AYBctqMH/b4=", NULL, SIGN_MALFORMED},
    {"V14", SECRET_1, "/vidu/callback", "b=2&a=1&a=0&flag&e=", "Date;x-request-nonce",
     "31agFx9cEwBEzc1iBdNSLE1nRn5MhgpPhkz8+a7Lsxs=", NULL, SIGN_OK},
    {"V15", SECRET_1, "/vidu/callback", "t=a%2Fb+c&u=%E4%BD%A0&amp=%26", "Date;x-request-nonce",
     "7szlKit9yZLvVnlIdidlpXTQXb9u/ourtuZYn4ktC2o=", NULL, SIGN_OK},
    {"V16a", SECRET_1, "/vidu/my hook", "", "Date;x-request-nonce",
     "W5aNtOnVw1HZNhN+1pj20A2avV6/MCyCxtFlII2JkwE=", NULL, SIGN_OK},
    {"V16b", SECRET_1, "/vidu/my%20hook", "", "Date;x-request-nonce",
     "cSAWqxKuDGZIlk3mAT9pOg0VvQa/NW1x6NdAVZxlFtU=", NULL, SIGN_OK},
    {"V17a", SECRET_1, "/vidu/cb;p=1", "", "Date;x-request-nonce",
     "oMs8nqRZTPJfwEH86qyOEGzzLD12CMJ37NJcGYpIBOw=", NULL, SIGN_OK},
    {"V17b", SECRET_1, "/vidu/cb", "", "Date;x-request-nonce",
     "KsPVjoEQuZ0DxsOUduHeGZDRr0uUeZSrLoGieaHlVIQ=", NULL, SIGN_OK},
    {"V18", SECRET_1, "//vidu//cb/", "", "Date;x-request-nonce",
     "ULazqcTE/GMsgjndG4nZhUAWdZ0u+zLLEgup92ntlt8=", NULL, SIGN_OK},
    {"V19", SECRET_2, "/cb/9f2c7e1ab04d4c7d8e55f00dcafe0001", "", "Date;x-request-nonce",
     "GJDbuacdGnVenQGYXmofvj4R4SdOffY+b60bqieTFr0=", NULL, SIGN_OK},
    {"V20", SECRET_2, "/cb", "t=9f2c7e1ab04d4c7d8e55f00dcafe0001&v=1", "Date;x-request-nonce",
     "KWMqRmpAGNPXhPE/sdgGVlJRU1batj6wxNDMhHFU4NU=", NULL, SIGN_OK},
    {"V21", SECRET_3, "/vidu/callback", "name=james&age=36", "Date;x-request-nonce",
     "Q41WwklneUI/r7Y35v6rvZ5+cXOhNc8wnk/VAnbsLa8=", NULL, SIGN_OK},
    {"V22", SECRET_2, "/vidu/callback", "", "Date;x-request-nonce",
     "xzIizXW4r60jo7RQ4o+v3eytRSlSjRNBrpj+Gx73sXk=", LAST_DAY, SIGN_OK},
};

static const struct {
    const char *id, *signature;
} mistakes[] = {
    {"N01", "+4LQYm4u5rY1NP/jqym1JekTcfL2wTEPkQkc6wn7V2M="},
    {"N02", "A4rSfV6vm9/7f6D+lILQyQ2PQE3SlmcFkMUUs6LcYNg="},
    {"N03", "A1LixN9wtt/NJNPb50ZPGXiQagINCdmPzyvlmvWpSYs="},
    {"N04", "vygZCptBi4uzg1+FkIL7+Huq/AYWUvQnG8g2DToSdoo="},
    {"N05", "3KpeurUSVdnKKmrX+T6GvNSWCifcB4u1w0E3NuQjThA="},
    {"N06", "1T4ehXWKxXnqCrZ4W8HtcIWbnQ+CO5o0kg1gyrMD1BI="},
    {"N07", "f42uBY6REBmwDUWmfjASRCq82UyKF3Tz9aohfCtL9Qc="},
    {"N08", "0PIehO51QSFfYIS5z1WtWSd0GiWbpk5j01DRErlegss="},
    {"N09", "VOuiLdcLBDgU8o4koiXJpEB69QlBK4s9+9FpTWjEUbA="},
    {"N10", "mBPxVB3yAvS/YxO+H8doP+Pj/JEwplhj7bY/1eoXW1w="},
    {"N11", "bkVPD47Al2JENXLGJLiFeHQRVAwuh0ooCZu31cBY+w4="},
    {"N12", "11sJTUsks1zy1pyaNN2LKlAgr7Nw638/3oDUBxydbn4="},
    {"N13", "3eb3b8fa41b85be6f71ce4a299d1cc1e7f299d0e985d04ec7810c2ffccafbcd0"},
    {"N14", "PrO4-kG4W-b3HOSimdHMHn8pnQ6YXQTseBDC_8yvvNA"},
};

enum { H_DATE, H_NONCE, H_ALGORITHM, H_ACCESS_KEY, H_NAMES, H_SIGNATURE, H_TYPE, H_SPARE, H_MAX };

struct fixture {
    struct sign_header headers[H_MAX];
    struct sign_request req;
};

static void put(struct fixture *f, size_t i, const char *name, const char *value)
{
    f->headers[i] = (struct sign_header){slice_str(name), slice_str(value)};
}

static void fixture_fill(struct fixture *f, const struct vector *v)
{
    memset(f, 0, sizeof(*f));
    put(f, H_DATE, "Date", v->date != NULL ? v->date : DATE);
    put(f, H_NONCE, "X-Request-Nonce", v->date != NULL ? LAST_NONCE : NONCE);
    put(f, H_ALGORITHM, "X-Hmac-Algorithm", "hmac-sha256");
    put(f, H_ACCESS_KEY, "X-Hmac-Access-Key", "vidu");
    put(f, H_NAMES, "X-Hmac-Signed-Headers", v->names);
    put(f, H_SIGNATURE, "X-Hmac-Signature", v->signature);
    put(f, H_TYPE, "Content-Type", "application/json");
    put(f, H_SPARE, "User-Agent", "Go-http-client/1.1");
    f->req = (struct sign_request){
        .method = SLICE_LIT("POST"),
        .path = slice_str(v->path),
        .query = slice_str(v->query),
        .headers = f->headers,
        .n_headers = H_MAX,
    };
}

static struct sign_result verify(const struct sign_request *req, const struct slice *secrets,
                                 size_t n)
{
    struct crypto_place *h = crypto_place_new();
    struct sign_result r = sign_verify(req, secrets, n, h);

    crypto_place_free(h);
    return r;
}

static struct sign_result verify_with(const struct sign_request *req, const char *secret)
{
    struct slice s = slice_str(secret);

    return verify(req, &s, 1);
}

/* V01 with one header changed, signed again with what the list says. */
static struct sign_result verify_resigned(struct fixture *f)
{
    struct buf text = BUF_INIT(1U << 20);
    char signature[SIGN_TEXT_LEN + 1];
    struct sign_result r;

    sign_string(&f->req, f->headers[H_DATE].value, f->headers[H_NAMES].value, &text);
    sign_compute(slice_str(SECRET_1), text.data, text.len, signature);
    f->headers[H_SIGNATURE].value = slice_str(signature);
    r = verify_with(&f->req, SECRET_1);
    buf_free(&text);
    return r;
}

static void expect(struct sign_result r, enum sign_verdict verdict, const char *reason)
{
    assert_string_equal(sign_verdict_name(r.verdict), sign_verdict_name(verdict));
    assert_string_equal(r.reason, reason);
}

static void every_vector_has_its_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct fixture f;
        struct buf text = BUF_INIT(4096);
        char signature[SIGN_TEXT_LEN + 1];

        fixture_fill(&f, &vectors[i]);
        sign_string(&f.req, f.headers[H_DATE].value, f.headers[H_NAMES].value, &text);
        sign_compute(slice_str(vectors[i].secret), text.data, text.len, signature);
        if (strcmp(signature, vectors[i].signature) != 0)
            fail_msg("%s: %s", vectors[i].id, signature);
        buf_free(&text);
    }
}

static void every_vector_is_judged_by_policy(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct fixture f;
        struct sign_result r;

        fixture_fill(&f, &vectors[i]);
        r = verify_with(&f.req, vectors[i].secret);
        if (r.verdict != vectors[i].verdict)
            fail_msg("%s: %s (%s)", vectors[i].id, sign_verdict_name(r.verdict), r.reason);
        if (r.verdict == SIGN_OK)
            assert_int_equal(r.date_ms, vectors[i].date != NULL ? 1767225599000 : 1746533382000);
    }
}

static void mistakes_of_others_are_not_accepted(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        struct slice secrets[] = {SLICE_LIT(SECRET_1), SLICE_LIT(""), SLICE_LIT(SECRET_2)};
        struct fixture f;
        struct sign_result r;

        fixture_fill(&f, &vectors[0]);
        f.headers[H_SIGNATURE].value = slice_str(mistakes[i].signature);
        r = verify(&f.req, secrets, ARRAY_LEN(secrets));
        if (r.verdict != (strlen(mistakes[i].signature) == 44 ? SIGN_WRONG : SIGN_MALFORMED))
            fail_msg("%s: %s (%s)", mistakes[i].id, sign_verdict_name(r.verdict), r.reason);
    }
}

static void the_string_of_v01_has_161_bytes_and_ends_with_a_line_feed(void **state)
{
    struct fixture f;
    struct buf text = BUF_INIT(4096);

    (void)state;
    fixture_fill(&f, &vectors[0]);
    sign_string(&f.req, f.headers[H_DATE].value, f.headers[H_NAMES].value, &text);
    assert_int_equal(text.len, 161);
    assert_string_equal(text.data, "POST\n/vidu/callback\nname=james&age=36\nvidu\n" DATE
                                   "\nDate:" DATE "\nx-request-nonce:" NONCE "\n");
    buf_free(&text);
}

static void an_empty_path_is_the_root(void **state)
{
    struct fixture f;

    (void)state;
    fixture_fill(&f, &vectors[2]);
    assert_string_equal(vectors[2].path, "/");
    f.req.path = SLICE_LIT("");
    expect(verify_with(&f.req, SECRET_1), SIGN_OK, "signature matches");
}

static void each_header_is_needed_exactly_once(void **state)
{
    (void)state;
    for (size_t i = H_DATE; i <= H_SIGNATURE; i++) {
        struct fixture f;

        fixture_fill(&f, &vectors[0]);
        f.headers[i].name = SLICE_LIT("X-Other");
        assert_int_equal(verify_with(&f.req, SECRET_1).verdict, SIGN_MALFORMED);
        assert_non_null(strstr(verify_with(&f.req, SECRET_1).reason, "missing"));
        fixture_fill(&f, &vectors[0]);
        f.headers[H_SPARE] = f.headers[i];
        assert_int_equal(verify_with(&f.req, SECRET_1).verdict, SIGN_MALFORMED);
        assert_non_null(strstr(verify_with(&f.req, SECRET_1).reason, "twice"));
    }
}

static void a_request_without_any_of_them_is_unsigned(void **state)
{
    struct fixture f;

    (void)state;
    fixture_fill(&f, &vectors[0]);
    for (size_t i = H_NONCE; i <= H_SIGNATURE; i++)
        f.headers[i].name = SLICE_LIT("X-Other");
    expect(verify_with(&f.req, SECRET_1), SIGN_ABSENT, "not signed");
    f.req.n_headers = 0;
    expect(verify_with(&f.req, SECRET_1), SIGN_ABSENT, "not signed");
    put(&f, H_DATE, "x-hmac-signature", vectors[0].signature);
    f.req.n_headers = 1;
    expect(verify_with(&f.req, SECRET_1), SIGN_MALFORMED, "Date missing");
}

static const struct {
    size_t header;
    const char *value;
    enum sign_verdict verdict;
    const char *reason;
} odd_values[] = {
    {H_ALGORITHM, "HMAC-SHA256", SIGN_OK, "signature matches"},
    {H_ALGORITHM, "hmac-sha1", SIGN_MALFORMED, "another algorithm than hmac-sha256"},
    {H_ALGORITHM, "none", SIGN_MALFORMED, "another algorithm than hmac-sha256"},
    {H_ACCESS_KEY, "Vidu", SIGN_MALFORMED, "another access key than vidu"},
    {H_ACCESS_KEY, "", SIGN_MALFORMED, "another access key than vidu"},
    {H_DATE, "Tue, 6 May 2025 12:09:42 GMT", SIGN_MALFORMED, "Date is not an IMF-fixdate"},
    {H_DATE, "Mon, 06 May 2025 12:09:42 GMT", SIGN_MALFORMED, "Date is not an IMF-fixdate"},
    {H_DATE, "2025-05-06T12:09:42Z", SIGN_MALFORMED, "Date is not an IMF-fixdate"},
    {H_NONCE, "", SIGN_MALFORMED, "x-request-nonce has no usable value"},
    {H_NONCE, "a\tb", SIGN_MALFORMED, "x-request-nonce has no usable value"},
    {H_NONCE, "abc", SIGN_OK, "signature matches"},
    {H_NAMES, "Date;x-request-nonce;", SIGN_OK, "signature matches"},
    {H_NAMES, "DATE;X-REQUEST-NONCE", SIGN_OK, "signature matches"},
    {H_NAMES, "Date;x-request-nonce;;", SIGN_MALFORMED,
     "signed list has an empty or unprintable name"},
    {H_NAMES, ";Date;x-request-nonce", SIGN_MALFORMED,
     "signed list has an empty or unprintable name"},
    {H_NAMES, "Date;x-request-nonce;a\nb", SIGN_MALFORMED,
     "signed list has an empty or unprintable name"},
    {H_NAMES, "Date; x-request-nonce", SIGN_MALFORMED, "a signed header is missing"},
    {H_NAMES, "Date,x-request-nonce", SIGN_MALFORMED, "a signed header is missing"},
    {H_NAMES, "", SIGN_MALFORMED, "signed list has an empty or unprintable name"},
    {H_NAMES, "x-request-nonce", SIGN_MALFORMED, "Date not signed"},
    {H_NAMES, "Date", SIGN_MALFORMED, "x-request-nonce not signed"},
    {H_NAMES, "Date;x-request-nonce;X-Extra", SIGN_MALFORMED, "a signed header is missing"},
    {H_NAMES,
     "Date;x-request-nonce;Date;Date;Date;Date;Date;Date;Date;Date;Date;Date;Date;Date;"
     "Date;Date",
     SIGN_OK, "signature matches"},
    {H_NAMES,
     "Date;x-request-nonce;Date;Date;Date;Date;Date;Date;Date;Date;Date;Date;Date;Date;"
     "Date;Date;Date",
     SIGN_MALFORMED, "more than 16 signed headers"},
};

static void odd_values_are_judged_even_when_correctly_signed(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(odd_values); i++) {
        struct fixture f;
        struct sign_result r;

        fixture_fill(&f, &vectors[0]);
        f.headers[odd_values[i].header].value = slice_str(odd_values[i].value);
        r = verify_resigned(&f);
        if (r.verdict != odd_values[i].verdict || strcmp(r.reason, odd_values[i].reason) != 0)
            fail_msg("\"%s\": %s (%s)", odd_values[i].value, sign_verdict_name(r.verdict),
                     r.reason);
    }
}

static void a_nonce_has_a_greatest_length(void **state)
{
    char nonce[130];
    struct fixture f;

    (void)state;
    memset(nonce, 'a', sizeof(nonce));
    fixture_fill(&f, &vectors[0]);
    f.headers[H_NONCE].value = (struct slice){nonce, 128};
    assert_int_equal(verify_resigned(&f).verdict, SIGN_OK);
    f.headers[H_NONCE].value.n = 129;
    assert_int_equal(verify_resigned(&f).verdict, SIGN_MALFORMED);
}

static void a_signed_header_that_is_there_twice_is_refused(void **state)
{
    struct fixture f;

    (void)state;
    fixture_fill(&f, &vectors[8]);
    put(&f, H_SPARE, "content-type", "application/json");
    expect(verify_with(&f.req, SECRET_1), SIGN_MALFORMED, "a signed header is there twice");
}

static void line_ends_cannot_move_the_borders_of_a_line(void **state)
{
    struct fixture f;

    (void)state;
    fixture_fill(&f, &vectors[0]);
    f.req.path = SLICE_LIT("/vidu/callback\nname=james&age=36");
    f.req.query = SLICE_LIT("");
    expect(verify_resigned(&f), SIGN_MALFORMED, "control character in the request line");
    fixture_fill(&f, &vectors[0]);
    f.headers[H_NAMES].value = SLICE_LIT("Date;x-request-nonce;Content-Type");
    f.headers[H_TYPE].value = SLICE_LIT("application/json\nX-More:1");
    expect(verify_resigned(&f), SIGN_MALFORMED, "a signed header holds a line end");
}

static const char *const bad_base64[] = {
    "PrO4+kG4W+b3HOSimdHMHn8pnQ6YXQTseBDC/8yvvNB=", /* unused bits set */
    "PrO4+kG4W+b3HOSimdHMHn8pnQ6YXQTseBDC/8yvvNA",  /* no padding */
    " PrO4+kG4W+b3HOSimdHMHn8pnQ6YXQTseBDC/8yvvN=",
    "PrO4+kG4W+b3HOSimdHMHn8pnQ6YXQTseBDC/8yvvA==", /* 31 bytes */
    "PrO4+kG4W+b3HOSimdHMHn8pnQ6YXQTseBDC/8yvvNAA", /* 33 bytes */
    "PrO4-kG4W-b3HOSimdHMHn8pnQ6YXQTseBDC_8yvvNA=",
    "PrO4+kG4W+b3HOSimdHMHn8pnQ6YXQTseBDC/8yvvNA=PrO4",
    "",
};

static void only_canonical_base64_of_32_bytes_is_a_signature(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad_base64); i++) {
        struct fixture f;

        fixture_fill(&f, &vectors[0]);
        f.headers[H_SIGNATURE].value = slice_str(bad_base64[i]);
        expect(verify_with(&f.req, SECRET_1), SIGN_MALFORMED,
               "X-HMAC-SIGNATURE is not the base64 of 32 bytes");
    }
}

static void every_secret_may_match_and_the_first_one_is_named(void **state)
{
    struct slice secrets[] = {SLICE_LIT("a"), SLICE_LIT(SECRET_1), SLICE_LIT(""),
                              SLICE_LIT(SECRET_1)};
    struct fixture f;
    struct sign_result r;

    (void)state;
    fixture_fill(&f, &vectors[0]);
    r = verify(&f.req, secrets, ARRAY_LEN(secrets));
    assert_int_equal(r.verdict, SIGN_OK);
    assert_int_equal(r.key_index, 1);
    assert_true(slice_is(r.nonce, NONCE));
    r = verify(&f.req, secrets, 1);
    expect(r, SIGN_WRONG, "no key gives this signature");
    assert_int_equal(r.date_ms, 1746533382000);
    assert_int_equal(verify(&f.req, NULL, 0).verdict, SIGN_WRONG);
}

static void a_missing_secret_accepts_nothing(void **state)
{
    struct slice none[] = {{NULL, 0}};
    struct fixture f;

    (void)state;
    fixture_fill(&f, &vectors[0]);
    f.headers[H_SIGNATURE].value = SLICE_LIT("11sJTUsks1zy1pyaNN2LKlAgr7Nw638/3oDUBxydbn4=");
    assert_int_equal(verify(&f.req, none, 1).verdict, SIGN_WRONG);
}

static void too_many_headers_are_not_searched(void **state)
{
    struct sign_header *many = mem_calloc(SIGN_MAX_HEADERS + 1, sizeof(*many));
    struct fixture f;

    (void)state;
    fixture_fill(&f, &vectors[0]);
    for (size_t i = 0; i <= SIGN_MAX_HEADERS; i++)
        many[i] =
            i < H_MAX ? f.headers[i] : (struct sign_header){SLICE_LIT("X-Filler"), SLICE_LIT("1")};
    f.req.headers = many;
    f.req.n_headers = SIGN_MAX_HEADERS;
    assert_int_equal(verify_with(&f.req, SECRET_1).verdict, SIGN_OK);
    f.req.n_headers = SIGN_MAX_HEADERS + 1;
    expect(verify_with(&f.req, SECRET_1), SIGN_MALFORMED, "more than 64 headers");
    free(many);
}

static void a_string_without_end_is_refused(void **state)
{
    size_t n = 400000;
    char *big = mem_calloc(n, 1);
    struct fixture f;

    (void)state;
    memset(big, 'a', n);
    fixture_fill(&f, &vectors[0]);
    f.headers[H_TYPE].value = (struct slice){big, n};
    f.headers[H_NAMES].value =
        SLICE_LIT("Date;x-request-nonce;Content-Type;Content-Type;Content-Type");
    expect(verify_with(&f.req, SECRET_1), SIGN_MALFORMED, "string to sign over 1 MiB");
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_vector_has_its_value),
        cmocka_unit_test(every_vector_is_judged_by_policy),
        cmocka_unit_test(mistakes_of_others_are_not_accepted),
        cmocka_unit_test(the_string_of_v01_has_161_bytes_and_ends_with_a_line_feed),
        cmocka_unit_test(an_empty_path_is_the_root),
        cmocka_unit_test(each_header_is_needed_exactly_once),
        cmocka_unit_test(a_request_without_any_of_them_is_unsigned),
        cmocka_unit_test(odd_values_are_judged_even_when_correctly_signed),
        cmocka_unit_test(a_nonce_has_a_greatest_length),
        cmocka_unit_test(a_signed_header_that_is_there_twice_is_refused),
        cmocka_unit_test(line_ends_cannot_move_the_borders_of_a_line),
        cmocka_unit_test(only_canonical_base64_of_32_bytes_is_a_signature),
        cmocka_unit_test(every_secret_may_match_and_the_first_one_is_named),
        cmocka_unit_test(a_missing_secret_accepts_nothing),
        cmocka_unit_test(too_many_headers_are_not_searched),
        cmocka_unit_test(a_string_without_end_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
