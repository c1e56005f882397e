/* SPDX-License-Identifier: MIT */
#include "conf/conf_http.h"

#include "conf/conf_preset.h"
#include "conf/conf_secret.h"
#include "conf/conf_type.h"
#include "conf/conf_url.h"
#include "vidu/template.h"
#include "vidu/webhook.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define URL_MAX           2048
#define BODY_MAX          (64U << 10)
#define HEADER_MAX        2048
#define TIMEOUT_MS        20000
#define UPLOAD_TIMEOUT_MS 3600000

/* RFC 9110, section 5.6.2 */
#define TOKEN_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"

/* ---- texts with placeholders ---- */

static bool is_printable(const char *s, bool blanks)
{
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < (blanks ? 0x20 : 0x21))
            return false;
    return true;
}

/* Whom it goes to is the operator's word alone: no placeholder before the path. */
static int check_url(const char *text, struct err *err)
{
    size_t scheme = strcspn(text, ":");
    size_t n = str_starts(text + scheme, "://") ? scheme + 3 + strcspn(text + scheme + 3, "/?#")
                                                : strlen(text);
    autofree char *origin = mem_strndup(text, n);
    struct conf_url url;
    int rc;

    if (strlen(text) > URL_MAX)
        return err_set(err, -EINVAL, "longer than %d bytes", URL_MAX);
    if (strpbrk(origin, "{}") != NULL)
        return err_set(err, -EINVAL, "no placeholder may stand before the path");
    rc = conf_url_parse(origin, &url, err);
    if (rc < 0)
        return rc;
    if (!is_printable(text, false) || strchr(text, '#') != NULL)
        return err_set(err, -EINVAL, "blanks and # do not belong into a URL");
    return template_check(text, err);
}

static void set_checked(const struct conf_fill *fill, const struct conf_row *row,
                        const struct conf_node *node, void *object,
                        int (*check)(const char *text, struct err *err))
{
    const char *text = conf_want_text(fill, row->doc.name, node);
    struct err err;

    if (text == NULL)
        return;
    mem_replace(conf_slot(row, object), text);
    if (check(text, &err) < 0)
        conf_found_at(fill->found, node, "'%s': %s", row->doc.name, err.text);
}

static int check_body(const char *text, struct err *err)
{
    if (strlen(text) > BODY_MAX)
        return err_set(err, -EINVAL, "longer than %u bytes", BODY_MAX);
    return template_check(text, err);
}

static void set_url(const struct conf_fill *fill, const struct conf_row *row,
                    const struct conf_node *node, void *object)
{
    set_checked(fill, row, node, object, check_url);
}

static void set_template(const struct conf_fill *fill, const struct conf_row *row,
                         const struct conf_node *node, void *object)
{
    set_checked(fill, row, node, object, check_body);
}

const struct conf_type conf_type_http_url = {set_url, conf_text_show, conf_text_release};
const struct conf_type conf_type_template = {set_template, conf_text_show, conf_text_release};

/* ---- headers ---- */

static bool is_ours(const char *name)
{
    static const char *const ours[] = {
        "Host",       "Content-Length",    "Transfer-Encoding", "Connection",      "Expect",
        "webhook-id", "webhook-timestamp", "webhook-signature", "viduhook-attempt"};

    for (size_t i = 0; i < ARRAY_LEN(ours); i++)
        if (strcasecmp(name, ours[i]) == 0)
            return true;
    return false;
}

static int check_header(const char *name, const char *value, struct err *err)
{
    if (name[0] == '\0' || name[strspn(name, TOKEN_CHARS)] != '\0')
        return err_set(err, -EINVAL, "not the name of a header");
    if (is_ours(name))
        return err_set(err, -EINVAL, "viduhook makes this header itself");
    if (value == NULL)
        return 0;
    if (strlen(name) + strlen(value) > HEADER_MAX || !is_printable(value, true))
        return err_set(err, -EINVAL, "must be one line of at most %d bytes", HEADER_MAX);
    return template_check(value, err);
}

static void release_headers(const struct conf_row *row, void *object)
{
    struct conf_hook *hook = object;

    (void)row;
    for (size_t i = 0; i < hook->http.n_headers; i++) {
        free(hook->http.headers[i].name);
        free(hook->http.headers[i].value);
        conf_secret_free(&hook->http.headers[i].secret);
    }
    hook->http.n_headers = 0;
}

static void add_header(const struct conf_fill *fill, const struct conf_node *node,
                       struct conf_hook *hook)
{
    bool text = node->kind == NODE_TEXT;
    struct conf_header header = {0};
    struct err err;

    if (check_header(node->key, text ? node->text : NULL, &err) < 0) {
        conf_found_key(fill->found, node, "'hooks[].http.headers': %s: %s", node->key, err.text);
        return;
    }
    if (!text && !conf_want_secret(fill, "hooks[].http.headers", node, &header.secret))
        return;
    header.name = mem_strdup(node->key);
    header.value = text ? mem_strdup(node->text) : NULL;
    hook->http.headers[hook->http.n_headers++] = header;
}

bool conf_http_want_map(const struct conf_fill *fill, const struct conf_row *row,
                        const struct conf_node *node, size_t max)
{
    if (node->kind == NODE_EMPTY || (node->kind == NODE_MAP && node->n <= max))
        return true;
    conf_found_at(fill->found, node, "'%s' must be a map of names to values (%s), not %s",
                  row->doc.name, row->doc.range,
                  node->kind == NODE_MAP ? "more" : conf_node_kind_name(node));
    return false;
}

static void set_headers(const struct conf_fill *fill, const struct conf_row *row,
                        const struct conf_node *node, void *object)
{
    release_headers(row, object);
    if (!conf_http_want_map(fill, row, node, CONF_MAX_HEADERS))
        return;
    for (size_t i = 0; i < node->n; i++)
        add_header(fill, node->items[i], object);
}

void conf_http_show_pair(const char *name, const char *value, bool first, struct buf *out)
{
    buf_adds(out, first ? "{ " : ", ");
    conf_show_text(name, out);
    buf_adds(out, ": ");
    conf_show_text(value, out);
}

/* A secret is shown as the map it was: its one-line form would be read as a text. */
static void show_header(const struct conf_header *h, bool first, struct buf *out)
{
    size_t n;

    if (h->value != NULL) {
        conf_http_show_pair(h->name, h->value, first, out);
        return;
    }
    buf_adds(out, first ? "{ " : ", ");
    conf_show_text(h->name, out);
    n = strcspn(h->secret.source, ":");
    buf_addf(out, ": { %.*s: ", (int)n, h->secret.source);
    conf_show_text(h->secret.source + n + 1, out);
    buf_adds(out, " }");
}

static bool show_headers(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_hook *hook = object;

    (void)row;
    for (size_t i = 0; i < hook->http.n_headers; i++)
        show_header(&hook->http.headers[i], i == 0, out);
    buf_adds(out, hook->http.n_headers != 0 ? " }" : "");
    return hook->http.n_headers != 0;
}

const struct conf_type conf_type_http_headers = {set_headers, show_headers, release_headers};

/* ---- secrets ---- */

static void release_secrets(const struct conf_row *row, void *object)
{
    struct conf_hook *hook = object;

    (void)row;
    for (size_t i = 0; i < hook->http.n_secrets; i++)
        conf_secret_free(&hook->http.secrets[i]);
    hook->http.n_secrets = 0;
}

static void add_secret(const struct conf_fill *fill, const struct conf_node *node,
                       struct conf_hook *hook)
{
    struct conf_secret *secret = &hook->http.secrets[hook->http.n_secrets];
    struct err err;

    if (!conf_want_secret(fill, "hooks[].http.secrets", node, secret))
        return;
    hook->http.n_secrets++;
    if (webhook_secret_check(secret->value, &err) < 0)
        conf_found_at(fill->found, node, "'hooks[].http.secrets': %s", err.text);
}

static void set_secrets(const struct conf_fill *fill, const struct conf_row *row,
                        const struct conf_node *node, void *object)
{
    release_secrets(row, object);
    if (node->kind == NODE_EMPTY)
        return;
    if (node->kind != NODE_LIST || node->n > CONF_MAX_SECRETS) {
        conf_found_at(fill->found, node, "'%s' must be a list of at most %d secrets", row->doc.name,
                      CONF_MAX_SECRETS);
        return;
    }
    for (size_t i = 0; i < node->n; i++)
        add_secret(fill, node->items[i], object);
}

static bool show_secrets(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_hook *hook = object;

    (void)row;
    for (size_t i = 0; i < hook->http.n_secrets; i++) {
        buf_adds(out, i == 0 ? "[" : ", ");
        conf_show_text(hook->http.secrets[i].source, out);
    }
    buf_adds(out, hook->http.n_secrets != 0 ? "]" : "");
    return hook->http.n_secrets != 0;
}

const struct conf_type conf_type_http_secrets = {set_secrets, show_secrets, release_secrets};

/* ---- folders of other machines ---- */

static void release_path_map(const struct conf_row *row, void *object)
{
    struct conf_hook *hook = object;

    (void)row;
    for (size_t i = 0; i < hook->http.n_path_map; i++) {
        free(hook->http.path_map[i].ours);
        free(hook->http.path_map[i].theirs);
    }
    hook->http.n_path_map = 0;
}

/* Without slashes at the end, so that both sides are cut at the same place. */
static char *folder(const char *text)
{
    size_t n = strlen(text);

    while (n > 1 && text[n - 1] == '/')
        n--;
    return mem_strndup(text, n);
}

static void add_mapping(const struct conf_fill *fill, const struct conf_node *node,
                        struct conf_hook *hook)
{
    struct conf_mapping *m = &hook->http.path_map[hook->http.n_path_map];

    if (node->key[0] != '/' || node->kind != NODE_TEXT || node->text[0] == '\0') {
        conf_found_key(fill->found, node,
                       "'hooks[].http.path_map': must be an absolute folder of this machine and "
                       "its name on the server, as in /srv/media: /media");
        return;
    }
    m->ours = folder(node->key);
    m->theirs = folder(node->text);
    hook->http.n_path_map++;
}

static void set_path_map(const struct conf_fill *fill, const struct conf_row *row,
                         const struct conf_node *node, void *object)
{
    release_path_map(row, object);
    if (!conf_http_want_map(fill, row, node, CONF_MAX_MAPPINGS))
        return;
    for (size_t i = 0; i < node->n; i++)
        add_mapping(fill, node->items[i], object);
}

static bool show_path_map(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_hook *hook = object;

    (void)row;
    for (size_t i = 0; i < hook->http.n_path_map; i++)
        conf_http_show_pair(hook->http.path_map[i].ours, hook->http.path_map[i].theirs, i == 0,
                            out);
    buf_adds(out, hook->http.n_path_map != 0 ? " }" : "");
    return hook->http.n_path_map != 0;
}

const struct conf_type conf_type_http_path_map = {set_path_map, show_path_map, release_path_map};

/* ---- all of them together ---- */

enum use { USE_NONE, USE_MAY, USE_MUST };

static enum use use_if(bool must, bool may)
{
    if (must)
        return USE_MUST;
    return may ? USE_MAY : USE_NONE;
}

/* Options that not every preset has a use for. */
static const char *const choosy[] = {"url",        "token", "user",   "library", "method",
                                     "format",     "body",  "region", "upload",  "form",
                                     "file_field", "batch", "sign",   "secrets"};

/* Several runs in one request: as a list of what each would be told. */
static bool may_batch(const struct conf_hook *hook)
{
    if (hook->http.body != NULL || hook->http.upload != UPLOAD_NONE)
        return false;
    if (hook->http.preset != 0)
        return conf_preset_of(hook)->batch_max != 0;
    return hook->http.format == FORMAT_CONTEXT || hook->http.format == FORMAT_CLOUDEVENTS;
}

/* What is signed is the body of the one request: no file, and no list that is asked for. */
static bool may_sign(const struct conf_hook *hook)
{
    const struct conf_preset *p = conf_preset_of(hook);

    return hook->http.upload == UPLOAD_NONE && !p->uploads && !str_eq(p->recipe, "plex");
}

static enum use use_of(const struct conf_hook *hook, const char *option)
{
    const struct conf_preset *p = conf_preset_of(hook);
    bool plain = hook->http.preset == 0;
    bool text = plain && hook->http.upload == UPLOAD_NONE;
    bool form = plain && hook->http.upload == UPLOAD_MULTIPART;
    const struct {
        const char *option;
        enum use use;
    } rows[] = {
        {"url", use_if(p->url == NULL, true)},
        {"token", use_if((p->needs & NEED_TOKEN) != 0, (p->needs & TAKES_TOKEN) != 0)},
        {"user", use_if((p->needs & NEED_USER) != 0, (p->needs & TAKES_USER) != 0)},
        {"library", use_if((p->needs & NEED_LIBRARY) != 0, false)},
        {"region", use_if(false, (p->needs & NEED_REGION) != 0)},
        {"method", use_if(false, plain)},
        {"format", use_if(false, text && hook->http.body == NULL)},
        {"body", use_if(false, text || p->each != NULL)},
        {"upload", use_if(false, plain)},
        {"form", use_if(false, form)},
        {"file_field", use_if(false, form)},
        {"batch", use_if(false, may_batch(hook))},
        {"sign", use_if(false, may_sign(hook))},
        {"secrets", use_if(false, may_sign(hook))},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (str_eq(rows[i].option, option))
            return rows[i].use;
    return USE_MAY;
}

bool conf_http_takes(const struct conf_hook *hook, const char *option)
{
    return use_of(hook, option) != USE_NONE;
}

static const char *reason_against(const struct conf_hook *hook, const char *option)
{
    if (hook->http.preset != 0)
        return "with preset ";
    if (str_eq(option, "form") || str_eq(option, "file_field"))
        return "without 'upload: multipart'";
    if (str_eq(option, "batch"))
        return "with a body or format of one run";
    return hook->http.body != NULL && hook->http.upload == UPLOAD_NONE ? "with a body"
                                                                       : "with an upload";
}

static void check_use(const struct conf_fill *fill, const struct conf_node *node,
                      const struct conf_hook *hook, const char *option)
{
    const struct conf_node *at = conf_node_get(node, option);
    const char *name = conf_preset_of(hook)->name;
    enum use use = use_of(hook, option);

    if (at == NULL && use == USE_MUST && hook->http.preset != 0)
        conf_found_at(fill->found, node, "'hooks[].http.%s' is missing: preset %s needs it", option,
                      name);
    else if (at == NULL && use == USE_MUST)
        conf_found_at(fill->found, node, "'hooks[].http.%s' is missing", option);
    if (at != NULL && use == USE_NONE)
        conf_found_at(fill->found, at, "'hooks[].http.%s' has no meaning %s%s", option,
                      reason_against(hook, option), hook->http.preset != 0 ? name : "");
}

static void check_signing(const struct conf_fill *fill, const struct conf_node *node,
                          const struct conf_hook *hook)
{
    const struct conf_node *secrets = conf_node_get(node, "secrets");
    bool some = secrets != NULL && secrets->kind != NODE_EMPTY &&
                (secrets->kind != NODE_LIST || secrets->n != 0);

    if (hook->http.sign && !some)
        conf_found_at(fill->found, node, "'hooks[].http.secrets' is missing: sign needs it");
    if (!hook->http.sign && some)
        conf_found_at(fill->found, secrets,
                      "'hooks[].http.secrets' needs 'sign: standard-webhooks' beside it");
}

/* NULL: fine. The type of a form names its boundary, which is another one each time; S3 refuses
 * headers of its own that are not signed. */
static const char *against_header(const struct conf_hook *hook, const char *name)
{
    const struct conf_preset *p = conf_preset_of(hook);
    bool form = hook->http.upload == UPLOAD_MULTIPART || p->file_field != NULL;

    if (form && str_eq_nocase(name, "Content-Type"))
        return "viduhook makes that of a form itself";
    if ((p->needs & NEED_REGION) == 0)
        return NULL;
    if (str_eq_nocase(name, "Authorization"))
        return "viduhook makes this header itself";
    return strncasecmp(name, "x-amz-", 6) == 0 ? "would not be signed, and S3 refuses that" : NULL;
}

static void check_headers(const struct conf_fill *fill, const struct conf_node *node,
                          const struct conf_hook *hook)
{
    const struct conf_node *headers = conf_node_get(node, "headers");

    for (size_t i = 0; headers != NULL && i < headers->n; i++) {
        const char *name = headers->items[i]->key;
        const char *why = name != NULL ? against_header(hook, name) : NULL;

        if (why != NULL)
            conf_found_key(fill->found, headers->items[i], "'hooks[].http.headers': %s: %s", name,
                           why);
    }
}

int64_t conf_http_timeout_ms(const struct conf_node *node)
{
    const struct conf_node *preset = conf_node_get(node, "preset");
    const struct conf_node *upload = conf_node_get(node, "upload");

    if (upload != NULL && !str_eq_nocase(str_or(upload->text, "none"), "none"))
        return UPLOAD_TIMEOUT_MS;
    for (size_t i = 0; preset != NULL && i < conf_n_presets; i++)
        if (conf_presets[i].uploads && str_eq_nocase(conf_presets[i].name, preset->text))
            return UPLOAD_TIMEOUT_MS;
    return TIMEOUT_MS;
}

void conf_http_check(const struct conf_fill *fill, const struct conf_node *node,
                     const struct conf_hook *hook)
{
    const struct conf_node *user = conf_node_get(node, "user");

    if (node->kind != NODE_MAP && node->kind != NODE_EMPTY)
        return;
    for (size_t i = 0; i < ARRAY_LEN(choosy); i++)
        check_use(fill, node, hook, choosy[i]);
    if ((conf_preset_of(hook)->needs & NEED_FILE) != 0 && hook->after == NULL)
        conf_found_at(fill->found, node,
                      "preset %s tells of downloaded files: the hook needs 'after: NAME' of a "
                      "download",
                      conf_preset_of(hook)->name);
    if (hook->http.upload != UPLOAD_NONE && hook->after == NULL)
        conf_found_at(fill->found, node,
                      "'hooks[].http.upload' sends downloaded files: the hook needs 'after: NAME' "
                      "of a download");
    if (hook->http.preset != 0 && hook->http.url != NULL && strchr(hook->http.url, '?') != NULL)
        conf_found_at(fill->found, conf_node_get(node, "url"),
                      "'hooks[].http.url': a preset's server has no query");
    check_signing(fill, node, hook);
    check_headers(fill, node, hook);
    if (user != NULL && conf_node_get(node, "token") == NULL)
        conf_found_at(fill->found, user, "'hooks[].http.user' needs a token: its password");
}
