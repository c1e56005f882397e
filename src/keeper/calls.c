/* SPDX-License-Identifier: MIT */
#include "keeper/calls.h"

#include "base/clock.h"
#include "keeper/match.h"
#include "keeper/schedule.h"
#include "vidu/expiry.h"

#include <errno.h>
#include <string.h>

static bool wanted(const struct conf_hook *h, const struct store_task *t, enum conf_event event)
{
    return (h->on & 1U << event) != 0 && match_fits(&h->match, t);
}

bool calls_wants(const struct conf *conf, const struct conf_hook *h, const struct store_task *t,
                 enum conf_event event)
{
    for (size_t depth = 0; h != NULL && depth < CONF_MAX_HOOKS; depth++) {
        if (!wanted(h, t, event))
            return false;
        if (conf_hook_before(h) == NULL)
            return true;
        h = conf_hook_find(conf, conf_hook_before(h));
    }
    return false;
}

static struct store_run new_run(const struct store_task *t, const struct conf_hook *h,
                                const char *trigger)
{
    const char *before = conf_hook_before(h);
    struct store_run run = {.task = t->row, .hook = h->name, .trigger = trigger};

    memcpy(run.task_id, t->id, sizeof(run.task_id));
    run.after = str_or(before, "");
    run.on_failure = h->after_failure != NULL;
    run.state = before != NULL ? RUN_WAITING : RUN_READY;
    run.created_ms = run.due_ms = clock_wall_ms();
    if (h->action == ACTION_DOWNLOAD)
        run.expires_ms = expiry_of_result(t->result, run.created_ms);
    run.details = run.detail = run.output = run.command = "";
    return run;
}

static bool any_needs_request(const struct conf *c, enum conf_event event)
{
    for (size_t i = 0; i < c->n_hooks; i++)
        if ((c->hooks[i].on & 1U << event) != 0 && match_needs_request(&c->hooks[i].match))
            return true;
    return false;
}

/* What a callback does not need of a task is read when a hook asks for it. */
static int complete(struct keeper *k, enum conf_event event, struct store_task *t, struct err *err)
{
    int rc;

    if (t->row == 0 || !any_needs_request(k->conf, event))
        return 0;
    rc = k->store->ops->task_request(k->store, t->row, t);
    return rc < 0 ? err_set(err, rc, "the request of task %s cannot be read", t->id) : 0;
}

static int call(struct keeper *k, const struct store_task *t, const struct conf_hook *h,
                enum conf_event event, const char *details, struct err *err)
{
    struct store_run run = new_run(t, h, conf_event_name(event));
    int64_t row;
    int rc;

    run.details = details;
    rc = k->store->ops->run_insert(k->store, &run, &row, err);
    if (rc < 0 && rc != -EEXIST)
        return rc;
    schedule_look(k);
    return 0;
}

static int call_all(struct keeper *k, const struct store_task *said, enum conf_event event,
                    const char *details, const char *except, struct err *err)
{
    struct store_task t = *said;
    int rc = complete(k, event, &t, err);

    for (size_t i = 0; rc == 0 && i < k->conf->n_hooks; i++) {
        const struct conf_hook *h = &k->conf->hooks[i];

        if (!str_eq(h->name, except) && calls_wants(k->conf, h, &t, event))
            rc = call(k, &t, h, event, details, err);
    }
    return rc;
}

int calls_add(struct keeper *k, const struct store_task *t, enum conf_event event, struct err *err)
{
    return call_all(k, t, event, "", NULL, err);
}

int calls_happen(struct keeper *k, const struct store_task *t, enum conf_event event,
                 json_t *details, struct err *err)
{
    autofree char *text = json_dumps(details, JSON_COMPACT);

    json_decref(details);
    return call_all(k, t, event, text != NULL ? text : "{}", NULL, err);
}

struct store_task calls_no_task(const char *provider)
{
    return (struct store_task){.provider = provider,
                               .endpoint = "",
                               .model = "",
                               .prompt = "",
                               .payload = "",
                               .request = "{}",
                               .tags = "{}",
                               .err_code = "",
                               .credits = -1};
}

int calls_operator(struct keeper *k, const char *provider, enum conf_event event, json_t *details,
                   struct err *err)
{
    struct store_task t = calls_no_task(provider);

    return calls_happen(k, &t, event, details, err);
}

static bool any_on(const struct conf *c, enum conf_event event)
{
    for (size_t i = 0; i < c->n_hooks; i++)
        if ((c->hooks[i].on & 1U << event) != 0)
            return true;
    return false;
}

int calls_dead(struct keeper *k, const struct store_run *run, struct err *err)
{
    struct store_task t = calls_no_task("");
    autofree char *text = NULL;
    json_t *details;
    int rc = 0;

    if (str_eq(run->trigger, conf_event_name(EVENT_DEAD)) || !any_on(k->conf, EVENT_DEAD))
        return 0;
    if (run->task != 0)
        rc = k->store->ops->task_by_row(k->store, run->task, &t);
    if (rc < 0)
        return err_set(err, rc, "the task of run %lld cannot be read", (long long)run->row);
    details = json_pack("{s:I, s:s, s:s, s:i, s:I, s:s*}", "run", (json_int_t)run->row, "hook",
                        run->hook, "event", run->trigger, "attempt", run->attempt, "exit_code",
                        (json_int_t)run->exit_code, "detail", run->detail);
    text = json_dumps(details, JSON_COMPACT);
    json_decref(details);
    return call_all(k, &t, EVENT_DEAD, text != NULL ? text : "{}", run->hook, err);
}

int calls_replay(struct keeper *k, const struct store_task *t, const struct conf_hook *h,
                 const struct calls_wish *wish, int64_t *run_row, struct err *err)
{
    struct store_run run = new_run(t, h, wish->trigger);
    int rc;

    if (!wish->chained) {
        run.state = RUN_READY;
        run.after = "";
        run.on_failure = false;
    }
    run.replay = true;
    run.once = wish->once;
    run.event = wish->event;
    run.details = str_or(wish->details, "");
    rc = k->store->ops->run_insert(k->store, &run, run_row, err);
    schedule_look(k);
    return rc;
}
