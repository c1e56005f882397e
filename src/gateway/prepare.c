/* SPDX-License-Identifier: MIT */
#include "gateway/prepare.h"

#include "base/clock.h"
#include "vidu/endpoint.h"
#include "vidu/form.h"
#include "vidu/form_read.h"
#include "vidu/key.h"
#include "vidu/tag.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define RECORD_MAX_PROMPT (60U << 10)

static const char *text_arg(const json_t *args, const char *name)
{
    return json_string_value(json_object_get(args, name));
}

/* A path below the provider's prefix that a person may force: img2video, one-click/mv. */
static bool is_plain_path(const char *name)
{
    size_t n = strlen(name);

    return n != 0 && n < ENDPOINT_NAME_MAX && name[0] != '/' && name[n - 1] != '/' &&
           strstr(name, "//") == NULL &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/") == n;
}

static int choose_account(const struct hello_gateway *h, const json_t *args, struct prepared *p,
                          struct err *err)
{
    p->account = account_find(h, text_arg(args, "provider"), err);
    return p->account != NULL ? 0 : -ENOENT;
}

/* *known is NULL for an endpoint that was forced. */
static int choose_endpoint(const json_t *args, struct prepared *p, const struct endpoint **known,
                           struct err *err)
{
    const char *name = text_arg(args, "endpoint");
    bool force = json_is_true(json_object_get(args, "force"));
    const struct endpoint *e = name != NULL ? endpoint_find(name) : NULL;
    autofree char *path = NULL;

    if (name == NULL)
        return err_set(err, -EINVAL, "submit needs an endpoint");
    if (e != NULL && !is_plain_path(name))
        return err_set(err, -EINVAL, "%s: the id of a task belongs in the place of {id}", name);
    if (e == NULL && (!force || !is_plain_path(name)))
        return err_set(err, -EINVAL, "unknown endpoint %s", name);
    path = mem_printf("/%s", name);
    p->endpoint = mem_strdup(name);
    p->url = provider_create_url(account_profile(p->account), p->account->base_url,
                                 &(struct endpoint){.name = name, .path = path});
    p->synchronous = e != NULL && e->query == ENDPOINT_QUERY_NONE;
    *known = e;
    return 0;
}

static const char *path_of(const char *url)
{
    const char *host = strstr(url, "://");
    const char *slash = strchr(host != NULL ? host + 3 : url, '/');

    return slash != NULL ? slash : "";
}

static int put_callback(const struct hello_gateway *h, const struct outline *body,
                        struct prepared *p, struct err *err)
{
    struct crypto_place *place = crypto_place_new();
    char key[KEY_SIZE];
    char *url;
    int r;

    key_new(h->seal_secret, clock_wall_ms() / 1000, place, key);
    key_hash(key, KEY_LEN, place, p->key_hash);
    crypto_place_free(place);
    p->callback_path = mem_printf("%s/callback/", path_of(h->public_url));
    url = mem_printf("%s/callback/%s", h->public_url, key);
    r = request_inject_callback(body, url, &p->body, &p->forward_url, err);
    mem_wipe_free(url, strlen(url));
    explicit_bzero(key, sizeof(key));
    p->called_back = r == 0;
    return r;
}

static int put_form(const struct endpoint *known, const struct outline *body, struct prepared *p,
                    struct err *err)
{
    char boundary[FORM_BOUNDARY_SIZE];

    form_boundary(boundary);
    p->content_type = mem_printf("Content-Type: multipart/form-data; boundary=%s", boundary);
    return form_build(body, known->image, boundary, &p->body, err);
}

static int put_body(const struct hello_gateway *h, const struct endpoint *known, bool as_is,
                    const struct outline *body, struct prepared *p, struct err *err)
{
    struct slice text = outline_source(body);

    if (known != NULL && known->form == ENDPOINT_MULTIPART && !as_is)
        return put_form(known, body, p, err);
    if (known != NULL && known->accepts_callback && p->account->callbacks &&
        !str_empty(h->public_url))
        return put_callback(h, body, p, err);
    buf_add(&p->body, text.p, text.n);
    return 0;
}

static char *cut_text(char *text, size_t max)
{
    if (text != NULL)
        text[str_utf8_cut(text, strlen(text), max)] = '\0';
    return text;
}

/* What the keeper writes down. */
static void describe(const struct outline *body, struct prepared *p)
{
    const json_t *root = outline_root(body);

    p->model = outline_copy(body, json_object_get(root, "model"));
    p->prompt = cut_text(outline_copy(body, json_object_get(root, "prompt")), RECORD_MAX_PROMPT);
    p->payload = outline_copy(body, json_object_get(root, "payload"));
    p->off_peak = json_is_true(json_object_get(root, "off_peak"));
    p->summary = request_summary(body);
}

static void describe_form(struct slice content_type, struct prepared *p)
{
    json_t *fields = form_read(content_type, (struct slice){buf_text(&p->body), p->body.len});

    p->model = document_copy(json_object_get(fields, "model"));
    p->prompt = document_copy(json_object_get(fields, "prompt"));
    p->payload = document_copy(json_object_get(fields, "payload"));
    p->summary = json_dumps(fields, JSON_COMPACT);
    json_decref(fields);
}

int prepare(const struct hello_gateway *h, const json_t *args, struct slice body,
            struct prepared *out, struct err *err)
{
    const struct endpoint *known = NULL;
    autooutline struct outline *outline = NULL;
    int r;

    *out = (struct prepared){.body = BUF_INIT(REQUEST_MAX_BODY)};
    if (body.n > REQUEST_MAX_BODY)
        return err_set(err, -E2BIG, "the body is over %u MiB", REQUEST_MAX_BODY >> 20);
    r = choose_account(h, args, out, err);
    if (r == 0)
        r = choose_endpoint(args, out, &known, err);
    if (r == 0)
        r = outline_parse(body.p, body.n, REQUEST_KEEP, &outline, err);
    if (r == 0)
        r = put_body(h, known, json_is_true(json_object_get(args, "as_is")), outline, out, err);
    if (r < 0)
        return r;
    out->tags = tags_text(json_object_get(args, "tags"), err);
    if (out->tags == NULL)
        return -EINVAL;
    describe(outline, out);
    id_new_task(out->task);
    return 0;
}

int prepare_form(const struct hello_gateway *h, const json_t *args, struct slice content_type,
                 struct buf *form, struct prepared *out, struct err *err)
{
    const struct endpoint *known;
    int r;

    *out = (struct prepared){.body = BUF_INIT(0)};
    r = choose_account(h, args, out, err);
    if (r == 0)
        r = choose_endpoint(args, out, &known, err);
    if (r < 0)
        return r;
    out->tags = tags_text(json_object_get(args, "tags"), err);
    if (out->tags == NULL)
        return -EINVAL;
    out->content_type = mem_printf("Content-Type: %.*s", (int)content_type.n, content_type.p);
    out->body = *form;
    *form = BUF_INIT(0);
    describe_form(content_type, out);
    id_new_task(out->task);
    return 0;
}

void prepared_register(const struct prepared *p, struct msg_register *out)
{
    *out = (struct msg_register){
        .task = slice_str(p->task),
        .provider = slice_str(p->account->name),
        .endpoint = slice_str(p->endpoint),
        .model = slice_str(p->model),
        .prompt = slice_str(p->prompt),
        .payload = slice_str(p->payload),
        .callback_path = slice_str(p->callback_path),
        .request = slice_str(p->summary),
        .tags = slice_str(p->tags),
        .forward_url = slice_str(p->forward_url),
        .off_peak = p->off_peak,
        .expects_callback = p->called_back,
    };
    if (p->called_back)
        out->key_hash = (struct slice){(const char *)p->key_hash, sizeof(p->key_hash)};
}

void prepared_clear(struct prepared *p)
{
    if (p->body.data != NULL) /* has the key in it */
        explicit_bzero(p->body.data, p->body.len);
    buf_free(&p->body);
    if (p->file.size != 0)
        close(p->file.fd);
    free(p->endpoint);
    free(p->url);
    free(p->content_type);
    free(p->callback_path);
    free(p->forward_url);
    free(p->model);
    free(p->prompt);
    free(p->payload);
    free(p->tags);
    free(p->summary);
    *p = (struct prepared){.body = BUF_INIT(REQUEST_MAX_BODY)};
}
