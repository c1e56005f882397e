/* verify. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/fs.h"
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/signing.h"
#include "cli/term.h"
#include "cli/when.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define REQUEST_MAX (32U << 20) /* a raw request with its body; only the head is looked at */
#define STRING_MAX  (4U << 20)

/* A callback as it was received. Everything is borrowed from text and the options. */
struct received {
    struct slice method, path, query;
    struct sign_header headers[SIGN_MAX_HEADERS];
    size_t n_headers;
    char *text;   /* the raw request, owned */
    char *target; /* of its request line, owned */
};

static struct slice trimmed(struct slice s)
{
    while (s.n > 0 && strchr(" \t\r", s.p[s.n - 1]) != NULL)
        s.n--;
    while (s.n > 0 && strchr(" \t", s.p[0]) != NULL) {
        s.p++;
        s.n--;
    }
    return s;
}

static int add_header(struct received *r, struct slice line, struct err *err)
{
    const char *colon = memchr(line.p, ':', line.n);
    size_t name_len;

    if (colon == NULL || colon == line.p)
        return err_set(err, -EINVAL, "%.*s: not a header (NAME: VALUE)", (int)line.n, line.p);
    if (r->n_headers == SIGN_MAX_HEADERS)
        return err_set(err, -E2BIG, "more than %d headers", SIGN_MAX_HEADERS);
    name_len = (size_t)(colon - line.p);
    r->headers[r->n_headers++] = (struct sign_header){
        {line.p, name_len}, trimmed((struct slice){colon + 1, line.n - name_len - 1})};
    return 0;
}

/* The next line without its end; false at the end of the text. */
static bool next_line(struct slice *rest, struct slice *line)
{
    const char *end;

    if (rest->n == 0)
        return false;
    end = memchr(rest->p, '\n', rest->n);
    *line = (struct slice){rest->p, end != NULL ? (size_t)(end - rest->p) : rest->n};
    rest->p += line->n + (end != NULL);
    rest->n -= line->n + (end != NULL);
    if (line->n > 0 && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

/* POST /path?query HTTP/1.1 */
static int take_request_line(struct received *r, struct slice line, struct err *err)
{
    const char *blank = memchr(line.p, ' ', line.n);
    struct slice rest;
    const char *end;

    if (blank == NULL)
        return err_set(err, -EINVAL, "the first line must be a request line");
    r->method = (struct slice){line.p, (size_t)(blank - line.p)};
    rest = (struct slice){blank + 1, line.n - r->method.n - 1};
    end = memchr(rest.p, ' ', rest.n);
    r->target = mem_strndup(rest.p, end != NULL ? (size_t)(end - rest.p) : rest.n);
    return signing_split_url(r->target, &r->path, &r->query, err);
}

static int read_request(const char *name, struct received *r, struct err *err)
{
    struct slice rest = SLICE_LIT(""), line;
    size_t len = 0;
    int rc = str_eq(name, "-") ? fs_read_fd(STDIN_FILENO, REQUEST_MAX, &r->text, &len)
                               : fs_read_file(name, REQUEST_MAX, &r->text, &len, err);

    if (rc < 0 && str_eq(name, "-"))
        err_sys(err, rc, "standard input");
    if (rc < 0)
        return rc;
    rest = (struct slice){r->text, len};
    if (!next_line(&rest, &line))
        return err_set(err, -EINVAL, "%s: is empty", name);
    rc = take_request_line(r, line, err);
    while (rc == 0 && next_line(&rest, &line) && line.n != 0)
        rc = add_header(r, line, err);
    return rc < 0 ? err_wrap(err, rc, "%s", name) : 0;
}

/* What the provider signed is the URL it was given, so --url counts more than a request line. */
static int receive(const struct options *o, struct received *r, struct err *err)
{
    const char *url = options_text(o, "url");
    const char *header;
    size_t at = 0;
    int rc = 0;

    r->method = SLICE_LIT("POST");
    if (o->n_words == 0 && url == NULL)
        return err_set(err, -EINVAL, "either a FILE with the request or --url is needed");
    if (o->n_words > 0)
        rc = read_request(o->words[0], r, err);
    if (rc == 0 && url != NULL)
        rc = signing_split_url(url, &r->path, &r->query, err);
    while (rc == 0 && (header = options_next(o, "header", &at)) != NULL)
        rc = add_header(r, slice_str(header), err);
    return rc;
}

static struct slice header_value(const struct received *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (slice_is_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    return SLICE_LIT("");
}

static void print_text(const struct sign_result *result, const char *signed_text)
{
    autobuf struct buf out = BUF_INIT(2 * STRING_MAX);
    char age[32];

    buf_addf(&out, "%s%s%s\n", sign_verdict_name(result->verdict),
             str_empty(result->reason) ? "" : ": ", str_or(result->reason, ""));
    if (result->verdict == SIGN_OK || result->verdict == SIGN_WRONG) {
        when_relative(result->date_ms, clock_wall_ms(), age);
        buf_addf(&out, "signed %s\n", age);
    }
    if (result->verdict != SIGN_OK) {
        buf_adds(&out, "the string to sign, from this URL and these headers:\n");
        term_escape(&out, signed_text, strlen(signed_text), true);
    }
    cli_print(&out);
}

static void print_json(const struct sign_result *result, const char *signed_text)
{
    json_t *json = field_object("verdict", sign_verdict_name(result->verdict));

    field_set_text(json, "reason", str_or(result->reason, ""));
    if (result->verdict == SIGN_OK)
        (void)json_object_set_new(json, "secret", json_integer((json_int_t)result->key_index + 1));
    else
        field_set_text(json, "string", signed_text);
    cli_print_json(json);
    json_decref(json);
}

static int judge(const struct cli *cli, const struct received *r,
                 const struct signing_secrets *secrets)
{
    struct sign_request request = {.method = r->method,
                                   .path = r->path,
                                   .query = r->query,
                                   .headers = r->headers,
                                   .n_headers = r->n_headers};
    struct crypto_place *place = crypto_place_new();
    struct sign_result result = sign_verify(&request, secrets->v, secrets->n, place);
    autobuf struct buf text = BUF_INIT(STRING_MAX);

    crypto_place_free(place);
    sign_string(&request, header_value(r, "Date"), header_value(r, "X-HMAC-SIGNED-HEADERS"), &text);
    if (cli->json)
        print_json(&result, buf_text(&text));
    else
        print_text(&result, buf_text(&text));
    return result.verdict == SIGN_OK ? EXIT_OK : EXIT_FAILED;
}

int command_verify(struct cli *cli, const struct options *o)
{
    struct signing_secrets secrets = {.n = 0};
    struct received r = {.n_headers = 0};
    struct err err;
    int status;
    int rc = receive(o, &r, &err);

    if (rc == 0)
        rc = signing_read_secrets(o, &secrets, &err);
    status = rc == 0 ? judge(cli, &r, &secrets)
                     : cli_fail(cli, rc == -EINVAL ? EXIT_USAGE : EXIT_FAILED, &err);
    signing_clear_secrets(&secrets);
    free(r.text);
    free(r.target);
    return status;
}
