/* SPDX-License-Identifier: MIT */
#include "receiver/intake.h"

#include "base/clock.h"
#include "base/log.h"
#include "vidu/callback.h"
#include "vidu/redact.h"
#include "wire/report.h"

#include <event2/event.h>
#include <string.h>
#include <sys/queue.h>

#define KEY_ROUTE     "/callback/"
#define AT_ROUTE      "at/"
#define MAX_CREATIONS (4U << 20) /* bytes of their canonical JSON */
#define MAX_HEADERS   8192

/* A request that waits for its verdict. */
struct waiting {
    TAILQ_ENTRY(waiting) link; /* in order of deadline, or among the free ones */
    uint64_t id;               /* of the frame: turn and place */
    struct server_request *req;
    int64_t deadline_ms;
};

TAILQ_HEAD(waiting_list, waiting);

struct intake {
    struct channel *keeper;
    uint8_t seal_secret[SEAL_SECRET_LEN];
    char *path_prefix;
    char *providers[HELLO_MAX_PROVIDERS];
    size_t n_providers;
    int64_t reply_ms;
    struct waiting *places;
    size_t n_places;
    struct waiting_list waiting, free;
    size_t n_waiting;
    uint64_t turns;
    struct event *timer;
    struct buf headers, result; /* scratch of one request */
    struct crypto_place *place; /* likewise */
    uint64_t verdicts[VERDICT_COUNT];
    uint64_t not_understood, no_room, no_verdict, not_sent, late_verdicts;
};

/* -- what is let in -- */

/* The key or the provider's name a path ends in; false when it is not one of our paths. */
static bool route_of(const struct intake *in, struct slice path, enum callback_route *route,
                     struct slice *key)
{
    const struct slice parts[] = {slice_str(in->path_prefix), SLICE_LIT(KEY_ROUTE)};
    const struct slice at = SLICE_LIT(AT_ROUTE);

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (path.n < parts[i].n || memcmp(path.p, parts[i].p, parts[i].n) != 0)
            return false;
        path.p += parts[i].n;
        path.n -= parts[i].n;
    }
    *route = ROUTE_KEY;
    *key = path;
    if (path.n < at.n || memcmp(path.p, at.p, at.n) != 0)
        return true;
    *route = ROUTE_AT;
    *key = (struct slice){path.p + at.n, path.n - at.n};
    return true;
}

static bool is_provider(const struct intake *in, struct slice name)
{
    for (size_t i = 0; i < in->n_providers; i++)
        if (slice_is(name, in->providers[i]))
            return true;
    return false;
}

static bool is_known(const struct intake *in, enum callback_route route, struct slice key)
{
    return route == ROUTE_AT ? is_provider(in, key)
                             : key_is_sealed(in->seal_secret, key.p, key.n, in->place);
}

static bool ends_in(struct slice s, const char *suffix)
{
    size_t n = strlen(suffix);

    return s.n > n && slice_is_nocase((struct slice){s.p + s.n - n, n}, suffix);
}

/* application/json, or something/anything+json, with or without parameters. */
static bool is_json(const struct head *head)
{
    size_t n;
    const struct head_field *field = head_field(head, "Content-Type", &n);
    struct slice type;

    if (n != 1)
        return false;
    type = field->value;
    for (size_t i = 0; i < type.n; i++)
        if (type.p[i] == ';')
            type.n = i;
    while (type.n != 0 && (type.p[type.n - 1] == ' ' || type.p[type.n - 1] == '\t'))
        type.n--;
    return slice_is_nocase(type, "application/json") || ends_in(type, "+json");
}

int intake_on_head(const struct head *head, bool *trusted, void *ctx)
{
    struct intake *in = ctx;
    enum callback_route route;
    struct slice key;

    if (!route_of(in, head->path, &route, &key) || !is_known(in, route, key))
        return 404;
    *trusted = route == ROUTE_KEY; /* the name of a provider is no secret */
    if (!slice_is(head->method, "POST"))
        return 405;
    if (head->body == HEAD_BODY_NONE) /* says neither how long it is nor chunked */
        return 400;
    if (!is_json(head))
        return 415;
    if (in->n_waiting == in->n_places) {
        in->no_room++;
        return 503;
    }
    return 0;
}

/* -- what is answered -- */

static void answer(struct server_request *req, int status)
{
    static const struct server_header json[] = {{"Content-Type", "application/json"}, {NULL, NULL}};
    static const struct server_header later[] = {{"Retry-After", "5"}, {NULL, NULL}};
    static const char ok[] = "{\"ok\":true}";

    if (status == 200)
        server_reply(req, status, json, ok, sizeof(ok) - 1);
    else
        server_reply(req, status, status == 503 ? later : NULL, NULL, 0);
}

static void arm(struct intake *in)
{
    const struct waiting *first = TAILQ_FIRST(&in->waiting);
    int64_t wait_ms = first != NULL ? first->deadline_ms - clock_mono_ms() : 0;
    struct timeval tv = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

    if (first == NULL || event_pending(in->timer, EV_TIMEOUT, NULL))
        return;
    if (wait_ms < 0)
        tv = (struct timeval){0};
    event_add(in->timer, &tv);
}

static struct server_request *leave(struct intake *in, struct waiting *w)
{
    struct server_request *req = w->req;

    TAILQ_REMOVE(&in->waiting, w, link);
    TAILQ_INSERT_TAIL(&in->free, w, link);
    in->n_waiting--;
    w->id = 0;
    w->req = NULL;
    return req;
}

/* The keeper has not answered in time. It may still commit: the provider's retry is a duplicate. */
static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
    struct intake *in = ctx;
    int64_t now_ms = clock_mono_ms();
    struct waiting *w;

    (void)fd;
    (void)what;
    while ((w = TAILQ_FIRST(&in->waiting)) != NULL && w->deadline_ms <= now_ms) {
        in->no_verdict++;
        log_warn("callback.no_verdict", LOG_S("peer", server_request_peer(w->req)));
        answer(leave(in, w), 503);
    }
    arm(in);
}

void intake_on_verdict(struct intake *in, const struct frame *f)
{
    struct waiting *w = &in->places[f->id % in->n_places];
    struct msg_verdict msg;
    struct server_request *req;

    if (f->id == 0 || w->id != f->id || message_read(f, &msg) != 0 ||
        msg.verdict >= VERDICT_COUNT) {
        in->late_verdicts++;
        return;
    }
    in->verdicts[msg.verdict]++;
    req = leave(in, w);
    if (verdict_http_status((enum verdict)msg.verdict) == 200)
        server_request_vouch(req);
    answer(req, verdict_http_status((enum verdict)msg.verdict));
}

/* -- what the keeper is asked -- */

/* X-HMAC-SIGNED-HEADERS names, separated by semicolons, what else the signature covers. */
static bool is_signed(const struct head_field *list, struct slice name)
{
    struct slice rest = list != NULL ? list->value : (struct slice){"", 0};

    while (rest.n != 0) {
        const char *end = memchr(rest.p, ';', rest.n);
        size_t n = end != NULL ? (size_t)(end - rest.p) : rest.n;

        if (n == name.n && strncasecmp(rest.p, name.p, n) == 0)
            return true;
        rest.p += end != NULL ? n + 1 : n;
        rest.n -= end != NULL ? n + 1 : n;
    }
    return false;
}

static bool is_wanted(const struct head_field *list, struct slice name)
{
    static const char prefix[] = "X-HMAC-";
    static const char *const names[] = {"Date", "X-Request-Nonce", "Content-Type"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (slice_is_nocase(name, names[i]))
            return true;
    if (name.n >= sizeof(prefix) - 1 && strncasecmp(name.p, prefix, sizeof(prefix) - 1) == 0)
        return true;
    return is_signed(list, name);
}

/* All lines of a name, so that the keeper can see when one came twice. */
static void collect_headers(const struct head *head, struct buf *out)
{
    size_t n;
    const struct head_field *list = head_field(head, "X-HMAC-SIGNED-HEADERS", &n);

    buf_reset(out);
    for (size_t i = 0; i < head->n_fields; i++) {
        const struct head_field *field = &head->fields[i];

        if (!is_wanted(list, field->name))
            continue;
        buf_add(out, field->name.p, field->name.n);
        buf_addc(out, ':');
        buf_add(out, field->value.p, field->value.n);
        buf_addc(out, '\n');
    }
}

static int ask(struct intake *in, uint64_t id, struct server_request *req)
{
    const struct head *head = server_request_head(req);
    struct callback cb;
    struct err err;
    struct msg_callback msg = {.method = head->method,
                               .path = head->path,
                               .query = head->query,
                               .peer = slice_str(server_request_peer(req)),
                               .body = server_request_body(req)};
    enum callback_route route;
    bool understood = callback_parse(msg.body.p, msg.body.n, &cb, &err) == 0;
    int rc;

    if (!understood) {
        in->not_understood++;
        log_debug("callback.not_understood", LOG_S("peer", server_request_peer(req)), LOG_E(&err));
    }
    if (!route_of(in, head->path, &route, &msg.key))
        abort(); /* on_head has let it in */
    msg.route = route;
    collect_headers(head, &in->headers);
    msg.headers = (struct slice){buf_text(&in->headers), in->headers.len};
    report_fill(understood ? &cb : NULL, &in->result, &msg.report);
    rc = channel_send(in->keeper, MSG_CALLBACK, id, &msg);
    if (understood)
        callback_clear(&cb);
    return rc;
}

void intake_on_request(struct server_request *req, void *ctx)
{
    struct intake *in = ctx;
    struct waiting *w = TAILQ_FIRST(&in->free);
    size_t place;
    int rc;

    if (w == NULL) { /* others have filled the table while this body was coming in */
        in->no_room++;
        answer(req, 503);
        return;
    }
    place = (size_t)(w - in->places);
    w->id = ++in->turns * in->n_places + place;
    rc = ask(in, w->id, req);
    if (rc != 0) {
        in->not_sent++;
        log_warn("callback.not_sent", LOG_S("peer", server_request_peer(req)),
                 LOG_S("error", strerror(-rc)));
        w->id = 0;
        answer(req, 503);
        return;
    }
    w->req = req;
    w->deadline_ms = clock_mono_ms() + in->reply_ms;
    TAILQ_REMOVE(&in->free, w, link);
    TAILQ_INSERT_TAIL(&in->waiting, w, link);
    in->n_waiting++;
    arm(in);
}

/* -- the whole -- */

struct intake *intake_new(struct event_base *base, struct channel *keeper,
                          const struct hello_receiver *hello)
{
    struct intake *in = mem_calloc(1, sizeof(*in));

    in->keeper = keeper;
    memcpy(in->seal_secret, hello->seal_secret, sizeof(in->seal_secret));
    in->path_prefix = mem_strdup(str_or(hello->path_prefix, ""));
    in->n_providers = hello->n_providers;
    for (size_t i = 0; i < hello->n_providers; i++)
        in->providers[i] = mem_strdup(hello->providers[i]);
    in->reply_ms = hello->reply_ms;
    in->n_places = hello->max_in_flight > 0 ? (size_t)hello->max_in_flight : 1;
    in->places = mem_calloc(in->n_places, sizeof(struct waiting));
    TAILQ_INIT(&in->waiting);
    TAILQ_INIT(&in->free);
    for (size_t i = 0; i < in->n_places; i++)
        TAILQ_INSERT_TAIL(&in->free, &in->places[i], link);
    in->headers = BUF_INIT(MAX_HEADERS * 2);
    in->result = BUF_INIT(MAX_CREATIONS);
    in->place = crypto_place_new();
    in->timer = event_new(base, -1, 0, on_timer, in);
    if (in->timer == NULL)
        abort();
    return in;
}

void intake_free(struct intake *in)
{
    if (in == NULL)
        return;
    event_free(in->timer);
    for (size_t i = 0; i < in->n_providers; i++)
        free(in->providers[i]);
    free(in->path_prefix);
    buf_free(&in->headers);
    buf_free(&in->result);
    crypto_place_free(in->place);
    free(in->places);
    explicit_bzero(in->seal_secret, sizeof(in->seal_secret));
    free(in);
}

void intake_add_counters(const struct intake *in, struct buf *out)
{
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {
        {"in_flight", in->n_waiting},       {"not_understood", in->not_understood},
        {"refused_in_flight", in->no_room}, {"no_verdict", in->no_verdict},
        {"not_sent", in->not_sent},         {"late_verdicts", in->late_verdicts},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        buf_addf(out, "%s\"%s\":%llu", i == 0 ? "" : ",", rows[i].name,
                 (unsigned long long)rows[i].value);
    for (enum verdict v = 0; v < VERDICT_COUNT; v++)
        buf_addf(out, ",\"verdict_%s\":%llu", verdict_name(v), (unsigned long long)in->verdicts[v]);
}
