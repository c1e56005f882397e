/* SPDX-License-Identifier: MIT */
#include "keeper/given.h"

#include <errno.h>

void given_clear(struct given *g)
{
    callback_clear(&g->callback);
    buf_free(&g->result);
}

int given_parse(const struct keeper *k, const struct store_task *t, enum store_source source,
                struct slice body, struct given *out, struct err *err)
{
    const struct conf_provider *p =
        source == SOURCE_POLL ? conf_provider_find(k->conf, t->provider) : NULL;
    struct provider_profile speech;
    int rc;

    if (p != NULL) {
        speech = conf_provider_speech(p);
        rc =
            callback_parse_answer(body.p, body.n, t->remote_id, &speech.names, &out->callback, err);
    } else {
        rc = callback_parse(body.p, body.n, &out->callback, err);
    }
    if (rc < 0)
        return rc;
    out->source = source;
    report_fill(&out->callback, &out->result, &out->report);
    return 0;
}

struct reading {
    const struct keeper *k;
    const struct store_task *task;
    struct given *out;
    struct err *err;
    int rc;
};

static int on_event(const struct store_event *e, void *ctx)
{
    struct reading *r = ctx;

    r->out->event = e->row;
    r->out->at_ms = e->at_ms;
    r->out->proven = e->nonce.n != 0 || e->source == SOURCE_POLL;
    r->rc = given_parse(r->k, r->task, e->source, e->body, r->out, r->err);
    return 1;
}

int given_read(const struct keeper *k, const struct store_task *t, int64_t event, struct given *out,
               struct err *err)
{
    struct reading r = {.k = k, .task = t, .out = out, .err = err};
    int rc = k->store->ops->event_by_row(k->store, event, on_event, &r);

    if (rc < 0)
        return err_set(err, rc, "the entry %lld of the timeline cannot be read", (long long)event);
    return r.rc;
}

void given_report(const struct msg_report *report, struct store_task *t)
{
    t->err_code = str_or(report->err_code.p, "");
    t->err_msg = str_or(report->err_msg.p, "");
    if (report->credits >= 0)
        t->credits = report->credits;
    if (report->result.n > 2) /* more than [] */
        t->result = report->result.p;
}

void given_apply(const struct given *g, struct store_task *t)
{
    t->state = (enum task_state)g->report.state;
    t->source = g->source;
    given_report(&g->report, t);
}
