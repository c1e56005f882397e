/*
 * Asks the servers of http hooks whether they know us, and whether they know the folder that files
 * come to lie in (media-servers.md section 2): requests that change nothing.
 *
 * SPDX-License-Identifier: MIT
 */
#include "cli/doctor.h"
#include "cli/field.h"

#include "base/clock.h"
#include "conf/conf_delivery.h"
#include "conf/conf_preset.h"
#include "http/client.h"
#include "vidu/s3_sign.h"
#include "vidu/template.h"
#include "wire/path_map.h"

#include <event2/event.h>
#include <string.h>

#define URL_MAX    8192
#define LINE_MAX   (16U << 10)
#define ANSWER_MAX (4U << 20)
#define TIMEOUT_MS 20000
#define LINES_MAX  32

/* What a server said, and whom that is about. */
struct answer {
    const struct conf *c;
    const struct conf_hook *h;
    json_t *action;
    int status; /* 0: none */
    struct buf body;
    char *error;
};

/* True: well; what is to be said of it is appended. */
typedef bool judge_fn(const struct answer *a, struct buf *found);

/* ---- what answers mean ---- */

static bool is_status(const struct answer *a, struct buf *found)
{
    if (a->status / 100 == 2)
        return true;
    if (a->status == 401 || a->status == 403)
        buf_addf(found, "the server does not know us (HTTP %d); check http.token", a->status);
    else if (a->status / 100 == 3)
        buf_addf(found, "the server is elsewhere (HTTP %d); put the final address into http.url",
                 a->status);
    else if (a->status == 404)
        buf_adds(found, "there is no such server behind http.url (HTTP 404); check its path");
    else
        buf_addf(found, "the server answers HTTP %d", a->status);
    return false;
}

static bool judge_known(const struct answer *a, struct buf *found)
{
    if (!is_status(a, found))
        return false;
    buf_adds(found, "the server knows us");
    return true;
}

/* Who takes POST may know no HEAD (405, 501 or 404); what holds for every method is told. */
static bool judge_there(const struct answer *a, struct buf *found)
{
    int status = a->status;

    if (status == 401 || status == 301 || status == 308 || status == 410 ||
        (status >= 500 && status != 501))
        return is_status(a, found);
    buf_addf(found, "the server answers (HTTP %d); a delivery is not tried", status);
    return true;
}

/* A message that says nothing: who knows the token refuses it for that, and nobody is told. */
static bool judge_empty(const struct answer *a, struct buf *found)
{
    if (a->status != 400)
        return judge_known(a, found);
    buf_adds(found, "the server knows us");
    return true;
}

static bool judge_healthy(const struct answer *a, struct buf *found)
{
    if (is_status(a, found) && str_starts(buf_text(&a->body), "Healthy"))
        return true;
    if (found->len == 0)
        buf_adds(found, "this is no Jellyfin, or it is not well; check http.url");
    return false;
}

/* Where files lie as the server names it: "" when nothing is downloaded before. */
static char *their_folder(const struct answer *a)
{
    const struct conf_hook *source = doctor_source(a->c, a->h);

    return path_map_apply(json_object_get(a->action, "path_map"),
                          source != NULL ? str_or(source->download.dir, "") : "");
}

static bool judge_place(const struct answer *a, const char *library, struct buf *found)
{
    autofree char *folder = their_folder(a);

    if (library != NULL && folder[0] != '\0') {
        buf_addf(found, "the server knows us, and its library %s holds %s", library, folder);
        return true;
    }
    buf_addf(found,
             "the server knows us, but none of its libraries holds %s; add the folder to one, or "
             "say in http.path_map what the server calls it",
             folder);
    return false;
}

/* [{"Name", "Locations": ["/x"]}] */
static bool judge_jellyfin(const struct answer *a, struct buf *found)
{
    autofree char *folder = their_folder(a);
    json_t *all = is_status(a, found) ? json_loads(buf_text(&a->body), 0, NULL) : NULL;
    const char *library = NULL;
    bool ok;

    if (found->len != 0)
        return false;
    for (size_t i = 0; i < json_array_size(all); i++) {
        const json_t *places = json_object_get(json_array_get(all, i), "Locations");

        for (size_t j = 0; j < json_array_size(places); j++)
            if (path_is_in(folder, str_or(json_string_value(json_array_get(places, j)), "?")))
                library = field_text(json_array_get(all, i), "Name");
    }
    ok = judge_place(a, library, found);
    json_decref(all);
    return ok;
}

/* {"MediaContainer": {"Directory": [{"title", "Location": [{"path"}]}]}} */
static bool judge_plex(const struct answer *a, struct buf *found)
{
    autofree char *folder = their_folder(a);
    json_t *all = is_status(a, found) ? json_loads(buf_text(&a->body), 0, NULL) : NULL;
    const json_t *sections = json_object_get(json_object_get(all, "MediaContainer"), "Directory");
    const char *library = NULL;
    bool ok;

    if (found->len != 0)
        return false;
    for (size_t i = 0; i < json_array_size(sections); i++) {
        const json_t *places = json_object_get(json_array_get(sections, i), "Location");

        for (size_t j = 0; j < json_array_size(places); j++) {
            const char *path = field_text(json_array_get(places, j), "path");

            if (path[0] != '\0' && path_is_in(folder, path))
                library = field_text(json_array_get(sections, i), "title");
        }
    }
    ok = judge_place(a, library, found);
    json_decref(all);
    return ok;
}

/* {"result": {"sources": [{"file": "/x/"}]}}, or {"error": {"message"}} */
static bool judge_kodi(const struct answer *a, struct buf *found)
{
    json_t *all = is_status(a, found) ? json_loads(buf_text(&a->body), 0, NULL) : NULL;
    const json_t *sources = json_object_get(json_object_get(all, "result"), "sources");
    const char *error = field_text(json_object_get(all, "error"), "message");
    const char *library = str_or(a->h->http.library, "");
    bool ok = false;

    for (size_t i = 0; i < json_array_size(sources); i++)
        ok |= path_is_in(library, field_text(json_array_get(sources, i), "file"));
    if (ok)
        buf_addf(found, "the server knows us, and %s is one of its sources", library);
    else if (error[0] != '\0')
        buf_addf(found, "the server says: %.200s", error);
    else if (found->len == 0)
        buf_addf(found, "the server knows us, but has no source %s; check http.library", library);
    json_decref(all);
    return ok;
}

static bool judge_dav(const struct answer *a, struct buf *found)
{
    if (a->status == 404) {
        buf_adds(found, "the server knows us; the folder is not there yet and will be made");
        return true;
    }
    if (!is_status(a, found))
        return false;
    if (a->status != 207) {
        buf_addf(found, "this is no WebDAV (HTTP %d instead of 207); check http.url", a->status);
        return false;
    }
    buf_adds(found, "the server knows us and has the folder");
    return true;
}

/* A key that is not there: NoSuchKey. Who may not list is told AccessDenied of it. */
static bool judge_s3(const struct answer *a, struct buf *found)
{
    static const char *const wrong[][2] = {
        {"NoSuchBucket", "there is no such bucket; check http.url"},
        {"InvalidAccessKeyId", "the server does not know the access key; check http.user"},
        {"SignatureDoesNotMatch", "the signature is wrong; check http.token and http.region"},
        {"AuthorizationHeaderMalformed", "the region is another one; check http.region"},
        {"RequestTimeTooSkewed", "the clock of this machine is wrong"},
    };
    const char *body = buf_text(&a->body);

    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        if (strstr(body, wrong[i][0]) != NULL) {
            buf_addf(found, "%s (%s)", wrong[i][1], wrong[i][0]);
            return false;
        }
    if (a->status == 403 && strstr(body, "AccessDenied") != NULL) {
        buf_adds(found, "the server knows us; whether we may write is not tried");
        return true;
    }
    if (a->status != 404 || strstr(body, "NoSuchKey") == NULL)
        return judge_known(a, found);
    buf_adds(found, "the server knows us and the bucket");
    return true;
}

/* ---- what is asked ---- */

#define KODI_SOURCES                                                                               \
    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"Files.GetSources\",\"params\":{\"media\":"         \
    "\"video\"}}"

/* Rows of one preset in order, until one is not well. */
static const struct probe {
    const char *preset, *method;
    const char *path; /* behind http.url; NULL: behind what deliveries go to */
    const char *body;
    judge_fn *judge;
} probes[] = {
    {"none", "HEAD", NULL, NULL, judge_there},
    {"jellyfin", "GET", "/health", NULL, judge_healthy},
    {"jellyfin", "GET", "/Library/VirtualFolders", NULL, judge_jellyfin},
    {"emby", "GET", "/Library/VirtualFolders", NULL, judge_jellyfin},
    {"plex", "GET", "/library/sections", NULL, judge_plex},
    {"kodi", "POST", "/jsonrpc", KODI_SOURCES, judge_kodi},
    {"webdav", "PROPFIND", NULL, NULL, judge_dav},
    {"nextcloud", "PROPFIND", NULL, NULL, judge_dav},
    {"s3", "GET", "/.viduhook-doctor", NULL, judge_s3},
    {"immich", "GET", "/api/users/me", NULL, judge_known},
    {"ntfy", "GET", "/auth", NULL, judge_known},
    {"gotify", "POST", NULL, "{\"message\":\"\"}", judge_empty},
    {"apprise", "HEAD", NULL, NULL, judge_there},
    {"slack", "POST", NULL, "{\"text\":\"\"}", judge_empty},
    {"discord", "GET", NULL, NULL, judge_known},
};

static const char *no_value(const char *name, void *ctx)
{
    (void)name;
    (void)ctx;
    return "";
}

static void fill(const json_t *template, enum template_place place, struct buf *out)
{
    template_fill_at(str_or(json_string_value(template), ""), place, no_value, NULL, out);
}

static void make_url(const struct probe *p, const struct answer *a, struct buf *out)
{
    const char *configured = a->h->http.url;
    autobuf struct buf base = BUF_INIT(URL_MAX);
    size_t n;

    if (p->path == NULL || configured == NULL) {
        fill(json_object_get(a->action, "url"), TEMPLATE_URL, out);
        return;
    }
    template_fill_at(configured, TEMPLATE_URL, no_value, NULL, &base);
    n = base.len;
    while (n > 0 && buf_text(&base)[n - 1] == '/')
        n--;
    buf_add(out, buf_text(&base), n);
    buf_adds(out, p->path);
}

/* Those of a delivery, and the signature or the depth that the question needs. */
static void make_lines(const struct probe *p, const struct answer *a, const char *url,
                       char *lines[LINES_MAX + 1])
{
    const json_t *headers = json_object_get(a->action, "headers");
    struct s3_request s3 = {.access_key = field_text(a->action, "user"),
                            .secret_key = field_text(a->action, "token"),
                            .region = field_text(a->action, "region"),
                            .method = p->method,
                            .url = url,
                            .payload = S3_NO_PAYLOAD,
                            .now_s = clock_wall_ms() / 1000};
    size_t n = 0;

    for (size_t i = 0; i < json_array_size(headers) && n < LINES_MAX - S3_LINES; i++) {
        struct buf line = BUF_INIT(LINE_MAX);

        fill(json_array_get(headers, i), TEMPLATE_LINE, &line);
        lines[n++] = buf_take(&line);
    }
    if (str_eq(p->preset, "s3")) {
        s3_sign(&s3, lines + n);
        n += S3_LINES;
    }
    if (str_eq(p->method, "PROPFIND"))
        lines[n++] = mem_strdup("Depth: 0");
    lines[n] = NULL;
}

static void on_done(struct transfer *t, const struct client_answer *got, void *ctx)
{
    struct answer *a = ctx;

    (void)t;
    a->status = got->error == NULL ? got->status : 0;
    if (got->error != NULL)
        a->error = mem_strdup(got->error);
    buf_add(&a->body, got->body.p, got->body.n);
}

static void ask(struct event_base *base, struct client *client, const struct probe *p,
                struct answer *a)
{
    static const struct transfer_ops ops = {.on_done = on_done};
    autobuf struct buf url = BUF_INIT(URL_MAX);
    char *lines[LINES_MAX + 1];
    struct client_request req = {.method = p->method,
                                 .headers = (const char *const *)lines,
                                 .body = p->body,
                                 .body_len = p->body != NULL ? strlen(p->body) : 0,
                                 .max_body = ANSWER_MAX,
                                 .timeout_ms = TIMEOUT_MS};
    struct err err;

    make_url(p, a, &url);
    make_lines(p, a, buf_text(&url), lines);
    req.url = buf_text(&url);
    if (client_start(client, &req, &ops, a, &err) == NULL)
        a->error = mem_strdup(err.text);
    else
        (void)event_base_dispatch(base);
    for (size_t i = 0; lines[i] != NULL; i++)
        mem_wipe_free(lines[i], strlen(lines[i]));
}

static bool examine(struct event_base *base, struct client *client, const struct probe *p,
                    struct answer *a, struct buf *found)
{
    bool ok;

    a->body = BUF_INIT(ANSWER_MAX);
    ask(base, client, p, a);
    if (a->error != NULL)
        buf_addf(found, "the server cannot be asked: %s; check http.url", a->error);
    ok = a->error == NULL && p->judge(a, found);
    buf_free(&a->body);
    free(a->error);
    a->error = NULL;
    return ok;
}

bool doctor_http(const struct conf *c, const struct conf_hook *h, struct buf *found)
{
    struct client_policy policy = {
        .allow_http = true, .ca_file = c->fetch.ca_file, .max_transfers = 1};
    struct event_base *base = event_base_new();
    struct answer a = {.c = c, .h = h, .action = delivery_action(h)};
    struct err err;
    struct client *client = client_new(base, &policy, &err);
    bool ok = client != NULL;

    if (client == NULL)
        buf_adds(found, err.text);
    for (size_t i = 0; ok && i < ARRAY_LEN(probes); i++)
        if (str_eq(probes[i].preset, conf_preset_of(h)->name))
            ok = examine(base, client, &probes[i], &a, found);
    client_free(client);
    event_base_free(base);
    json_decref(a.action);
    return ok;
}
