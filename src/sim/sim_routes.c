/* SPDX-License-Identifier: MIT */
#include "sim/sim_routes.h"

#include "base/encode.h"
#include "sim/sim_catalogue.h"
#include "sim/sim_json.h"
#include "sim/sim_list.h"
#include "vidu/crypto.h"

#include <string.h>

#define MAX_ANSWER  ((size_t)16 << 20)
#define MAX_LIST    ((size_t)512 << 20)
#define TRACE_BYTES 16

/* One request on its way through the tables. */
struct ask {
    struct sim_routes *sim;
    struct server_request *req;
    const struct head *head;
    const struct sim_shape *shape;
    const char *key;     /* of the client; borrowed from the options */
    struct slice param;  /* what stood for the last * of the pattern */
    struct slice rest;   /* the path behind the shape's prefix */
    struct slice parent; /* the id in an endpoint's path, empty for most */
    char trace[2 * TRACE_BYTES + 1];
};

struct route {
    const char *method;
    const char *shape;   /* NULL: every one */
    const char *pattern; /* behind the shape's prefix; * is one segment */
    void (*handle)(struct ask *a);
};

static void reply(const char *trace, struct server_request *req, int status, const char *text,
                  size_t n)
{
    const struct server_header headers[] = {
        {"Content-Type", "application/json"},
        {"x-md-trace-id", trace},
        {status == 429 ? "Retry-After" : NULL, "1"},
        {NULL, NULL},
    };

    server_reply(req, status, headers, text, n);
}

static void reply_refusal(struct ask *a, const struct sim_refusal *why)
{
    autobuf struct buf out = BUF_INIT(MAX_ANSWER);
    autofree char *message = why->field != NULL ? mem_printf("%s: %s", why->message, why->field)
                                                : mem_strdup(why->message);

    sim_ledger_event(a->sim->ledger, "refusal",
                     LOG_B("method", a->head->method.p, a->head->method.n),
                     LOG_B("path", a->head->path.p, a->head->path.n), LOG_I("status", why->status),
                     LOG_S("reason", why->reason), LOG_S("field", why->field));
    sim_json_open(&out, NULL, '{');
    sim_json_int(&out, "code", why->status);
    sim_json_str(&out, "reason", why->reason);
    sim_json_str(&out, "message", message);
    sim_json_open(&out, "metadata", '{');
    if (why->field != NULL)
        sim_json_str(&out, "fields", why->field);
    sim_json_str(&out, "trace_id", a->trace);
    sim_json_close(&out, '}');
    sim_json_close(&out, '}');
    reply(a->trace, a->req, why->status, out.data, out.len);
}

static void refuse(struct ask *a, int status, const char *reason, const char *message)
{
    reply_refusal(a, &(struct sim_refusal){status, reason, message, NULL});
}

/* -- create -- */

static const struct sim_refusal create_failed = {500, "InternalServiceFailure", "internal error",
                                                 NULL};

/* The answer to a create; a lost one is a connection that ends. */
static void on_ready(struct sim_task *t, void *ctx)
{
    struct ask *a = ctx;

    if (sim_task_has(t, SIM_LOST_ANSWER))
        server_stream_abort(a->req);
    else if (sim_task_has(t, SIM_ERROR_500))
        reply_refusal(a, &create_failed);
    else
        reply(a->trace, a->req, 200, t->answer.data, t->answer.len);
    buf_free(&t->answer);
    free(a);
}

static bool is_json(const struct head *head)
{
    size_t n;
    const struct head_field *type = head_field(head, "Content-Type", &n);
    struct slice value = type != NULL ? type->value : (struct slice){"", 0};
    const char *semicolon = memchr(value.p, ';', value.n);

    if (semicolon != NULL)
        value.n = (size_t)(semicolon - value.p);
    while (value.n != 0 && value.p[value.n - 1] == ' ')
        value.n--;
    return slice_is_nocase(value, "application/json");
}

static void note_create(struct ask *a, const struct sim_task *t, const json_t *body)
{
    struct slice prompt = sim_request_text(body, "prompt");
    struct slice callback_url = sim_request_text(body, "callback_url");
    const json_t *file = json_object_get(body, "input_reference");

    sim_ledger_event(
        a->sim->ledger, "create", LOG_S("task", t->id), LOG_S("shape", a->shape->name),
        LOG_S("endpoint", t->endpoint->name), LOG_S("trace", a->trace),
        LOG_B("prompt", prompt.p, prompt.n), LOG_B("payload", t->payload, t->payload_len),
        LOG_B("callback_url", callback_url.p, callback_url.n), LOG_S("creation", t->creation),
        LOG_I("file_bytes", json_integer_value(json_object_get(file, "bytes"))),
        LOG_S("file_type", json_string_value(json_object_get(file, "type"))),
        LOG_S("file_sha256", json_string_value(json_object_get(file, "sha256"))));
}

static void create(struct ask *a, const struct sim_endpoint *endpoint, const json_t *body)
{
    struct sim_new_task fresh = {
        .shape = a->shape, .endpoint = endpoint, .body = body, .key = a->key, .parent = a->parent};
    struct sim_refusal why;
    struct sim_task *t;
    struct ask *held;

    fresh.switches = sim_options_draw(a->sim->opt);
    if ((fresh.switches & 1U << SIM_RATE_LIMIT) != 0) {
        refuse(a, 429, "TooManyRequests", "slow down");
        return;
    }
    t = sim_task_new(a->sim->tasks, &fresh, &why);
    if (t == NULL) {
        reply_refusal(a, &why);
        return;
    }
    note_create(a, t, body);
    held = mem_calloc(1, sizeof(*held));
    *held = *a;
    sim_task_start(t, on_ready, held);
}

static json_t *parse_create(struct ask *a, const struct sim_endpoint *endpoint,
                            struct sim_refusal *why)
{
    struct slice body = server_request_body(a->req);
    size_t n;
    const struct head_field *type = head_field(a->head, "Content-Type", &n);

    if (endpoint->form)
        return sim_catalogue_form(type != NULL ? type->value : (struct slice){"", 0}, body, why);
    if (!is_json(a->head)) {
        *why =
            (struct sim_refusal){400, "BadRequest", "Content-Type is not application/json", NULL};
        return NULL;
    }
    return endpoint->bit != 0 ? sim_request_parse(endpoint, body, why)
                              : sim_catalogue_parse(endpoint, body, why);
}

/* Each shape has its own part of the catalogue. */
static const struct sim_endpoint *find_endpoint(struct ask *a)
{
    const struct sim_endpoint *endpoint = sim_endpoint_find(a->rest);

    if (endpoint == NULL)
        endpoint = sim_catalogue_find(a->rest, &a->parent);
    return endpoint != NULL && endpoint->form == a->shape->openai ? endpoint : NULL;
}

static void on_create(struct ask *a)
{
    const struct sim_endpoint *endpoint = find_endpoint(a);
    struct sim_refusal why;
    json_t *body;

    if (endpoint == NULL) {
        refuse(a, 404, "NotFound", "no such endpoint");
        return;
    }
    body = parse_create(a, endpoint, &why);
    if (body == NULL) {
        reply_refusal(a, &why);
    } else if (!sim_uploads_know(a->sim->uploads, a->key, body)) {
        refuse(a, 400, "ImageDownloadFailure", "no such upload");
    } else if (endpoint->answer != NULL) {
        sim_ledger_event(a->sim->ledger, "answer", LOG_S("endpoint", endpoint->name),
                         LOG_S("trace", a->trace));
        reply(a->trace, a->req, 200, endpoint->answer, strlen(endpoint->answer));
    } else {
        create(a, endpoint, body);
    }
    json_decref(body);
}

/* -- images beforehand: below a path of their own (vidu-api.md 8.5) -- */

static void reply_upload(struct ask *a, char *text, const struct sim_refusal *why)
{
    if (text == NULL)
        reply_refusal(a, why);
    else
        reply(a->trace, a->req, 200, text, strlen(text));
    free(text);
}

static void on_upload(struct ask *a)
{
    struct slice body = server_request_body(a->req);
    json_t *json = json_loadb(body.p, body.n, JSON_ALLOW_NUL, NULL);
    struct slice rest = a->rest;
    struct sim_refusal why = {404, "NotFound", "no such path", NULL};
    char *text = NULL;

    if (slice_is(a->head->method, "POST") && rest.n == 0)
        text = sim_upload_begin(a->sim->uploads, a->key, json, &why);
    else if (slice_is(a->head->method, "PUT") && rest.n > 8 && rest.p[0] == '/' &&
             memcmp(rest.p + rest.n - 7, "/finish", 7) == 0)
        text = sim_upload_finish(a->sim->uploads, a->key, (struct slice){rest.p + 1, rest.n - 8},
                                 json, &why);
    reply_upload(a, text, &why);
    json_decref(json);
}

/* -- questions about a task -- */

/* A task belongs to the key that created it; NULL after a 404. */
static struct sim_task *find_task(struct ask *a)
{
    struct sim_task *t = sim_task_find(a->sim->tasks, a->param);

    if (t != NULL && t->shape == a->shape && str_eq(t->key, a->key))
        return t;
    refuse(a, 404, "TaskNotFound", "task not found");
    return NULL;
}

static void on_query(struct ask *a)
{
    autobuf struct buf out = BUF_INIT(MAX_ANSWER);
    struct sim_task *t = find_task(a);
    struct sim_report r;

    if (t == NULL)
        return;
    r = (struct sim_report){.state = t->state,
                            .err_code = t->err_code,
                            .id = t->id,
                            .video = t->state == SIM_SUCCESS ? t->creation : NULL};
    sim_answer_report(t, &r, a->sim->media, &out);
    sim_ledger_event(a->sim->ledger, "query", LOG_S("task", t->id),
                     LOG_S("state", sim_state_word(t->shape, t->state)), LOG_S("trace", a->trace));
    reply(a->trace, a->req, 200, out.data, out.len);
}

static void on_parts(struct ask *a)
{
    autobuf struct buf out = BUF_INIT(MAX_ANSWER);
    struct sim_task *t = find_task(a);

    if (t == NULL)
        return;
    if (!str_eq(t->endpoint->name, "ad-one-click")) {
        refuse(a, 404, "TaskNotFound", "no such advertisement");
        return;
    }
    sim_answer_parts(t, a->sim->media, &out);
    sim_ledger_event(a->sim->ledger, "query", LOG_S("task", t->id),
                     LOG_S("state", sim_state_word(t->shape, t->state)), LOG_S("trace", a->trace));
    reply(a->trace, a->req, 200, out.data, out.len);
}

static void on_list(struct ask *a)
{
    autobuf struct buf out = BUF_INIT(MAX_LIST);
    const struct sim_list_ask ask = {.tasks = a->sim->tasks,
                                     .media = a->sim->media,
                                     .shape = a->shape,
                                     .key = a->key,
                                     .query = a->head->query};
    struct sim_refusal why;

    if (!sim_list(&ask, &out, &why)) {
        reply_refusal(a, &why);
        return;
    }
    sim_ledger_event(a->sim->ledger, "list", LOG_B("query", ask.query.p, ask.query.n),
                     LOG_S("trace", a->trace));
    reply(a->trace, a->req, 200, out.data, out.len);
}

static void on_cancel(struct ask *a)
{
    struct sim_task *t = find_task(a);

    if (t == NULL)
        return;
    if (!sim_task_cancel(t)) {
        refuse(a, 400, "BadRequest", "the task is too far to be cancelled");
        return;
    }
    sim_ledger_event(a->sim->ledger, "cancel", LOG_S("task", t->id));
    reply(a->trace, a->req, 200, "{}", 2);
}

static void on_credits(struct ask *a)
{
    autobuf struct buf out = BUF_INIT(MAX_ANSWER);
    int64_t left = sim_tasks_credits(a->sim->tasks);

    sim_json_open(&out, NULL, '{');
    sim_json_open(&out, "remains", '[');
    sim_json_open(&out, NULL, '{');
    sim_json_str(&out, "type", "metered");
    sim_json_int(&out, "credit_remain", left >= 0 ? left : 1000000);
    sim_json_int(&out, "concurrency_limit", 5);
    sim_json_int(&out, "current_concurrency", 0);
    sim_json_int(&out, "queue_count", 0);
    sim_json_close(&out, '}');
    sim_json_close(&out, ']');
    sim_json_close(&out, '}');
    reply(a->trace, a->req, 200, out.data, out.len);
}

static void on_media(struct ask *a, struct slice name)
{
    enum sim_media_kind kind;
    struct slice creation;
    struct sim_task *t = NULL;
    bool half;

    if (sim_media_name(a->sim->media, name, &creation, &kind))
        t = sim_task_of_creation(a->sim->tasks, creation);
    if (t == NULL) {
        refuse(a, 404, "NotFound", "no such object");
        return;
    }
    half = kind == t->endpoint->result && !t->cut && sim_task_has(t, SIM_TRUNCATED_VIDEO);
    if (sim_media_serve(a->sim->media, a->req, kind, half, sim_task_has(t, SIM_SLOW)) && half)
        sim_task_mark_cut(t);
}

/* -- from the path to the function -- */

static const struct route routes[] = {
    {"GET", "official", "credits", on_credits},
    {"GET", "official", "tasks", on_list},
    {"GET", "official", "tasks/*/creations", on_query},
    {"GET", "powertokens", "tasks/*/creations", on_query},
    {"GET", "octopusx", "task/*/creations", on_query},
    {"POST", "official", "tasks/*/cancel", on_cancel},
    {"GET", "official", "one-click/mv/*", on_query},
    {"GET", "official", "one-click/general_one_click/*", on_query},
    {"GET", "official", "ad-one-click/*", on_parts},
    {"GET", "openai", "videos/*", on_query},
    {"POST", "openai", "videos", on_create},
    {"POST", NULL, "*", on_create},
    {"POST", "official", "ad-one-click/*", on_create},
    {"POST", "official", "one-click/*", on_create},
    {"POST", "official", "one-click/*/*/*", on_create},
};

/* True when path is the pattern; *param is then what stands in the place of its star. */
static bool pattern_fits(const char *pattern, struct slice path, struct slice *param)
{
    const char *p = path.p;
    const char *end = path.p + path.n;

    for (; *pattern != '\0'; pattern++) {
        if (*pattern != '*') {
            if (p == end || *p++ != *pattern)
                return false;
            continue;
        }
        param->p = p;
        while (p < end && *p != '/')
            p++;
        param->n = (size_t)(p - param->p);
    }
    return p == end;
}

/* The route, or NULL with the status of the refusal. What fits where any endpoint may stand need
 * not be one. */
static const struct route *find_route(struct ask *a, struct slice rest, int *status)
{
    *status = 404;
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        const struct route *r = &routes[i];

        if ((r->shape != NULL && !str_eq(r->shape, a->shape->name)) ||
            !pattern_fits(r->pattern, rest, &a->param))
            continue;
        if (slice_is(a->head->method, r->method))
            return r;
        if (r->handle != on_create || find_endpoint(a) != NULL)
            *status = 405;
    }
    return NULL;
}

/* The key behind the scheme word; NULL when it is none of ours. */
static const char *find_key(const struct ask *a)
{
    size_t n;
    const struct head_field *f = head_field(a->head, "Authorization", &n);
    size_t scheme = strlen(a->shape->scheme);
    const struct sim_options *opt = a->sim->opt;

    if (f == NULL || f->value.n <= scheme + 1 ||
        memcmp(f->value.p, a->shape->scheme, scheme) != 0 || f->value.p[scheme] != ' ')
        return NULL;
    for (size_t i = 0; i < opt->n_keys; i++)
        if (slice_is((struct slice){f->value.p + scheme + 1, f->value.n - scheme - 1},
                     opt->keys[i]))
            return opt->keys[i];
    return NULL;
}

static bool cut_prefix(struct slice path, const char *prefix, struct slice *rest)
{
    size_t n = strlen(prefix);

    if (path.n < n || memcmp(path.p, prefix, n) != 0)
        return false;
    *rest = (struct slice){path.p + n, path.n - n};
    return true;
}

/* One reseller is played at a time: whose path this is, if it is another one's; else NULL. */
static const struct sim_shape *other_reseller(const struct ask *a)
{
    struct slice rest, param;

    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        const struct sim_shape *s =
            routes[i].shape != NULL ? sim_shape_find(routes[i].shape) : NULL;

        if (s != NULL && !str_eq(s->name, "official") && !str_eq(s->name, a->sim->opt->gateway) &&
            cut_prefix(a->head->path, s->prefix, &rest) &&
            pattern_fits(routes[i].pattern, rest, &param))
            return s;
    }
    return NULL;
}

static void refuse_path(struct ask *a, int status)
{
    const struct sim_shape *other = other_reseller(a);
    autofree char *why =
        other == NULL ? NULL
                      : mem_printf("this path is for viduhook sim --gateway %s", other->name);

    if (why != NULL)
        refuse(a, 404, "NotFound", why);
    else if (status == 405)
        refuse(a, 405, "BadRequest", "method not allowed");
    else
        refuse(a, 404, "NotFound", "no such path");
}

static void dispatch(struct ask *a)
{
    const struct sim_shape *shapes[] = {sim_shape_find("official"),
                                        sim_shape_find(a->sim->opt->gateway)};
    const struct route *route;
    struct slice rest;
    int status;
    bool upload;

    if (cut_prefix(a->head->path, "/media/", &rest)) {
        on_media(a, rest);
        return;
    }
    if (cut_prefix(a->head->path, "/uploads/", &rest)) {
        sim_upload_put(a->sim->uploads, a->req, rest);
        return;
    }
    upload = cut_prefix(a->head->path, "/tools/v2/files/uploads", &rest);
    if (upload)
        a->shape = shapes[0];
    for (size_t i = 0; i < ARRAY_LEN(shapes) && a->shape == NULL; i++)
        if (cut_prefix(a->head->path, shapes[i]->prefix, &rest))
            a->shape = shapes[i];
    if (a->shape == NULL) {
        refuse_path(a, 404);
        return;
    }
    a->key = find_key(a);
    if (a->key == NULL) {
        refuse(a, 401, "Unauthorized", "invalid token");
        return;
    }
    a->rest = rest;
    if (upload) {
        on_upload(a);
        return;
    }
    route = find_route(a, rest, &status);
    if (route != NULL)
        route->handle(a);
    else
        refuse_path(a, status);
}

void sim_routes_on_request(struct server_request *req, void *ctx)
{
    struct ask a = {.sim = ctx, .req = req, .head = server_request_head(req)};
    uint8_t trace[TRACE_BYTES];

    crypto_random(trace, sizeof(trace));
    encode_hex(trace, sizeof(trace), a.trace);
    dispatch(&a);
}
