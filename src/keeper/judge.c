/* SPDX-License-Identifier: MIT */
#include "keeper/judge.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/alarms.h"
#include "keeper/batch.h"
#include "keeper/calls.h"
#include "keeper/events.h"
#include "keeper/given.h"
#include "keeper/looks.h"
#include "keeper/spend.h"
#include "vidu/id.h"
#include "vidu/sign.h"

#include <errno.h>
#include <string.h>

#define MAX_STORED_CALLBACKS 32 /* of one task; more are counted only (hardening.md T25) */
#define MAX_STORED_REFUSALS  8  /* of them; who has the URL but no key must not crowd out others */
#define MAX_STORED_RENEWALS  16 /* looks of one task whose new links all stand in its story */
#define RARE_RENEWAL_MS      3600000
#define LOOK_SOON_MS         60000
#define MAX_LOOKS_FOR_URL    5 /* a success without URL is believed after so many looks */
#define MAX_SECRETS          8

/* Somebody says something about a task. */
struct statement {
    struct store_task *task;
    const struct msg_report *report;
    enum store_source source;
    bool proven;       /* by a signature, or because we asked the provider ourselves */
    const char *doubt; /* why it goes to quarantine whatever it says; NULL: no reason */
    enum conf_confirm confirm;
    struct slice nonce, headers, body;
};

/* -- proof -- */

struct proof {
    enum verdict refusal; /* VERDICT_ACCEPTED: not refused */
    const char *reason;   /* of the refusal */
    bool proven;
    const char *doubt;
    struct slice nonce;
    bool replayed; /* fixed addresses: its nonce was used before, for whatever task */
};

static size_t secrets_of(const struct conf_provider *p, struct slice out[MAX_SECRETS])
{
    const struct conf_secret *first =
        p->callback_secret.value != NULL ? &p->callback_secret : &p->key;
    size_t n = 0;

    out[n++] = (struct slice){first->value, first->len};
    for (size_t i = 0; i < p->n_previous_keys; i++)
        out[n++] = (struct slice){p->previous_keys[i].value, p->previous_keys[i].len};
    return n;
}

static size_t headers_of(const struct msg_callback *msg, struct sign_header out[SIGN_MAX_HEADERS])
{
    struct slice rest = msg->headers;
    size_t n = 0;

    while (n < SIGN_MAX_HEADERS && message_header_next(&rest, &out[n].name, &out[n].value))
        n++;
    return n;
}

/*
 * Over the request as it came, then over the callback_url as it was given at creation: a proxy may
 * have rewritten the path. What is stored of that ends before the key, which only the request has.
 */
static struct sign_result verify(struct keeper *k, const struct msg_callback *msg,
                                 const struct store_task *t, const struct conf_provider *p)
{
    struct sign_header headers[SIGN_MAX_HEADERS];
    struct slice secrets[MAX_SECRETS];
    size_t n_secrets = secrets_of(p, secrets);
    struct sign_request req = {.method = msg->method,
                               .path = msg->path,
                               .query = msg->query,
                               .headers = headers,
                               .n_headers = headers_of(msg, headers)};
    struct sign_result result = sign_verify(&req, secrets, n_secrets, k->crypto);
    autofree char *given = NULL;

    if (result.verdict != SIGN_WRONG || t == NULL || str_empty(t->callback_path))
        return result;
    given = mem_printf("%s%.*s", t->callback_path, (int)msg->key.n, msg->key.p);
    req.path = slice_str(given);
    req.query = slice_str(t->callback_query);
    return sign_verify(&req, secrets, n_secrets, k->crypto);
}

/*
 * Where signatures are not required, one of another key proves as little as none: resellers hand on
 * what Vidu has signed with theirs. Who lies could leave it out as well.
 */
static void prove(struct keeper *k, const struct msg_callback *msg, const struct store_task *t,
                  const struct conf_provider *p, bool mandatory, struct proof *out)
{
    struct sign_result result;
    int64_t age_ms;

    *out = (struct proof){.refusal = VERDICT_ACCEPTED};
    if (p->signature == SIGNATURE_OFF && !mandatory)
        return;
    result = verify(k, msg, t, p);
    age_ms = clock_wall_ms() - result.date_ms;
    if (result.verdict == SIGN_OK) {
        out->proven = true;
        out->nonce = result.nonce;
        if (age_ms > k->conf->signature.window_ms || -age_ms > k->conf->signature.window_ms)
            out->doubt = "rightly signed, but its Date is outside the window";
    } else if (p->signature == SIGNATURE_REQUIRED || mandatory) {
        out->refusal = VERDICT_UNAUTHORISED;
        out->reason = result.reason;
        alarms_on_refusal(k);
        log_warn("callback.unauthorised", LOG_S("task", t != NULL ? t->id : NULL),
                 LOG_S("provider", p->name), LOG_B("peer", msg->peer.p, msg->peer.n),
                 LOG_S("signature", sign_verdict_name(result.verdict)),
                 LOG_S("reason", result.reason));
    }
}

/* -- meaning -- */

static const char *doubt_of(const struct statement *st, enum state_step step)
{
    const struct msg_report *report = st->report;

    if (st->doubt != NULL)
        return st->doubt;
    if (!report->understood)
        return "the body could not be understood";
    if (report->id.n != 0 && st->task->remote_id[0] != '\0' &&
        !slice_is(report->id, st->task->remote_id))
        return "names another task than the one its key belongs to";
    if (step == STEP_CONFLICT)
        return "contradicts the final state that came first";
    return NULL;
}

/* A final state that cannot be trusted alone waits for one look at the provider. */
static bool needs_look(const struct statement *st)
{
    enum task_state said = (enum task_state)st->report->state;
    bool no_url = said == STATE_SUCCESS && st->report->has_url == 0;

    if (!state_is_final(said))
        return false;
    if (st->source == SOURCE_POLL)
        return no_url && st->task->looks < MAX_LOOKS_FOR_URL;
    if (st->confirm == CONFIRM_AUTO)
        return !st->proven || no_url;
    return st->confirm == CONFIRM_ALWAYS;
}

/* -- consequences -- */

static int write_down(struct keeper *k, struct statement *st, const char *verdict,
                      const char *detail, struct err *err)
{
    struct news news = {.source = st->source,
                        .verdict = verdict,
                        .detail = detail,
                        .nonce = st->nonce,
                        .headers = st->headers,
                        .body = st->body};

    if (!state_is_final(st->task->state) || str_eq(verdict, "accepted"))
        st->task->updated_ms = clock_wall_ms(); /* of what has ended: how old its links are */
    st->task->n_events += st->source == SOURCE_CALLBACK;
    looks_expect(k, st->task->next_look_ms);
    return event_task(k, st->task, &news, err);
}

static void take_remote_id(struct store_task *t, const struct msg_report *report)
{
    if (t->remote_id[0] == '\0' && id_is_remote(report->id.p, report->id.n))
        t->remote_id = report->id.p;
}

static void log_final(const struct store_task *t, enum store_source source)
{
    log_info("task.finished", LOG_S("task", t->id), LOG_S("state", state_name(t->state)),
             LOG_S("provider", t->provider), LOG_S("remote_id", t->remote_id),
             LOG_S("err_code", t->err_code), LOG_S("source", store_source_name(source)));
}

/* What the news mean for the books. */
static int settle(struct keeper *k, const struct statement *st, int64_t was, bool awaited,
                  struct err *err)
{
    const struct store_task *t = st->task;
    int rc = spend_changed(k, t, was, err);

    if (rc == 0 && awaited && st->source == SOURCE_POLL && state_is_final(t->state))
        rc = spend_replaced(k, t, err);
    return rc;
}

static int advance(struct keeper *k, struct statement *st, struct err *err)
{
    struct store_task *t = st->task;
    bool awaited = t->expects_callback && !state_is_final(t->pending);
    int64_t was = spend_of(t);
    enum conf_event event;
    bool final;
    int rc;

    given_report(st->report, t); /* its texts live in the frame, long enough for the update */
    take_remote_id(t, st->report);
    t->state = t->pending = (enum task_state)st->report->state;
    t->source = st->source;
    t->misses = 0;
    final = state_is_final(t->state);
    t->finished_ms = final ? clock_wall_ms() : 0;
    if (final || t->next_look_ms == 0) /* else the look that is planned stays the safety net */
        t->next_look_ms = final ? 0 : look_later(k, t);
    rc = settle(k, st, was, awaited, err);
    if (rc == 0)
        rc = write_down(k, st, "accepted", st->report->state_known ? NULL : "unknown state word",
                        err);
    if (rc == 0 && conf_event_from_state(t->state, &event))
        rc = calls_add(k, t, event, err);
    if (rc == 0 && final)
        log_final(t, st->source);
    return rc;
}

/* Believed once the provider, asked, says the same. */
static int wait_for_look(struct keeper *k, struct statement *st, struct err *err)
{
    struct store_task *t = st->task;

    take_remote_id(t, st->report);
    t->pending = (enum task_state)st->report->state;
    t->next_look_ms = st->source == SOURCE_POLL ? look_later(k, t) : clock_wall_ms();
    return write_down(k, st, "accepted",
                      "to be confirmed by a look at the provider before hooks run", err);
}

static int quarantine(struct keeper *k, struct statement *st, const char *why, struct err *err)
{
    struct store_task *t = st->task;
    int rc;

    log_warn("callback.quarantined", LOG_S("task", t->id), LOG_S("provider", t->provider),
             LOG_S("why", why));
    /* A look that is doubtful itself waits for the next one, or it would be repeated for ever. */
    if (st->source == SOURCE_CALLBACK && (!state_is_final(t->state) || t->remote_id[0] != '\0'))
        t->next_look_ms = clock_wall_ms();
    rc = write_down(k, st, "quarantined", why, err);
    if (rc == 0 && st->source == SOURCE_CALLBACK)
        rc = calls_happen(k, t, EVENT_QUARANTINED, json_pack("{s:s}", "why", why), err);
    return rc;
}

/* Links that live for minutes only are renewed whenever somebody polls: after some looks, only the
 * 32nd, 64th, 128th ... stands in the story of its task. */
static bool is_told(const struct store_task *t)
{
    return t->looks <= MAX_STORED_RENEWALS || (t->looks & (t->looks - 1)) == 0 ||
           clock_wall_ms() - t->updated_ms >= RARE_RENEWAL_MS;
}

/* A look that finds nothing new leaves no trace in the timeline, unless it brings other links. */
static int look_again(struct keeper *k, struct statement *st, struct err *err)
{
    struct news news = {.source = SOURCE_POLL, .verdict = "fresh", .detail = "new links"};
    struct store_task *t = st->task;
    bool linked = t->state == STATE_SUCCESS &&
                  (enum task_state)st->report->state == STATE_SUCCESS && st->report->has_url != 0;
    bool told = linked && !str_eq(t->result, st->report->result.p) && is_told(t);

    if (linked) {
        t->result = st->report->result.p;
        t->updated_ms = clock_wall_ms(); /* how old its links are */
    }
    return told ? event_task(k, t, &news, err) : k->store->ops->task_update(k->store, t, err);
}

static int repeat(struct keeper *k, struct statement *st, struct err *err)
{
    return st->source == SOURCE_POLL ? look_again(k, st, err)
                                     : write_down(k, st, "duplicate", NULL, err);
}

/* While a final state waits for its look, the same again and what comes before it are no news. */
static enum state_step step_of(const struct statement *st)
{
    enum task_state said = (enum task_state)st->report->state;
    enum task_state pending = st->task->pending;
    enum state_step step = state_step(st->task->state, said);
    bool waits = st->source == SOURCE_CALLBACK && state_is_final(pending);
    bool known = said == pending ? needs_look(st) : !state_is_final(said);

    return step == STEP_ADVANCE && waits && known ? STEP_REPEAT : step;
}

/*
 * Said by a callback that is not written down any more. Somebody may have used up the places of
 * this task, so the provider is asked, but no more than once a minute however much is said.
 */
static int look_soon(struct keeper *k, struct statement *st, struct err *err)
{
    struct store_task *t = st->task;
    int64_t soon = clock_wall_ms() + LOOK_SOON_MS;

    if (state_is_final(t->state) || t->remote_id[0] == '\0' || t->next_look_ms <= soon)
        return 0;
    t->next_look_ms = soon;
    looks_expect(k, soon);
    return k->store->ops->task_update(k->store, t, err);
}

static int judge(struct keeper *k, struct statement *st, enum verdict *verdict, struct err *err)
{
    enum state_step step = step_of(st);
    const char *doubt = doubt_of(st, step);

    *verdict = doubt != NULL          ? VERDICT_QUARANTINED
               : step == STEP_ADVANCE ? VERDICT_ACCEPTED
                                      : VERDICT_DUPLICATE;
    if ((*verdict != VERDICT_ACCEPTED || needs_look(st)) && st->source == SOURCE_CALLBACK &&
        st->task->n_events >= MAX_STORED_CALLBACKS)
        return step == STEP_REPEAT && doubt == NULL ? 0 : look_soon(k, st, err);
    if (doubt != NULL)
        return quarantine(k, st, doubt, err);
    if (step == STEP_REPEAT)
        return repeat(k, st, err);
    if (needs_look(st))
        return wait_for_look(k, st, err);
    return advance(k, st, err);
}

/* -- callbacks -- */

/* The same request once more: a provider's retry of something that was recorded. */
static int again(struct keeper *k, struct statement *st, enum verdict *verdict, struct err *err)
{
    *verdict = VERDICT_DUPLICATE;
    return st->task->n_events < MAX_STORED_CALLBACKS ? write_down(k, st, "duplicate", NULL, err)
                                                     : 0;
}

/*
 * The body is not signed: the same signed headers with another body, or for another task, are
 * somebody else's doing.
 */
static int judge_proven(struct keeper *k, const struct msg_callback *msg, struct store_task *t,
                        const struct conf_provider *p, const struct proof *proof,
                        enum verdict *verdict, struct err *err)
{
    struct statement st = {.task = t,
                           .report = &msg->report,
                           .source = SOURCE_CALLBACK,
                           .proven = proof->proven,
                           .doubt = proof->doubt,
                           .confirm = p->confirm,
                           .nonce = proof->nonce,
                           .headers = msg->headers,
                           .body = msg->body};
    enum store_nonce seen = NONCE_NEW;
    int rc = 0;

    if (proof->nonce.n != 0 && t->n_events != 0)
        rc = k->store->ops->event_by_nonce(k->store, t, proof->nonce, msg->body, &seen);
    if (rc < 0)
        return err_set(err, rc, "the timeline of task %s cannot be read", t->id);
    if (seen == NONCE_SAME)
        return again(k, &st, verdict, err);
    if (seen == NONCE_OTHER || proof->replayed)
        st.doubt = "its signature was used before";
    return judge(k, &st, verdict, err);
}

/* In the story of its task, where somebody with a wrong API key will look for it. */
static int write_refusal(struct keeper *k, struct store_task *t, const char *reason,
                         struct err *err)
{
    struct statement st = {.task = t, .source = SOURCE_CALLBACK};

    return t->n_events < MAX_STORED_REFUSALS ? write_down(k, &st, "unauthorised", reason, err) : 0;
}

/* By its sealed key: the task was submitted through us. */
static int by_key(struct keeper *k, const struct msg_callback *msg, enum verdict *verdict,
                  struct err *err)
{
    const struct conf_provider *p;
    uint8_t hash[SHA256_LEN];
    struct store_task t;
    struct proof proof;
    int rc;

    key_hash(msg->key.p, msg->key.n, k->crypto, hash);
    rc = k->store->ops->task_by_key(k->store, hash, &t);
    if (rc == -ENOENT) {
        *verdict = VERDICT_UNKNOWN;
        return 0;
    }
    if (rc < 0)
        return err_set(err, rc, "cannot look up a callback key");
    p = conf_provider_find(k->conf, t.provider);
    if (p == NULL) { /* taken out of the configuration: nothing to verify with, nobody to ask */
        log_warn("callback.no_provider", LOG_S("task", t.id), LOG_S("provider", t.provider));
        *verdict = VERDICT_UNAUTHORISED;
        return 0;
    }
    prove(k, msg, &t, p, false, &proof);
    *verdict = proof.refusal;
    return proof.refusal == VERDICT_ACCEPTED ? judge_proven(k, msg, &t, p, &proof, verdict, err)
                                             : write_refusal(k, &t, proof.reason, err);
}

static bool has_id(const struct msg_callback *msg)
{
    return id_is_remote(msg->report.id.p, msg->report.id.n);
}

/* A task that somebody else's code created with our fixed address, seen for the first time. Without
 * an id it still keeps what was said, since that is authentic. */
static int adopt(struct keeper *k, const struct msg_callback *msg, const struct conf_provider *p,
                 struct store_task *t, struct err *err)
{
    *t = (struct store_task){.provider = p->name,
                             .remote_id = has_id(msg) ? msg->report.id.p : "",
                             .state = STATE_SUBMITTED,
                             .pending = STATE_SUBMITTED,
                             .source = SOURCE_CALLBACK,
                             .credits = -1,
                             .expects_callback = true,
                             .adopted = true,
                             .created_ms = clock_wall_ms()};
    t->endpoint = t->model = t->prompt = t->payload = t->callback_path = t->callback_query = "";
    t->request = t->forward_url = t->result = t->err_code = t->err_msg = t->trace_id = "";
    t->tags = "{}";
    t->updated_ms = t->created_ms;
    t->next_look_ms = look_later(k, t);
    id_new_task(t->id);
    return k->store->ops->task_insert(k->store, t, &t->row, err);
}

/* By the id in its body, which a signature must vouch for. */
static int by_provider(struct keeper *k, const struct msg_callback *msg, enum verdict *verdict,
                       struct err *err)
{
    const struct conf_provider *p = conf_provider_find(k->conf, msg->key.p);
    struct store_task t;
    struct proof proof;
    int rc;

    if (p == NULL) {
        *verdict = VERDICT_UNKNOWN;
        return 0;
    }
    prove(k, msg, NULL, p, true, &proof);
    *verdict = proof.refusal;
    if (proof.refusal != VERDICT_ACCEPTED)
        return 0;
    rc = k->store->ops->nonce_insert(k->store, proof.nonce, clock_wall_ms(), err);
    proof.replayed = rc == -EEXIST;
    if (rc < 0 && !proof.replayed)
        return rc;
    if (!has_id(msg) && proof.doubt == NULL)
        proof.doubt = "names no task, and the fixed callback address has no key";
    rc = has_id(msg) ? k->store->ops->task_by_remote(k->store, p->name, msg->report.id.p, &t)
                     : -ENOENT;
    if (rc == -ENOENT && proof.replayed) {
        log_warn("callback.replayed", LOG_S("provider", p->name),
                 LOG_B("peer", msg->peer.p, msg->peer.n));
        *verdict = has_id(msg) ? VERDICT_UNAUTHORISED : VERDICT_DUPLICATE;
        return 0;
    }
    if (rc == -ENOENT)
        rc = adopt(k, msg, p, &t, err);
    return rc < 0 ? rc : judge_proven(k, msg, &t, p, &proof, verdict, err);
}

void judge_on_callback(struct keeper *k, struct room *room, const struct frame *f)
{
    struct err err = {"the store could not be read"};
    enum verdict verdict = VERDICT_BUSY;
    struct msg_callback msg;
    int rc;

    if (message_read(f, &msg) < 0)
        return;
    if (k->exit_status != 0 || k->low_space || batch_begin(k) < 0) {
        batch_verdict(k, room, f->id, VERDICT_BUSY);
        return;
    }
    rc = msg.route == ROUTE_KEY ? by_key(k, &msg, &verdict, &err)
                                : by_provider(k, &msg, &verdict, &err);
    batch_verdict(k, room, f->id, verdict);
    if (rc < 0)
        batch_spoil(k, rc, &err);
}

/* -- looks -- */

int judge_poll(struct keeper *k, struct store_task *t, const struct msg_report *report,
               struct slice body, struct err *err)
{
    struct statement st = {.task = t,
                           .report = report,
                           .source = SOURCE_POLL,
                           .proven = true,
                           .confirm = CONFIRM_NEVER,
                           .body = body};
    enum verdict verdict;

    return judge(k, &st, &verdict, err);
}

/* What the operator gives once more. */
static struct statement given_again(const struct keeper *k, struct store_task *t,
                                    const struct msg_report *report, bool proven)
{
    const struct conf_provider *p = conf_provider_find(k->conf, t->provider);

    return (struct statement){.task = t,
                              .report = report,
                              .source = SOURCE_OPERATOR,
                              .proven = proven,
                              .confirm = p != NULL ? p->confirm : CONFIRM_NEVER};
}

enum verdict judge_foresee(const struct keeper *k, struct store_task *t,
                           const struct msg_report *report, bool proven, const char **why)
{
    struct statement st = given_again(k, t, report, proven);
    enum state_step step = step_of(&st);

    *why = doubt_of(&st, step);
    if (*why != NULL)
        return VERDICT_QUARANTINED;
    return step == STEP_REPEAT ? VERDICT_DUPLICATE : VERDICT_ACCEPTED;
}

int judge_again(struct keeper *k, struct store_task *t, const struct msg_report *report,
                bool proven, struct err *err)
{
    struct statement st = given_again(k, t, report, proven);
    enum verdict verdict;

    return judge(k, &st, &verdict, err);
}

int judge_lost(struct keeper *k, struct store_task *t, const char *why, struct err *err)
{
    struct news news = {.source = SOURCE_POLL,
                        .verdict = "lost",
                        .detail = str_or(why, "nothing heard of it for too long; given up")};
    int rc;

    t->state = t->pending = STATE_LOST;
    t->source = SOURCE_POLL;
    t->next_look_ms = 0;
    t->updated_ms = t->finished_ms = clock_wall_ms();
    log_warn("task.lost", LOG_S("task", t->id), LOG_S("provider", t->provider));
    rc = event_task(k, t, &news, err);
    return rc < 0 ? rc : calls_add(k, t, EVENT_LOST, err);
}
