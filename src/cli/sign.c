/* sign. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/signing.h"
#include "vidu/crypto.h"

#include <errno.h>
#include <string.h>

#define SIGNED_NAMES "Date;x-request-nonce"
#define STRING_MAX   (1U << 20)
#define UUID_SIZE    37

enum { HEAD_DATE, HEAD_NONCE, HEAD_ALGORITHM, HEAD_ACCESS_KEY, HEAD_NAMES, HEAD_SIGNATURE, HEADS };

static const char *const names[HEADS] = {
    [HEAD_DATE] = "Date",
    [HEAD_NONCE] = "x-request-nonce",
    [HEAD_ALGORITHM] = "X-HMAC-ALGORITHM",
    [HEAD_ACCESS_KEY] = "X-HMAC-ACCESS-KEY",
    [HEAD_NAMES] = "X-HMAC-SIGNED-HEADERS",
    [HEAD_SIGNATURE] = "X-HMAC-SIGNATURE",
};

/* Version 4, RFC 9562 section 5.4. */
static void random_uuid(char out[UUID_SIZE])
{
    uint8_t b[16];

    crypto_random(b, sizeof(b));
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    snprintf(out, UUID_SIZE, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
             b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13],
             b[14], b[15]);
}

static int compute(const char *url, const struct signing_secrets *secrets, const char *date,
                   const char *nonce, char signature[SIGN_TEXT_LEN + 1], struct err *err)
{
    struct sign_header headers[] = {{slice_str(names[HEAD_DATE]), slice_str(date)},
                                    {slice_str(names[HEAD_NONCE]), slice_str(nonce)}};
    struct sign_request request = {
        .method = SLICE_LIT("POST"), .headers = headers, .n_headers = ARRAY_LEN(headers)};
    autobuf struct buf text = BUF_INIT(STRING_MAX);
    int rc = signing_split_url(url, &request.path, &request.query, err);

    if (rc < 0)
        return rc;
    sign_string(&request, slice_str(date), SLICE_LIT(SIGNED_NAMES), &text);
    if (!buf_ok(&text))
        return err_set(err, -E2BIG, "the URL is too long");
    sign_compute(secrets->v[0], buf_text(&text), text.len, signature);
    return 0;
}

static void print_headers(const struct cli *cli, const char *const *values)
{
    json_t *json = json_object();

    for (size_t i = 0; i < HEADS; i++) {
        field_set_text(json, names[i], values[i]);
        if (!cli->json)
            printf("%s: %s\n", names[i], values[i]);
    }
    if (cli->json)
        cli_print_json(json);
    json_decref(json);
}

static int check_values(const struct options *o, const char *date, const char *nonce,
                        struct err *err)
{
    int64_t wall_ms;

    if (!options_has(o, "url"))
        return err_set(err, -EINVAL, "--url is needed");
    if (clock_parse_http(date, strlen(date), &wall_ms) < 0)
        return err_set(err, -EINVAL,
                       "--date %s: not of the form Tue, 06 May 2025 12:09:42 GMT, or the weekday "
                       "is wrong",
                       date);
    for (const char *p = nonce; *p != '\0'; p++)
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7f)
            return err_set(err, -EINVAL, "--nonce: printable ASCII without blanks");
    return nonce[0] != '\0' ? 0 : err_set(err, -EINVAL, "--nonce: is empty");
}

int command_sign(struct cli *cli, const struct options *o)
{
    struct signing_secrets secrets = {.n = 0};
    char uuid[UUID_SIZE], now[30], signature[SIGN_TEXT_LEN + 1];
    const char *values[HEADS] = {[HEAD_ALGORITHM] = "hmac-sha256",
                                 [HEAD_ACCESS_KEY] = "vidu",
                                 [HEAD_NAMES] = SIGNED_NAMES,
                                 [HEAD_SIGNATURE] = signature};
    struct err err;
    int rc;

    random_uuid(uuid);
    clock_format_http(clock_wall_ms(), now);
    values[HEAD_DATE] = str_or(options_text(o, "date"), now);
    values[HEAD_NONCE] = str_or(options_text(o, "nonce"), uuid);
    rc = check_values(o, values[HEAD_DATE], values[HEAD_NONCE], &err);
    if (rc == 0)
        rc = signing_read_secrets(o, &secrets, &err);
    if (rc == 0)
        rc = compute(options_text(o, "url"), &secrets, values[HEAD_DATE], values[HEAD_NONCE],
                     signature, &err);
    if (rc == 0)
        print_headers(cli, values);
    signing_clear_secrets(&secrets);
    return rc < 0 ? cli_fail(cli, rc == -EINVAL ? EXIT_USAGE : EXIT_FAILED, &err) : EXIT_OK;
}
