/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_call.h"

#include "base/log.h"
#include "gateway/control.h"
#include "gateway/mirror_error.h"
#include "vidu/request.h"
#include "vidu/tag.h"

#include <event2/event.h>
#include <stdarg.h>
#include <string.h>

#define MAX_TEXT 4096

static void stop_watching(struct mirror_call *c)
{
    if (!c->counts_as_watcher)
        return;
    c->mirror->watchers--;
    control_watchers_changed(c->g->control);
}

void mirror_call_free(struct mirror_call *c)
{
    TAILQ_REMOVE(&c->mirror->calls, c, link);
    c->mirror->n_calls--;
    c->mirror->answers -= c->answer.len;
    buf_free(&c->answer);
    buf_free(&c->said);
    buf_free(&c->instead);
    if (c->timer != NULL)
        event_free(c->timer);
    mirror_route_clear(&c->route);
    json_decref(c->tags);
    free(c);
}

void mirror_reply(struct mirror_call *c, int status, const struct server_header *headers,
                  const void *body, size_t n)
{
    struct gateway *g = c->g;

    server_reply(c->req, status, headers, body, n);
    stop_watching(c);
    mirror_call_free(c);
    gateway_check_idle(g);
}

void mirror_reply_json(struct mirror_call *c, const char *text, size_t n)
{
    static const struct server_header json[] = {{"Content-Type", "application/json"}, {NULL, NULL}};

    c->g->counters.http_local++;
    mirror_reply(c, 200, json, text, n);
}

void mirror_fail(struct mirror_call *c, int status, const char *reason, const char *fmt, ...)
{
    const struct server_header headers[] = {{"Content-Type", "application/json"},
                                            {status == 503 ? "Retry-After" : NULL, "5"},
                                            {NULL, NULL}};
    struct buf message = BUF_INIT(MAX_TEXT);
    struct buf text = BUF_INIT(8 * MAX_TEXT);
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&message, fmt, ap);
    va_end(ap);
    log_warn("http.failed", LOG_S("provider", c->route.account->name), LOG_I("status", status),
             LOG_S("reason", reason), LOG_S("error", buf_text(&message)));
    c->g->counters.http_failed++;
    mirror_error_text(status, reason, buf_text(&message), &text);
    mirror_reply(c, status, headers, text.data, text.len);
    buf_free(&message);
    buf_free(&text);
}

bool mirror_keep(struct mirror_call *c, const void *p, size_t n)
{
    const struct mirror *m = c->mirror;

    c->no_room = server_held_bytes(m->server) + m->answers + n > c->g->hello.http_budget;
    if (c->no_room)
        return false;
    buf_add(&c->answer, p, n);
    if (!buf_ok(&c->answer))
        return false;
    c->mirror->answers += n;
    return true;
}

/* -- the headers that are meant for us -- */

static bool add_tag(struct mirror_call *c, struct slice value)
{
    const char *mark = memchr(value.p, '=', value.n);
    size_t n = mark != NULL ? (size_t)(mark - value.p) : 0;
    size_t rest = value.n - n - (mark != NULL);
    autofree char *key = mem_strndup(value.p, n);

    if (tag_check(key, rest, NULL) < 0 || !str_is_utf8(value.p, value.n))
        return false;
    return json_object_set_new(c->tags, key, json_stringn(mark + 1, rest)) == 0;
}

static bool set_wait(struct mirror_call *c, struct slice value)
{
    uint64_t seconds;
    int rc = str_to_u64(value.p, value.n, MIRROR_MAX_WAIT_S, &seconds);

    if (rc == -EINVAL)
        return false;
    c->wait_s = rc == 0 ? (int)seconds : MIRROR_MAX_WAIT_S;
    return true;
}

static const struct {
    const char *name, *form;
    bool (*take)(struct mirror_call *c, struct slice value);
} own_headers[] = {
    {"X-Viduhook-Tag", "name=value, of at most 64 and 256 bytes", add_tag},
    {"X-Viduhook-Wait", "a whole number of seconds", set_wait},
};

/* NULL, or the form of the first that is wrong. */
static const char *read_own_headers(struct mirror_call *c, const char **wrong)
{
    const struct head *head = server_request_head(c->req);

    for (size_t i = 0; i < head->n_fields; i++)
        for (size_t j = 0; j < ARRAY_LEN(own_headers); j++)
            if (slice_is_nocase(head->fields[i].name, own_headers[j].name) &&
                !own_headers[j].take(c, head->fields[i].value)) {
                *wrong = own_headers[j].name;
                return own_headers[j].form;
            }
    return NULL;
}

struct mirror_call *mirror_call_new(struct mirror *m, struct server_request *req)
{
    struct mirror_call *c = mem_calloc(1, sizeof(*c));
    const char *wrong = NULL;
    const char *form;

    *c = (struct mirror_call){.mirror = m, .g = m->g, .req = req, .tags = json_object()};
    c->answer = BUF_INIT(MIRROR_MAX_BODY);
    c->said = BUF_INIT(MIRROR_MAX_BODY);
    c->instead = BUF_INIT(MIRROR_MAX_BODY);
    TAILQ_INSERT_TAIL(&m->calls, c, link);
    m->n_calls++;
    m->g->counters.http_requests++;
    if (!mirror_route(&m->g->hello, server_request_head(req), &c->route))
        abort(); /* mirror.c lets nothing else in */
    form = read_own_headers(c, &wrong);
    if (form == NULL)
        return c;
    mirror_fail(c, 400, "ViduhookBadHeader", "%s must be %s", wrong, form);
    return NULL;
}
