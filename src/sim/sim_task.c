/* SPDX-License-Identifier: MIT */
#include "sim/sim_task.h"

#include "base/clock.h"
#include "sim/sim_sign.h"
#include "vidu/crypto.h"

#include <event2/event.h>
#include <inttypes.h>
#include <string.h>

#define MAX_TASKS     ((size_t)1 << 20)
#define TASK_COST     40
#define MAX_ANSWER    ((size_t)160 << 20)
#define MAX_BODY      ((size_t)16 << 20)
#define BURST         64
#define STALE_MS      (INT64_C(3) * 24 * 3600 * 1000)
#define LAST_ATTEMPTS 3
#define CONFLICTING   "InternalServiceFailure" /* of a failure that is none */

/*
 * An id is a number that tells the task's place: base + STEP * index. The numbers behind it are
 * the creations', the eighth behind it nobody's.
 */
#define ID_STEP     16
#define ID_CREATION 1
#define ID_NOBODY   8
#define SEVERAL     3
#define ID_LOWEST   UINT64_C(900000000000000000)
#define ID_SPREAD   UINT64_C(50000000000000000)

struct sim_tasks {
    struct event_base *base;
    const struct sim_options *opt;
    struct sim_sender *sender;
    struct sim_media *media;
    struct sim_ledger *ledger;
    uint64_t first_id;
    char uuid_head[25]; /* what the UUIDs of this run begin with */
    int64_t credits;
    struct sim_task **v;
    size_t n, cap;
};

static const struct sim_shape shapes[] = {
    {.name = "official", .prefix = "/ent/v2/", .scheme = "Token", .callbacks = true},
    {.name = "powertokens",
     .prefix = "/vidu/ent/v2/",
     .scheme = "Bearer",
     .callbacks = true,
     .upstream_key = true},
    {.name = "octopusx",
     .prefix = "/vidu/ent/v2/",
     .scheme = "Bearer",
     .uuids = true,
     .native = true},
    {.name = "openai", .prefix = "/v1/", .scheme = "Bearer", .uuids = true, .openai = true},
};

/* -- callbacks -- */

static const char *signing_key(const struct sim_task *t)
{
    if (sim_task_has(t, SIM_UNSIGNED))
        return NULL;
    if (sim_task_has(t, SIM_BAD_SIGNATURE))
        return "not-the-key";
    return t->shape->upstream_key ? t->all->opt->upstream_key : t->key;
}

static void write_body(const struct sim_task *t, enum sim_state state, struct buf *out)
{
    bool with_video = state == SIM_SUCCESS && !sim_task_has(t, SIM_NO_URL);
    struct sim_report r = {
        .state = state,
        .err_code = state != SIM_FAILED      ? ""
                    : t->state == SIM_FAILED ? t->err_code
                                             : CONFLICTING,
        .id = sim_task_has(t, SIM_WRONG_ID) ? t->wrong_id : t->id,
        .video = with_video ? t->creation : NULL,
        .expired = sim_task_has(t, SIM_EXPIRED_URL),
    };

    if (sim_task_has(t, SIM_NO_ID))
        r.id = NULL;
    *out = BUF_INIT(MAX_BODY);
    sim_answer_report(t, &r, t->all->media, out);
}

/* What somebody who saw the signed headers might make of them: a success that is none, or a
 * failure that is none. */
static void write_forged(const struct sim_task *t, enum sim_state state, struct buf *out)
{
    bool last = state != SIM_PROCESSING;
    struct sim_report r = {
        .state = last ? SIM_FAILED : SIM_SUCCESS,
        .err_code = last ? CONFLICTING : "",
        .id = t->id,
        .video = last ? NULL : "forged",
    };

    *out = BUF_INIT(MAX_BODY);
    sim_answer_report(t, &r, t->all->media, out);
}

static void send_one(struct sim_task *t, enum sim_state state, void (*on_done)(void *ctx))
{
    struct sim_parcel p = {
        .task = t->id,
        .state = sim_state_word(t->shape, state),
        .url = t->callback_url,
        .key = signing_key(t),
        .date_ms = sim_task_has(t, SIM_STALE_DATE) ? -STALE_MS : 0,
        .attempts = state == SIM_PROCESSING ? 1 : LAST_ATTEMPTS,
        .twice = sim_task_has(t, SIM_DUPLICATE),
    };

    write_body(t, state, &p.body);
    if (sim_task_has(t, SIM_REPLAY))
        write_forged(t, state, &p.forged);
    sim_sender_send(t->all->sender, &p, on_done, t);
}

/* False when this task has no callbacks: then on_done does not run. */
static bool send_callback(struct sim_task *t, enum sim_state state, void (*on_done)(void *ctx))
{
    if (t->callback_url == NULL || sim_task_has(t, SIM_LOST_CALLBACK))
        return false;
    send_one(t, state, on_done);
    for (int i = 1; sim_task_has(t, SIM_BURST) && i < BURST; i++)
        send_one(t, state, NULL);
    return true;
}

static void on_last_sent(void *ctx)
{
    struct sim_task *t = ctx;

    if (sim_task_has(t, SIM_REORDER))
        send_callback(t, SIM_PROCESSING, NULL);
    if (sim_task_has(t, SIM_CONFLICT) && t->state == SIM_SUCCESS)
        send_callback(t, SIM_FAILED, NULL);
}

static void be_ready(struct sim_task *t)
{
    void *ctx = t->ctx;

    t->ctx = NULL;
    t->on_ready(t, ctx);
}

static void on_early_sent(void *ctx)
{
    be_ready(ctx);
}

/* -- states -- */

static void arm(struct sim_task *t, int64_t ms)
{
    struct timeval tv = {ms / 1000, ms % 1000 * 1000};

    event_add(t->timer, &tv);
}

static void set_state(struct sim_task *t, enum sim_state state)
{
    t->state = state;
    t->changed_ms = clock_wall_ms();
    sim_ledger_event(t->all->ledger, "state", LOG_S("task", t->id),
                     LOG_S("state", sim_state_word(t->shape, state)));
}

static void fail(struct sim_task *t, const char *err_code)
{
    t->err_code = err_code;
    if (t->all->credits >= 0)
        t->all->credits += t->credits;
    t->credits = 0;
    set_state(t, SIM_FAILED);
}

static void finish(struct sim_task *t)
{
    if (sim_task_has(t, SIM_POLICY_FAILURE))
        fail(t, "CreationPolicyViolation");
    else
        set_state(t, SIM_SUCCESS);
    if (sim_task_has(t, SIM_LATE))
        arm(t, t->all->opt->late_ms);
    else
        send_callback(t, t->state, on_last_sent);
}

static void process(struct sim_task *t)
{
    bool early = sim_task_has(t, SIM_EARLY);

    set_state(t, SIM_PROCESSING);
    arm(t, t->all->opt->step_ms);
    if (sim_task_has(t, SIM_REORDER) ||
        !send_callback(t, SIM_PROCESSING, early ? on_early_sent : NULL))
        if (early)
            be_ready(t);
}

static void on_time(evutil_socket_t fd, short what, void *ctx)
{
    struct sim_task *t = ctx;

    (void)fd;
    (void)what;
    switch (t->state) {
    case SIM_CREATED:
        if (t->off_peak) {
            set_state(t, SIM_QUEUEING);
            arm(t, t->all->opt->step_ms);
            return;
        }
        process(t);
        return;
    case SIM_QUEUEING:
        process(t);
        return;
    case SIM_PROCESSING:
        finish(t);
        return;
    default: /* the late callback of a task that has ended */
        send_callback(t, t->state, on_last_sent);
        return;
    }
}

/* -- the collection -- */

static void task_free(struct sim_task *t)
{
    if (t->timer != NULL)
        event_free(t->timer);
    buf_free(&t->answer);
    free(t->callback_url);
    free(t->payload);
    free(t->asked);
    free(t->ctx);
    free(t);
}

static void write_id(const struct sim_tasks *all, bool uuid, uint64_t offset, char out[40])
{
    if (uuid)
        snprintf(out, 40, "%s%012" PRIx64, all->uuid_head, offset);
    else
        snprintf(out, 40, "%" PRIu64, all->first_id + offset);
}

static void name_task(struct sim_task *t)
{
    uint64_t offset = t->all->n * ID_STEP;

    write_id(t->all, t->shape->uuids, offset, t->id);
    write_id(t->all, t->shape->uuids, offset + ID_NOBODY, t->wrong_id);
    t->number = t->all->first_id + offset;
    sim_task_creation(t, 0, t->creation);
}

static void keep(struct sim_tasks *all, struct sim_task *t)
{
    if (all->n == all->cap) {
        all->cap = all->cap != 0 ? all->cap * 2 : 64;
        all->v = mem_realloc(all->v, all->cap, sizeof(struct sim_task *));
    }
    all->v[all->n++] = t;
}

/* The task whose numbers this one is among. */
static struct sim_task *task_at(const struct sim_tasks *all, uint64_t offset)
{
    return offset / ID_STEP < all->n ? all->v[offset / ID_STEP] : NULL;
}

static bool digits(struct slice s, uint64_t *out)
{
    return str_to_u64(s.p, s.n, UINT64_MAX, out) == 0;
}

/* The last group of a UUID of ours. */
static bool uuid_offset(const struct sim_tasks *all, struct slice id, uint64_t *out)
{
    size_t head = strlen(all->uuid_head);

    if (id.n != head + 12 || memcmp(id.p, all->uuid_head, head) != 0)
        return false;
    *out = 0;
    for (size_t i = head; i < id.n; i++) {
        const char *at = strchr("0123456789abcdef", id.p[i]);

        if (at == NULL || *at == '\0')
            return false;
        *out = *out * 16 + (uint64_t)(at - "0123456789abcdef");
    }
    return true;
}

const struct sim_shape *sim_shape_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        if (str_eq(shapes[i].name, name))
            return &shapes[i];
    return NULL;
}

struct sim_tasks *sim_tasks_new(struct event_base *base, const struct sim_options *opt,
                                struct sim_sender *sender, struct sim_media *media,
                                struct sim_ledger *ledger)
{
    struct sim_tasks *all = mem_calloc(1, sizeof(*all));
    char nonce[SIM_NONCE_LEN + 1];
    uint64_t random;

    all->base = base;
    all->opt = opt;
    all->sender = sender;
    all->media = media;
    all->ledger = ledger;
    all->credits = opt->credits;
    crypto_random(&random, sizeof(random));
    all->first_id = ID_LOWEST + random % ID_SPREAD;
    sim_sign_nonce(nonce);
    snprintf(all->uuid_head, sizeof(all->uuid_head), "%.24s", nonce);
    return all;
}

void sim_tasks_free(struct sim_tasks *all)
{
    if (all == NULL)
        return;
    for (size_t i = 0; i < all->n; i++)
        task_free(all->v[i]);
    free(all->v);
    free(all);
}

static void copy_text(char *out, size_t size, struct slice s)
{
    if (s.n != 0 && s.n < size)
        memcpy(out, s.p, s.n);
}

static void name_parent(struct sim_task *t, const struct sim_new_task *n)
{
    const char *key = n->endpoint->parent_key;

    copy_text(t->parent, sizeof(t->parent),
              key != NULL ? sim_request_text(n->body, key) : n->parent);
    if (key != NULL)
        copy_text(t->part, sizeof(t->part), sim_request_text(n->body, "type"));
}

struct sim_task *sim_task_new(struct sim_tasks *all, const struct sim_new_task *n,
                              struct sim_refusal *why)
{
    struct slice url = sim_request_text(n->body, "callback_url");
    struct slice payload = sim_request_text(n->body, "payload");
    struct sim_task *t;

    if (all->n == MAX_TASKS) {
        *why = (struct sim_refusal){429, "QuotaExceeded", "too many tasks", NULL};
        return NULL;
    }
    if (all->credits >= 0 && all->credits < TASK_COST) {
        *why = (struct sim_refusal){400, "CreditInsufficient", "credits are used up", NULL};
        return NULL;
    }
    t = mem_calloc(1, sizeof(*t));
    t->all = all;
    t->shape = n->shape;
    t->endpoint = n->endpoint;
    t->key = n->key;
    t->switches = n->switches;
    t->err_code = "";
    t->credits = TASK_COST;
    t->callback_url = n->shape->callbacks && url.n != 0 ? mem_strndup(url.p, url.n) : NULL;
    t->payload = mem_strndup(payload.p, payload.n);
    t->payload_len = payload.n;
    t->asked = sim_request_asked(n->endpoint, n->body);
    t->bgm = sim_request_flag(n->body, "bgm");
    t->off_peak = sim_request_flag(n->body, "off_peak");
    t->watermark = sim_request_flag(n->body, "watermark");
    t->created_ms = t->changed_ms = clock_wall_ms();
    name_parent(t, n);
    t->timer = evtimer_new(all->base, on_time, t);
    t->answer = BUF_INIT(MAX_ANSWER);
    name_task(t);
    sim_answer_create(t, n->body, &t->answer);
    if (all->credits >= 0)
        all->credits -= t->credits;
    keep(all, t);
    return t;
}

void sim_task_start(struct sim_task *t, void (*on_ready)(struct sim_task *t, void *ctx), void *ctx)
{
    t->on_ready = on_ready;
    t->ctx = ctx;
    if (sim_task_has(t, SIM_EARLY)) {
        process(t);
        return;
    }
    arm(t, t->all->opt->step_ms);
    be_ready(t);
}

struct sim_task *sim_task_find(const struct sim_tasks *all, struct slice id)
{
    struct sim_task *t = NULL;
    uint64_t n;

    if (uuid_offset(all, id, &n))
        t = task_at(all, n);
    else if (digits(id, &n) && n >= all->first_id)
        t = task_at(all, n - all->first_id);
    return t != NULL && slice_is(id, t->id) ? t : NULL;
}

size_t sim_task_creations(const struct sim_task *t)
{
    return sim_task_has(t, SIM_SEVERAL) ? SEVERAL : 1;
}

void sim_task_creation(const struct sim_task *t, size_t i, char out[20])
{
    snprintf(out, 20, "%" PRIu64, t->number + ID_CREATION + i);
}

struct sim_task *sim_task_of_creation(const struct sim_tasks *all, struct slice creation)
{
    struct sim_task *t = NULL;
    char name[20];
    uint64_t n;

    if (digits(creation, &n) && n >= all->first_id)
        t = task_at(all, n - all->first_id);
    for (size_t i = 0; t != NULL && i < sim_task_creations(t); i++) {
        sim_task_creation(t, i, name);
        if (slice_is(creation, name))
            return t;
    }
    return NULL;
}

struct sim_task *sim_task_next_job(const struct sim_task *t, const struct sim_task *after)
{
    const struct sim_tasks *all = t->all;
    size_t i = 0;

    while (after != NULL && i < all->n && all->v[i] != after)
        i++;
    for (i += after != NULL; i < all->n; i++)
        if (str_eq(all->v[i]->parent, t->id))
            return all->v[i];
    return NULL;
}

bool sim_task_cancel(struct sim_task *t)
{
    if (t->state != SIM_CREATED && t->state != SIM_QUEUEING)
        return false;
    event_del(t->timer);
    fail(t, "UserCancelled");
    send_callback(t, t->state, on_last_sent);
    return true;
}

void sim_task_mark_cut(struct sim_task *t)
{
    t->cut = true;
}

size_t sim_tasks_count(const struct sim_tasks *all)
{
    return all->n;
}

const struct sim_task *sim_tasks_at(const struct sim_tasks *all, size_t i)
{
    return all->v[i];
}

int64_t sim_tasks_credits(const struct sim_tasks *all)
{
    return all->credits;
}
