/* SPDX-License-Identifier: MIT */
#include "keeper/record.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/alarms.h"
#include "keeper/batch.h"
#include "keeper/events.h"
#include "keeper/looks.h"
#include "keeper/spend.h"
#include "vidu/answer.h"
#include "wire/command.h"

#include <errno.h>
#include <string.h>

/* How long a task whose answer was lost waits for its callback before it is looked at again. */
#define AMBIGUOUS_LOOK_MS (3600 * 1000LL)

static void fill(struct store_task *t, const struct msg_register *msg)
{
    bool adopted = msg->remote_id.n != 0;

    *t = (struct store_task){
        .provider = msg->provider.p,
        .endpoint = msg->endpoint.p,
        .model = msg->model.p,
        .prompt = msg->prompt.p,
        .payload = msg->payload.p,
        .remote_id = msg->remote_id.p,
        .key_hash = msg->key_hash,
        .callback_path = msg->callback_path.p,
        .callback_query = msg->callback_query.p,
        .request = msg->request.p,
        .tags = msg->tags.n != 0 ? msg->tags.p : "{}",
        .forward_url = msg->forward_url.p,
        .state = adopted ? STATE_SUBMITTED : STATE_REGISTERED,
        .source = adopted ? SOURCE_OPERATOR : SOURCE_SUBMIT,
        .credits = -1,
        .adopted = adopted,
        .off_peak = msg->off_peak != 0,
        .expects_callback = msg->expects_callback != 0,
        .created_ms = clock_wall_ms(),
    };
    t->result = t->err_code = t->err_msg = t->trace_id = "";
    t->pending = t->state;
    t->updated_ms = t->created_ms;
    mem_copy_text(t->id, sizeof(t->id), msg->task.p);
}

static int insert(struct keeper *k, struct store_task *t, struct err *err)
{
    struct news news = {.source = t->source,
                        .verdict = t->source == SOURCE_OPERATOR ? "adopted" : "registered"};
    int rc;

    t->next_look_ms = clock_wall_ms();
    if (t->state == STATE_REGISTERED) /* unless its answer is recorded before */
        t->next_look_ms += AMBIGUOUS_LOOK_MS;
    looks_expect(k, t->next_look_ms);
    rc = k->store->ops->task_insert(k->store, t, &t->row, err);
    return rc < 0 ? rc : event_task(k, t, &news, err);
}

static void refuse(struct room *gateway, uint64_t id, const struct msg_register *msg,
                   const char *code, const char *why)
{
    struct msg_recorded answer = {
        .task = msg->task, .error = slice_str(why), .code = slice_str(code)};

    channel_send(room_channel(gateway), MSG_RECORDED, id, &answer);
}

/* What was created elsewhere has been paid already. */
static bool is_allowed(struct keeper *k, struct room *gateway, uint64_t id,
                       const struct msg_register *msg)
{
    struct err err = {""};
    int rc = msg->remote_id.n == 0 ? spend_check(k, &err) : 0;

    if (rc < 0) {
        log_warn("submit.over_limit", LOG_B("provider", msg->provider.p, msg->provider.n),
                 LOG_E(&err));
        refuse(gateway, id, msg, rc == -EDQUOT ? OVER_LIMIT_CODE : "", err.text);
    }
    return rc == 0;
}

/* A repeated registration (the gateway asked twice, or adopts what is here) is not an error. */
void record_on_register(struct keeper *k, struct room *gateway, const struct frame *f)
{
    struct msg_register msg;
    struct err err = {""};
    struct store_task t = {0};
    int rc;

    if (message_read(f, &msg) < 0)
        return;
    if (batch_begin(k) < 0) {
        refuse(gateway, f->id, &msg, "", "the store is not taking writes");
        return;
    }
    if (!is_allowed(k, gateway, f->id, &msg))
        return;
    rc = msg.remote_id.n == 0
             ? -ENOENT
             : k->store->ops->task_by_remote(k->store, msg.provider.p, msg.remote_id.p, &t);
    if (rc == -ENOENT) {
        fill(&t, &msg);
        rc = insert(k, &t, &err);
    }
    batch_recorded(k, gateway, f->id, t.id);
    if (rc < 0)
        batch_spoil(k, rc, &err);
}

static void on_accepted(struct keeper *k, struct store_task *t, const struct msg_submitted *msg)
{
    if (t->state == STATE_REGISTERED) { /* else its callback was faster */
        t->state = STATE_SUBMITTED;
        t->source = SOURCE_SUBMIT;
        if (t->pending == STATE_REGISTERED)
            t->pending = STATE_SUBMITTED;
    }
    t->remote_id = msg->remote_id.p;
    if (msg->credits >= 0)
        t->credits = msg->credits;
    if (!state_is_final(t->state))
        t->next_look_ms = state_is_final(t->pending) ? clock_wall_ms() : look_later(k, t);
}

static void on_refused(struct store_task *t, const struct msg_submitted *msg)
{
    if (t->state != STATE_REGISTERED)
        return;
    t->state = t->pending = STATE_REJECTED;
    t->source = SOURCE_SUBMIT;
    t->err_code = msg->reason.p;
    t->err_msg = msg->message.p;
    t->finished_ms = clock_wall_ms();
    t->next_look_ms = 0;
}

static void on_ambiguous(struct store_task *t)
{
    if (t->state != STATE_REGISTERED)
        return;
    t->state = STATE_AMBIGUOUS;
    if (t->pending == STATE_REGISTERED)
        t->pending = STATE_AMBIGUOUS;
    t->source = SOURCE_SUBMIT;
    t->next_look_ms = clock_wall_ms() + AMBIGUOUS_LOOK_MS;
}

int record_unanswered(struct keeper *k, struct store_task *t, struct err *err)
{
    struct news news = {.source = SOURCE_SUBMIT,
                        .verdict = "ambiguous",
                        .detail = "what the provider answered was never recorded"};

    on_ambiguous(t);
    t->updated_ms = clock_wall_ms();
    looks_expect(k, t->next_look_ms);
    return event_task(k, t, &news, err);
}

static int write_answer(struct keeper *k, struct store_task *t, const struct msg_submitted *msg,
                        struct err *err)
{
    autofree char *detail =
        mem_printf("HTTP %u%s%s%s%s%s%s", msg->http_status, msg->remote_id.n != 0 ? ", id " : "",
                   msg->remote_id.p, msg->reason.n != 0 ? ", " : "", msg->reason.p,
                   msg->message.n != 0 ? ": " : "", msg->message.p);
    struct news news = {.source = SOURCE_SUBMIT, .detail = detail};
    int64_t was = spend_of(t);
    int rc;

    if (msg->http_status > 0 && msg->http_status < 500)
        alarms_on_answer(k, t->provider);
    else
        alarms_on_silence(k, t->provider, msg->http_status > 0 ? detail : msg->message.p);
    t->trace_id = msg->trace_id.p;
    t->updated_ms = clock_wall_ms();
    switch ((enum answer_outcome)msg->outcome) {
    case ANSWER_ACCEPTED:
        news.verdict = "submitted";
        on_accepted(k, t, msg);
        break;
    case ANSWER_REJECTED:
        news.verdict = "rejected";
        on_refused(t, msg);
        break;
    default:
        news.verdict = "ambiguous";
        on_ambiguous(t);
    }
    looks_expect(k, t->next_look_ms);
    rc = spend_changed(k, t, was, err);
    if (rc == 0 && msg->outcome == ANSWER_ACCEPTED)
        rc = spend_created(k, t, err);
    return rc < 0 ? rc : event_task(k, t, &news, err);
}

void record_on_submitted(struct keeper *k, struct room *gateway, const struct frame *f)
{
    struct msg_submitted msg;
    struct err err = {""};
    struct store_task t;
    int rc;

    if (message_read(f, &msg) < 0)
        return;
    rc = batch_begin(k);
    if (rc == 0)
        rc = k->store->ops->task_by_id(k->store, msg.task.p, &t);
    if (rc < 0) {
        struct msg_recorded lost = {.task = msg.task,
                                    .error = SLICE_LIT("the answer could not be recorded")};

        channel_send(room_channel(gateway), MSG_RECORDED, f->id, &lost);
        return;
    }
    batch_recorded(k, gateway, f->id, t.id);
    rc = write_answer(k, &t, &msg, &err);
    if (rc < 0)
        batch_spoil(k, rc, &err);
}
