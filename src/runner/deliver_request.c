/* SPDX-License-Identifier: MIT */
#include "runner/deliver_request.h"

#include "base/clock.h"
#include "base/encode.h"
#include "vidu/crypto.h"
#include "vidu/document.h"
#include "vidu/template.h"
#include "vidu/webhook.h"
#include "wire/path_map.h"
#include "wire/run.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define URL_MAX          8192
#define LINE_MAX         (16U << 10)
#define BODY_MAX         (8U << 20)
#define VALUE_MAX        (8U << 20)
#define BRIEF_MAX        1000
#define ID_MAX           256
#define BRIEF_DETAIL_MAX 300
#define EVENT_TYPE       "viduhook."

void deliver_fill(const char *text, enum template_place place, const json_t *context,
                  struct buf *out)
{
    struct run_lookup l = {.context = context, .scratch = BUF_INIT(VALUE_MAX)};

    template_fill_at(text, place, run_look_up, &l, out);
    buf_free(&l.scratch);
}

/* ---- the context as the server sees it ---- */

static void cut_text(json_t *object, const char *name, size_t max)
{
    const char *text = document_member(object, name);
    size_t n = str_utf8_cut(text, strlen(text), max);
    autofree char *brief = mem_printf("%.*s...", (int)n, text);

    if (text[n] != '\0')
        json_object_set_new(object, name, json_string(brief));
}

/* So that what people are told fits into one message of any of these services. */
static void make_brief(json_t *context)
{
    json_t *details = json_object_get(context, "details");
    const char *name;
    json_t *value;

    cut_text(json_object_get(context, "task"), "prompt", BRIEF_MAX);
    json_object_foreach (details, name, value)
        if (json_is_string(value))
            cut_text(details, name, BRIEF_DETAIL_MAX);
}

static void map_files(const json_t *action, json_t *context)
{
    const json_t *files = json_object_get(context, "files");

    for (size_t i = 0; i < json_array_size(files); i++) {
        json_t *file = json_array_get(files, i);
        autofree char *path =
            path_map_apply(json_object_get(action, "path_map"), document_member(file, "path"));

        json_object_set_new(file, "path", json_string(path));
    }
}

json_t *deliver_context(const json_t *action, const json_t *context)
{
    json_t *copy = json_deep_copy(context);
    const json_t *batch = json_object_get(copy, "batch");

    map_files(action, copy);
    for (size_t i = 0; i < json_array_size(batch); i++)
        map_files(action, json_array_get(batch, i));
    if (json_is_true(json_object_get(action, "brief")))
        make_brief(copy);
    return copy;
}

/* ---- head ---- */

void deliver_url(const json_t *action, const json_t *context, struct buf *out)
{
    deliver_fill(document_member(action, "url"), TEMPLATE_URL, context, out);
}

void deliver_add_line(struct deliver_request *r, const char *fmt, ...)
{
    struct buf line = BUF_INIT(LINE_MAX);
    va_list ap;

    if (r->n_lines == DELIVER_LINES_MAX) {
        r->lines_cut = true;
        return;
    }
    va_start(ap, fmt);
    buf_vaddf(&line, fmt, ap);
    va_end(ap);
    r->lines_cut = r->lines_cut || !buf_ok(&line);
    r->lines[r->n_lines++] = buf_take(&line);
}

void deliver_headers(const json_t *action, const json_t *context, struct deliver_request *r)
{
    const json_t *headers = json_object_get(action, "headers");

    for (size_t i = 0; i < json_array_size(headers); i++) {
        autobuf struct buf line = BUF_INIT(LINE_MAX);

        deliver_fill(str_or(json_string_value(json_array_get(headers, i)), ""), TEMPLATE_LINE,
                     context, &line);
        r->lines_cut = r->lines_cut || !buf_ok(&line);
        deliver_add_line(r, "%s", buf_text(&line));
    }
}

static const char *content_type(const struct deliver_request *r)
{
    static const char name[] = "Content-Type:";

    for (size_t i = 0; i < r->n_lines; i++)
        if (strncasecmp(r->lines[i], name, strlen(name)) == 0)
            return r->lines[i] + strlen(name);
    return NULL;
}

void deliver_add_type(struct deliver_request *r, const char *type)
{
    if (content_type(r) == NULL)
        deliver_add_line(r, "Content-Type: %s", type);
}

/* ---- body ---- */

static enum template_place body_place(const char *type)
{
    if (type == NULL || strcasestr(type, "json") != NULL)
        return TEMPLATE_JSON;
    return strcasestr(type, "urlencoded") != NULL ? TEMPLATE_URL : TEMPLATE_PLAIN;
}

bool deliver_is_result(const json_t *file)
{
    const char *kind = document_member(file, "kind");

    return str_eq(kind, "video") || str_eq(kind, "image") || str_eq(kind, "audio");
}

/* The body once for every result, with the context that has only this file. */
static void fill_each(const json_t *body, enum template_place place, const json_t *context,
                      struct buf *out)
{
    const json_t *files = json_object_get(context, "files");
    const char *comma = "";

    for (size_t i = 0; i < json_array_size(files); i++) {
        json_t *file = json_array_get(files, i);
        json_t *one;

        if (!deliver_is_result(file))
            continue;
        one = json_copy((json_t *)context);
        json_object_set_new(one, "files", json_pack("[O]", file));
        buf_adds(out, comma);
        deliver_fill(document_member(body, "each"), place, one, out);
        json_decref(one);
        comma = ",";
    }
}

static void fill_body(const json_t *body, const json_t *context, struct deliver_request *r)
{
    enum template_place place = body_place(content_type(r));
    const char *head = document_member(body, "head");

    if (head[0] == '\0') {
        deliver_fill(document_member(body, "each"), place, context, &r->body);
        return;
    }
    deliver_fill(head, place, context, &r->body);
    fill_each(body, place, context, &r->body);
    deliver_fill(document_member(body, "tail"), place, context, &r->body);
}

static int add_piece(const char *p, size_t n, void *ctx)
{
    buf_add(ctx, p, n);
    return 0;
}

static void add_json(const json_t *json, struct buf *out)
{
    (void)json_dump_callback(json, add_piece, out, JSON_COMPACT);
}

/* ---- which event it is ---- */

/* The same for every attempt of a run, and of no other run. */
static void event_id(const json_t *context, struct buf *out)
{
    const json_t *run = json_object_get(context, "run");

    buf_addf(out, "%s_%s_%lld", document_member(json_object_get(context, "task"), "id"),
             document_member(context, "event"),
             (long long)json_integer_value(json_object_get(run, "id")));
}

/* Of the same runs the same. */
static void batch_id(const json_t *batch, struct buf *out)
{
    autobuf struct buf all = BUF_INIT(json_array_size(batch) * ID_MAX);
    uint8_t digest[SHA256_LEN];
    char hex[SHA256_LEN * 2 + 1];

    for (size_t i = 0; i < json_array_size(batch); i++) {
        event_id(json_array_get(batch, i), &all);
        buf_addc(&all, '\n');
    }
    crypto_sha256(buf_text(&all), all.len, digest);
    encode_hex(digest, sizeof(digest), hex);
    buf_addf(out, "batch_%.32s", hex);
}

struct filling {
    const json_t *action, *context;
    const char *id;
};

/* When it happened: the same in every attempt. */
static const char *event_time(const json_t *context)
{
    const json_t *task = json_object_get(context, "task");
    const char *finished = document_member(task, "finished_at");

    return finished[0] != '\0' ? finished : document_member(task, "created_at");
}

/* The attributes of a CloudEvent, as members of an object (CloudEvents 1.0, section 3). */
static json_t *event_attributes(const json_t *context, const char *id)
{
    const json_t *task = json_object_get(context, "task");
    const char *provider = document_member(task, "provider");
    autofree char *source = mem_printf("/viduhook%s%s", provider[0] != '\0' ? "/" : "", provider);
    autofree char *type = mem_printf(EVENT_TYPE "%s%s", task != NULL ? "task." : "",
                                     document_member(context, "event"));
    json_t *all = json_pack("{s:s, s:s, s:s, s:s}", "specversion", "1.0", "id", id, "source",
                            source, "type", type);

    if (document_member(task, "id")[0] != '\0')
        json_object_set(all, "subject", json_object_get(task, "id"));
    if (event_time(context)[0] != '\0')
        json_object_set_new(all, "time", json_string(event_time(context)));
    return all;
}

/* What the hook adds to its URL and headers is as ever; the body is what came, to the byte. */
static int fill_raw(const struct filling *f, struct deliver_request *r, struct err *err)
{
    const char *raw = document_member(f->action, "raw");
    size_t n = strlen(raw), len = 0;
    autofree uint8_t *bytes = mem_calloc(1, n + 1);

    if (n == 0)
        return err_set(err, -ENOENT, "nothing was received for this event that could be sent raw");
    if (decode_base64(raw, n, bytes, n, &len) < 0)
        return err_set(err, -EINVAL, "what was received cannot be read");
    buf_add(&r->body, bytes, len);
    return 0;
}

static json_t *structured_event(const json_t *context, const char *id)
{
    json_t *event = event_attributes(context, id);

    json_object_set_new(event, "datacontenttype", json_string("application/json"));
    json_object_set(event, "data", (json_t *)context);
    return event;
}

/* CloudEvents, JSON format, section 4: a list of events. */
static json_t *structured_list(const json_t *contexts)
{
    json_t *list = json_array();

    for (size_t i = 0; i < json_array_size(contexts); i++) {
        const json_t *one = json_array_get(contexts, i);
        autobuf struct buf id = BUF_INIT(ID_MAX);

        event_id(one, &id);
        json_array_append_new(list, structured_event(one, buf_text(&id)));
    }
    return list;
}

static int fill_structured(const struct filling *f, struct deliver_request *r, struct err *err)
{
    const json_t *batch = json_object_get(f->context, "batch");
    json_t *all = batch != NULL ? structured_list(batch) : structured_event(f->context, f->id);

    (void)err;
    deliver_add_type(r, batch != NULL ? "application/cloudevents-batch+json; charset=utf-8"
                                      : "application/cloudevents+json; charset=utf-8");
    add_json(all, &r->body);
    json_decref(all);
    return 0;
}

static int fill_binary(const struct filling *f, struct deliver_request *r, struct err *err)
{
    json_t *all = event_attributes(f->context, f->id);
    const char *name;
    json_t *value;

    (void)err;
    json_object_foreach (all, name, value)
        deliver_add_line(r, "ce-%s: %s", name, json_string_value(value));
    json_decref(all);
    add_json(f->context, &r->body);
    return 0;
}

static int fill_context(const struct filling *f, struct deliver_request *r, struct err *err)
{
    const json_t *batch = json_object_get(f->context, "batch");

    (void)err;
    add_json(batch != NULL ? batch : f->context, &r->body);
    return 0;
}

static const struct format {
    const char *name;
    int (*fill)(const struct filling *f, struct deliver_request *r, struct err *err);
} formats[] = {{"context", fill_context},
               {"raw", fill_raw},
               {"cloudevents", fill_structured},
               {"cloudevents-binary", fill_binary}};

static int fill_content(const json_t *action, const json_t *context, const char *id,
                        struct deliver_request *r, struct err *err)
{
    const struct filling f = {action, context, id};
    const json_t *body = json_object_get(action, "body");
    const char *format = document_member(action, "format");

    if (str_eq(r->method, "GET"))
        return 0;
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        if (body != NULL || !str_eq(formats[i].name, format))
            continue;
        r->has_body = true;
        if (formats[i].fill(&f, r, err) < 0)
            return -EINVAL;
    }
    if (body != NULL) {
        fill_body(body, context, r);
        r->has_body = true;
    }
    if (r->has_body)
        deliver_add_type(r, "application/json");
    return 0;
}

/* ---- who it is from ---- */

static void add_attempt(const json_t *context, struct deliver_request *r)
{
    const json_t *run = json_object_get(context, "run");

    deliver_add_line(r, "viduhook-attempt: %lld",
                     (long long)json_integer_value(json_object_get(run, "attempt")));
}

void deliver_identify(const json_t *context, size_t number, int64_t now_s,
                      struct deliver_request *r)
{
    autobuf struct buf id = BUF_INIT(ID_MAX);

    event_id(context, &id);
    if (number != 0)
        buf_addf(&id, "_%zu", number + 1);
    deliver_add_line(r, "webhook-id: %s", buf_text(&id));
    deliver_add_line(r, "webhook-timestamp: %lld", (long long)now_s);
    add_attempt(context, r);
}

static int sign(const json_t *action, const char *id, int64_t now_s, struct deliver_request *r,
                struct err *err)
{
    const json_t *secrets = json_object_get(action, "secrets");
    struct slice body = {buf_text(&r->body), r->body.len};
    autobuf struct buf all = BUF_INIT(1024);

    deliver_add_line(r, "webhook-id: %s", id);
    deliver_add_line(r, "webhook-timestamp: %lld", (long long)now_s);
    for (size_t i = 0; i < json_array_size(secrets); i++) {
        int rc = webhook_sign(str_or(json_string_value(json_array_get(secrets, i)), ""), id, now_s,
                              body, &all, err);

        if (rc < 0)
            return rc;
    }
    if (all.len != 0)
        deliver_add_line(r, "webhook-signature: %s", buf_text(&all));
    return 0;
}

int deliver_request_fill(const json_t *action, const json_t *context, int64_t now_s,
                         struct deliver_request *r, struct err *err)
{
    const json_t *batch = json_object_get(context, "batch");
    autobuf struct buf id = BUF_INIT(ID_MAX);
    int rc;

    r->method = document_member(action, "method");
    r->url = BUF_INIT(URL_MAX);
    r->body = BUF_INIT(BODY_MAX);
    if (json_array_size(batch) > 1)
        batch_id(batch, &id);
    else
        event_id(context, &id);
    deliver_url(action, context, &r->url);
    deliver_headers(action, context, r);
    rc = fill_content(action, context, buf_text(&id), r, err);
    add_attempt(context, r);
    if (rc < 0)
        return rc;
    if (!buf_ok(&r->url) || !buf_ok(&r->body))
        return err_set(err, -EINVAL, "the %s is too long", buf_ok(&r->url) ? "body" : "URL");
    return sign(action, buf_text(&id), now_s, r, err);
}

void deliver_request_clear(struct deliver_request *r)
{
    buf_free(&r->url);
    buf_free(&r->body);
    buf_free(&r->head);
    buf_free(&r->tail);
    for (size_t i = 0; i < r->n_lines; i++)
        mem_wipe_free(r->lines[i], strlen(r->lines[i]));
    *r = (struct deliver_request){0};
}
