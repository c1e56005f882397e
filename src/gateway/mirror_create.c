/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_create.h"

#include "gateway/submit.h"
#include "vidu/form_read.h"

#include <errno.h>
#include <stdio.h>

static void hand_back(struct mirror_call *c, const struct submit_result *r)
{
    char seconds[24];
    struct server_header headers[5] = {{NULL, NULL}};
    size_t n = 0;

    if (r->task != NULL)
        headers[n++] = (struct server_header){"X-Viduhook-Task", r->task};
    if (r->content_type != NULL)
        headers[n++] = (struct server_header){"Content-Type", r->content_type};
    if (r->answer->trace_id[0] != '\0')
        headers[n++] = (struct server_header){"x-md-trace-id", r->answer->trace_id};
    if (r->retry_after_ms >= 0) {
        snprintf(seconds, sizeof(seconds), "%lld", (long long)(r->retry_after_ms + 999) / 1000);
        headers[n++] = (struct server_header){"Retry-After", seconds};
    }
    mirror_reply(c, r->answer->http_status, headers, r->body.p, r->body.n);
}

/*
 * What the provider has said is for the client, whatever became of it here. A lost answer is 500,
 * which providers say as well when they do not know: 502 to 504 make many a client send again.
 * Half an answer that tells no id is lost as well: its 200 would only say that all is well.
 */
static bool is_for_client(const struct submit_result *r)
{
    return r->answer->http_status != 0 && r->end != SUBMIT_UNSENT &&
           (r->whole || r->end != SUBMIT_AMBIGUOUS);
}

static void on_end(const struct submit_result *r, void *ctx)
{
    struct mirror_call *c = ctx;

    if (r == NULL) /* the room ends, and the call with it */
        return;
    if (is_for_client(r))
        hand_back(c, r);
    else if (r->end == SUBMIT_UNSENT)
        mirror_fail(c, 503, "ViduhookUnreachable", "%s", r->error);
    else if (r->end == SUBMIT_OVER_LIMIT)
        mirror_fail(c, 400, r->answer->reason, "%s", r->error);
    else if (r->end == SUBMIT_NOT_REGISTERED)
        mirror_fail(c, 503, "ViduhookNotRecorded", "%s", r->error);
    else
        mirror_fail(c, 500, "ViduhookAmbiguous", "%s", r->error);
}

static struct slice content_type_of(const struct mirror_call *c)
{
    size_t n;
    const struct head_field *field = head_field(server_request_head(c->req), "Content-Type", &n);

    return n == 1 ? field->value : (struct slice){"", 0};
}

/* A body is held once: a form is taken over, and of JSON there is a copy with the callback_url. */
static int begin(struct mirror_call *c, struct err *err)
{
    json_t *args = json_pack("{s:s, s:s, s:O, s:b}", "provider", c->route.account->name, "endpoint",
                             c->route.endpoint, "tags", c->tags, "as_is", 1);
    struct submit_order order = {.args = args,
                                 .body = server_request_body(c->req),
                                 .query = server_request_head(c->req)->query,
                                 .content_type = content_type_of(c)};
    struct buf form = BUF_INIT(0);
    int r;

    if (form_read_is_form(order.content_type)) {
        form = server_request_take_body(c->req);
        order.form = &form;
    }
    r = submit_begin(c->g, &order, on_end, c, err);
    if (r == 0)
        server_request_drop_body(c->req);
    buf_free(&form);
    json_decref(args);
    return r;
}

void mirror_create(struct mirror_call *c)
{
    struct err err = {""};
    int r = begin(c, &err);

    if (r == 0) {
        c->g->counters.http_created++;
    } else if (r == -EAGAIN) {
        mirror_fail(c, 503, "ViduhookNotRecorded", "%s", err.text);
    } else if (r == -E2BIG) {
        mirror_fail(c, 413, "ViduhookBodyTooLarge", "%s", err.text);
    } else {
        mirror_fail(c, 400, "ViduhookBadRequest", "nothing was sent: %s", err.text);
    }
}
