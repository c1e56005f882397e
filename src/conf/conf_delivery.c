/* SPDX-License-Identifier: MIT */
#include "conf/conf_delivery.h"

#include "base/encode.h"
#include "conf/conf_preset.h"
#include "vidu/percent.h"

#include <string.h>
#include <strings.h>

#define TEXT_MAX (1U << 20)

/* The words of a preset that the configuration fills in. */

static void add_token(const struct conf_hook *h, struct buf *out)
{
    buf_add(out, str_or(h->http.token.value, ""), h->http.token.len);
}

static void add_basic(const struct conf_hook *h, struct buf *out)
{
    autofree char *pair =
        mem_printf("%s:%s", str_or(h->http.user, ""), str_or(h->http.token.value, ""));

    encode_base64_buf((const uint8_t *)pair, strlen(pair), out);
    explicit_bzero(pair, strlen(pair));
}

static void add_library(const struct conf_hook *h, struct buf *out)
{
    const char *library = str_or(h->http.library, "");

    buf_addf(out, "%s%s", library, str_ends(library, "/") ? "" : "/");
}

static void add_user(const struct conf_hook *h, struct buf *out)
{
    const char *user = str_or(h->http.user, "");

    percent_encode(user, strlen(user), out);
}

/* The same folder in a URL: "/My clips/" as My%20clips. */
static void add_folder(const struct conf_hook *h, struct buf *out)
{
    const char *at = str_or(h->http.library, "");

    while (*(at += strspn(at, "/")) != '\0') {
        size_t n = strcspn(at, "/");

        percent_encode(at, n, out);
        at += n;
        buf_adds(out, at[strspn(at, "/")] != '\0' ? "/" : "");
    }
}

static const struct word {
    const char *name;
    void (*add)(const struct conf_hook *h, struct buf *out);
} words[] = {{"$token", add_token},
             {"$basic", add_basic},
             {"$library", add_library},
             {"$user", add_user},
             {"$folder", add_folder}};

static const struct word *word_at(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (str_starts(text, words[i].name))
            return &words[i];
    return NULL;
}

/* As a literal of a template: braces double, and in JSON without the quotes around it. */
static void add_literal(const char *text, bool json, struct buf *out)
{
    autobuf struct buf escaped = BUF_INIT(TEXT_MAX);

    buf_add_json(&escaped, text, strlen(text));
    for (const char *p = json ? buf_text(&escaped) + 1 : text; *p != '\0'; p++) {
        if (json && p[1] == '\0')
            break;
        if (*p == '{' || *p == '}')
            buf_addc(out, *p);
        buf_addc(out, *p);
    }
}

static json_t *expand(const struct conf_hook *h, const char *text, bool json)
{
    autobuf struct buf out = BUF_INIT(TEXT_MAX);
    autobuf struct buf value = BUF_INIT(TEXT_MAX);
    json_t *result;

    while (*text != '\0') {
        const struct word *word = word_at(text);

        if (word == NULL) {
            buf_addc(&out, *text++);
            continue;
        }
        buf_reset(&value);
        word->add(h, &value);
        add_literal(buf_text(&value), json, &out);
        text += strlen(word->name);
    }
    result = json_string(buf_text(&out));
    return result != NULL ? result : json_string("");
}

static void add_line(const struct conf_hook *h, json_t *headers, const char *template)
{
    bool secret = strstr(template, "$token") != NULL || strstr(template, "$basic") != NULL;

    if (!secret || h->http.token.value != NULL)
        json_array_append_new(headers, expand(h, template, false));
}

static void drop_header(json_t *headers, const char *name)
{
    for (size_t i = json_array_size(headers); i-- > 0;) {
        const char *line = json_string_value(json_array_get(headers, i));

        if (strncasecmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            json_array_remove(headers, i);
    }
}

/* In place of the preset's of that name: two of them mean nothing good to a server. */
static void add_own_header(const struct conf_header *header, json_t *headers)
{
    autobuf struct buf line = BUF_INIT(TEXT_MAX);

    drop_header(headers, header->name);
    buf_addf(&line, "%s: ", header->name);
    if (header->value != NULL)
        buf_adds(&line, header->value);
    else
        add_literal(header->secret.value, false, &line);
    json_array_append_new(headers, json_string(buf_text(&line)));
}

static json_t *headers_of(const struct conf_hook *h)
{
    const struct conf_preset *preset = conf_preset_of(h);
    json_t *headers = json_array();

    for (size_t i = 0; i < ARRAY_LEN(preset->headers) && preset->headers[i] != NULL; i++)
        add_line(h, headers, preset->headers[i]);
    if (h->http.preset == 0)
        add_line(h, headers,
                 h->http.user != NULL ? "Authorization: Basic $basic"
                                      : "Authorization: Bearer $token");
    for (size_t i = 0; i < h->http.n_headers; i++)
        add_own_header(&h->http.headers[i], headers);
    return headers;
}

static json_t *body_of(const struct conf_hook *h)
{
    const struct conf_preset *preset = conf_preset_of(h);

    if (h->http.body != NULL)
        return json_pack("{s:s}", "each", h->http.body);
    if (preset->each == NULL)
        return NULL;
    return json_pack("{s:o, s:o, s:o}", "head", expand(h, str_or(preset->head, ""), true), "each",
                     expand(h, preset->each, true), "tail",
                     expand(h, str_or(preset->tail, ""), true));
}

/* "https://host/base/" and "/path" are one slash apart. */
static json_t *url_of(const struct conf_hook *h)
{
    const struct conf_preset *preset = conf_preset_of(h);
    const char *base = str_or(h->http.url, str_or(preset->url, ""));
    size_t n = strlen(base);
    autofree char *url = NULL;

    while (preset->path[0] != '\0' && n > 0 && base[n - 1] == '/')
        n--;
    url = mem_printf("%.*s%s", (int)n, base, preset->path);
    return expand(h, url, false);
}

static json_t *path_map_of(const struct conf_hook *h)
{
    json_t *map = json_array();

    for (size_t i = 0; i < h->http.n_path_map; i++)
        json_array_append_new(
            map, json_pack("[s, s]", h->http.path_map[i].ours, h->http.path_map[i].theirs));
    return map;
}

/* [["name", "template"]] */
static json_t *form_of(const struct conf_hook *h)
{
    const struct conf_preset *preset = conf_preset_of(h);
    json_t *form = json_array();

    for (size_t i = 0; i < ARRAY_LEN(preset->form) && preset->form[i].name != NULL; i++)
        json_array_append_new(form,
                              json_pack("[s, s]", preset->form[i].name, preset->form[i].value));
    for (size_t i = 0; i < h->http.n_form; i++)
        json_array_append_new(form,
                              json_pack("[s, s]", h->http.form[i].name, h->http.form[i].value));
    return form;
}

json_t *delivery_action(const struct conf_hook *h)
{
    static const char *const methods[] = {"POST", "PUT", "PATCH", "DELETE", "GET"};
    static const char *const formats[] = {"context", "raw", "cloudevents", "cloudevents-binary"};
    const struct conf_preset *preset = conf_preset_of(h);
    json_t *body = body_of(h);
    json_t *secrets = json_array();
    bool uploads = h->http.upload != UPLOAD_NONE;
    json_t *action =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:b, s:b, s:I}", "kind", "http", "recipe",
                  uploads ? "upload" : preset->recipe, "method", methods[h->http.method], "url",
                  url_of(h), "headers", headers_of(h), "path_map", path_map_of(h), "needs_file",
                  uploads || (preset->needs & NEED_FILE) != 0, "brief", preset->brief, "timeout_ms",
                  (json_int_t)h->timeout_ms);

    if (body != NULL)
        json_object_set_new(action, "body", body);
    else if (h->http.preset == 0 && !uploads)
        json_object_set_new(action, "format", json_string(formats[h->http.format]));
    for (size_t i = 0; h->http.sign && i < h->http.n_secrets; i++)
        json_array_append_new(secrets, json_string(h->http.secrets[i].value));
    json_object_set_new(action, "secrets", secrets);
    if (h->http.batch.max > 1)
        json_object_update_new(action, json_pack("{s:s, s:{s:i, s:I}}", "kind", "http-batch",
                                                 "batch", "max", h->http.batch.max, "wait_ms",
                                                 (json_int_t)h->http.batch.wait_ms));
    if (preset->file_field != NULL || h->http.upload == UPLOAD_MULTIPART)
        json_object_update_new(action, json_pack("{s:s, s:o}", "file_field",
                                                 str_or(preset->file_field, h->http.file_field),
                                                 "form", form_of(h)));
    if ((preset->needs & NEED_REGION) != 0)
        json_object_update_new(action, json_pack("{s:s, s:s, s:s}", "user", h->http.user, "token",
                                                 h->http.token.value, "region", h->http.region));
    return action;
}
