/* SPDX-License-Identifier: MIT */
#include "keeper/handout.h"

#include "base/buf.h"
#include "base/encode.h"
#include "base/log.h"
#include "keeper/quota.h"
#include "wire/frame.h"

#include <jansson.h>
#include <string.h>

struct search {
    const char *trigger;
    int64_t event; /* the one that is wanted; 0: the best */
    int score;
    struct buf raw; /* base64 */
};

/* What was said in the words of the trigger is better than anything else, and a callback than the
 * answer to a look; of equals the newest. */
static int score_of(const struct store_event *e, const char *trigger)
{
    bool told = e->source == SOURCE_CALLBACK || e->source == SOURCE_POLL;

    if (!told || e->body.n == 0 || !str_eq(e->verdict, "accepted"))
        return 0;
    return 1 + (e->source == SOURCE_CALLBACK) + 2 * str_eq(state_name(e->state), trigger);
}

static int on_event(const struct store_event *e, void *ctx)
{
    struct search *s = ctx;
    int score = s->event == 0 ? score_of(e, s->trigger) : e->row == s->event && e->body.n != 0;

    if (score == 0 || score < s->score)
        return 0;
    s->score = score;
    buf_reset(&s->raw);
    encode_base64_buf((const uint8_t *)e->body.p, e->body.n, &s->raw);
    return 0;
}

/* Without bytes the member is missing, and the run says so. */
static json_t *make_raw(struct keeper *k, const struct store_run *run)
{
    struct search s = {.trigger = run->trigger, .event = run->event, .raw = BUF_INIT(FRAME_MAX)};
    int rc = k->store->ops->event_list(k->store, run->task, on_event, &s);
    json_t *more = NULL;

    if (rc < 0)
        log_warn("hook.raw", LOG_I("run", run->row), LOG_S("why", strerror(-rc)));
    else if (s.score != 0 && buf_ok(&s.raw)) /* what does not fit into a message ends the run */
        more = json_pack("{s:s}", "raw", buf_text(&s.raw));
    buf_free(&s.raw);
    return more;
}

/* Its last attempt ended with the runner's life: it is made without others, so it need not wait. */
static json_t *make_haste(const struct conf_hook *h)
{
    return json_pack("{s:{s:i, s:i}}", "batch", "max", h->http.batch.max, "wait_ms", 0);
}

json_t *handout_more(struct keeper *k, const struct conf_hook *h, const struct store_run *run)
{
    if (h->action == ACTION_HTTP && h->http.preset == 0 && h->http.body == NULL &&
        h->http.format == FORMAT_RAW)
        return make_raw(k, run);
    if (h->action == ACTION_HTTP && h->http.batch.max > 1 && run->losses > 0)
        return make_haste(h);
    if (h->action == ACTION_DOWNLOAD && h->download.max_total != 0)
        return quota_make(k, h, run);
    return NULL;
}
