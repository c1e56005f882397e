/* SPDX-License-Identifier: MIT */
#include "keeper/handout.h"

#include "base/buf.h"
#include "base/encode.h"
#include "base/log.h"
#include "keeper/quota.h"

#include <jansson.h>
#include <string.h>

#define RAW_MAX (8U << 20) /* as base64; what does not fit into a message ends the run */

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

/* A member of the action. */
static char *put(char *json, const char *name, json_t *value)
{
    json_t *all = json_loads(json, 0, NULL);

    json_object_set_new(json_object_get(all, "action"), name, value);
    free(json);
    json = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    return json;
}

/* Without bytes the member is missing, and the run says so. */
static char *add_raw(struct keeper *k, const struct store_run *run, char *json)
{
    struct search s = {.trigger = run->trigger, .event = run->event, .raw = BUF_INIT(RAW_MAX)};
    int rc = k->store->ops->event_list(k->store, run->task, on_event, &s);

    if (rc < 0)
        log_warn("hook.raw", LOG_I("run", run->row), LOG_S("why", strerror(-rc)));
    if (rc < 0 || s.score == 0) {
        buf_free(&s.raw);
        return json;
    }
    json = put(json, "raw", json_string(buf_text(&s.raw)));
    buf_free(&s.raw);
    return json;
}

/* Its last attempt ended with the runner's life: it is made without others, so it need not wait. */
static char *add_haste(const struct conf_hook *h, char *json)
{
    return put(json, "batch", json_pack("{s:i, s:i}", "max", h->http.batch.max, "wait_ms", 0));
}

char *handout_add(struct keeper *k, const struct conf_hook *h, const struct store_run *run,
                  char *json)
{
    if (h->action == ACTION_HTTP && h->http.preset == 0 && h->http.body == NULL &&
        h->http.format == FORMAT_RAW)
        return add_raw(k, run, json);
    if (h->action == ACTION_HTTP && h->http.batch.max > 1 && run->losses > 0)
        return add_haste(h, json);
    return quota_add(k, h, run, json);
}
