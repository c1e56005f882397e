/*
 * Every option of a request is set here (hardening.md 3.2), and nowhere else; the callbacks are
 * client.c's.
 *
 * SPDX-License-Identifier: MIT
 */
#include "http/client_options.h"

#include <curl/curl.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#define URL_MAX            8192
#define CONNECT_TIMEOUT_MS 10000
#define LOW_SPEED_BYTES    1024
#define CONNECTION_BUSY_S  1L
#define CONNECTION_LIFE_S  600

/* The same for every transfer. */
static const struct fixed_option {
    CURLoption option;
    long value;
} fixed_options[] = {
    {CURLOPT_NOSIGNAL, 1},
    {CURLOPT_QUICK_EXIT, 1}, /* a hung resolver must not hang us */
    {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
    {CURLOPT_SSL_VERIFYPEER, 1},
    {CURLOPT_SSL_VERIFYHOST, 2},
    {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
    {CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS},
    {CURLOPT_MAXLIFETIME_CONN, CONNECTION_LIFE_S},
    {CURLOPT_NETRC, CURL_NETRC_IGNORED},
    {CURLOPT_UNRESTRICTED_AUTH, 0},
    {CURLOPT_PATH_AS_IS, 1}, /* a signed URL is signed as it is written */
};

bool client_options_is_once(const struct client_request *req)
{
    const char *method = str_or(req->method, "GET");

    return !str_eq(method, "GET") && !str_eq(method, "HEAD") && !req->repeatable;
}

uint64_t client_file_length(const struct client_file *f)
{
    return f->head.n + f->size + f->tail.n;
}

static bool apply_method(CURL *e, const struct client_request *req)
{
    const char *method = str_or(req->method, "GET");
    CURLcode bad = curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, method);

    if (str_eq(method, "HEAD"))
        bad |= curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    if (req->file != NULL) {
        bad |= curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
        bad |= curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE,
                                (curl_off_t)client_file_length(req->file));
    } else if (req->body != NULL || str_eq(method, "POST")) {
        bad |= curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)req->body_len);
        bad |= curl_easy_setopt(e, CURLOPT_POSTFIELDS, req->body != NULL ? req->body : "");
    }
    /* curl repeats a request when a kept connection turns out dead; ours may cost money. */
    if (req->own_connection)
        bad |= curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
    else if (client_options_is_once(req))
        bad |= req->may_reuse ? curl_easy_setopt(e, CURLOPT_MAXAGE_CONN, CONNECTION_BUSY_S)
                              : curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
    bad |= curl_easy_setopt(e, CURLOPT_FORBID_REUSE, req->own_connection ? 1L : 0L);
    return bad == CURLE_OK;
}

static bool apply_policy(CURL *e, const struct client_policy *p)
{
    const char *schemes = p->allow_http ? "http,https" : "https";
    CURLcode bad = curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, schemes);

    bad |= curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, schemes);
    bad |= curl_easy_setopt(e, CURLOPT_PROXY, "");
    bad |= curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, p->redirects > 0 ? 1L : 0L);
    bad |= curl_easy_setopt(e, CURLOPT_MAXREDIRS, (long)p->redirects);
    bad |= curl_easy_setopt(e, CURLOPT_DISALLOW_USERNAME_IN_URL, p->public_only ? 1L : 0L);
    if (p->ca_file != NULL)
        bad |= curl_easy_setopt(e, CURLOPT_CAINFO, p->ca_file);
    return bad == CURLE_OK;
}

static bool is_plain_line(const char *s)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return false;
    return true;
}

static void add_header(struct curl_slist **headers, const char *line)
{
    struct curl_slist *more = curl_slist_append(*headers, line);

    if (more == NULL)
        abort();
    *headers = more;
}

static int collect_headers(const struct client_request *req, struct curl_slist **headers,
                           struct err *err)
{
    bool typed = false;

    for (size_t i = 0; req->headers != NULL && req->headers[i] != NULL; i++) {
        if (!is_plain_line(req->headers[i]) || strchr(req->headers[i], ':') == NULL)
            return err_set(err, -EINVAL, "a request header is not one line of text");
        typed = typed || strncasecmp(req->headers[i], "Content-Type:", 13) == 0;
        add_header(headers, req->headers[i]);
    }
    if (!typed)
        add_header(headers, "Content-Type:"); /* curl would call any body a form */
    add_header(headers, "Expect:");
    add_header(headers, "User-Agent: viduhook");
    return 0;
}

static int check_parsed_url(const struct client_policy *p, const char *scheme, const char *host,
                            const char *user, struct err *err)
{
    if (!str_eq_nocase(scheme, "https") && !(p->allow_http && str_eq_nocase(scheme, "http")))
        return err_set(err, -EINVAL, "URL: only %s is allowed here",
                       p->allow_http ? "http and https" : "https");
    if (str_empty(host))
        return err_set(err, -EINVAL, "URL: no host");
    if (p->public_only && user != NULL)
        return err_set(err, -EINVAL, "URL: a user name is not allowed here");
    return 0;
}

static int check_url(const struct client_policy *p, const char *url, struct err *err)
{
    CURLU *parts = curl_url();
    char *scheme = NULL, *host = NULL, *user = NULL;
    CURLUcode bad;
    int rc;

    if (parts == NULL)
        abort();
    bad =
        strnlen(url, URL_MAX + 1) > URL_MAX
            ? CURLUE_MALFORMED_INPUT
            : curl_url_set(parts, CURLUPART_URL, url, CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME);
    if (bad != CURLUE_OK) {
        rc = err_set(err, -EINVAL, "URL: %s", curl_url_strerror(bad));
    } else {
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0);
        curl_url_get(parts, CURLUPART_HOST, &host, 0);
        curl_url_get(parts, CURLUPART_USER, &user, 0);
        rc = check_parsed_url(p, scheme, host, user, err);
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    curl_url_cleanup(parts);
    return rc;
}

/* Accept-Encoding is never sent: nothing is decompressed here. */
int client_options_apply(void *easy, const struct client_policy *p,
                         const struct client_request *req, struct curl_slist **headers,
                         struct err *err)
{
    int64_t timeout_ms = req->timeout_ms > 0 ? req->timeout_ms : 1;
    int64_t low_speed_s = (req->low_speed_ms + 999) / 1000;
    curl_off_t most = req->max_body < INT64_MAX ? (curl_off_t)req->max_body : INT64_MAX;
    CURLcode bad = CURLE_OK;
    int rc = check_url(p, req->url, err);

    if (rc == 0)
        rc = collect_headers(req, headers, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < ARRAY_LEN(fixed_options); i++)
        bad |= curl_easy_setopt(easy, fixed_options[i].option, fixed_options[i].value);
    bad |= curl_easy_setopt(easy, CURLOPT_URL, req->url);
    bad |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    bad |= curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, most);
    bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);
    bad |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, low_speed_s > 0 ? LOW_SPEED_BYTES : 0L);
    bad |= curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)low_speed_s);
    if (bad != CURLE_OK || !apply_policy(easy, p) || !apply_method(easy, req))
        return err_set(err, -EINVAL, "curl refuses an option of this request");
    return 0;
}
