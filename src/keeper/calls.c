/* SPDX-License-Identifier: MIT */
#include "keeper/calls.h"

#include "base/clock.h"
#include "keeper/match.h"
#include "keeper/schedule.h"

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
        if (h->after == NULL)
            return true;
        h = conf_hook_find(conf, h->after);
    }
    return false;
}

static struct store_run new_run(const struct store_task *t, const struct conf_hook *h,
                                const char *trigger)
{
    struct store_run run = {.task = t->row, .hook = h->name, .trigger = trigger};

    memcpy(run.task_id, t->id, sizeof(run.task_id));
    run.after = h->after != NULL ? h->after : "";
    run.state = h->after != NULL ? RUN_WAITING : RUN_READY;
    run.created_ms = run.due_ms = clock_wall_ms();
    run.detail = run.output = "";
    return run;
}

static bool any_needs_request(const struct conf *c, enum conf_event event)
{
    for (size_t i = 0; i < c->n_hooks; i++)
        if ((c->hooks[i].on & 1U << event) != 0 && match_needs_request(&c->hooks[i].match))
            return true;
    return false;
}

int calls_add(struct keeper *k, const struct store_task *said, enum conf_event event,
              struct err *err)
{
    struct store_task whole = *said; /* which a callback does not need */
    const struct store_task *t = &whole;

    if (any_needs_request(k->conf, event)) {
        int rc = k->store->ops->task_request(k->store, said->row, &whole);

        if (rc < 0)
            return err_set(err, rc, "the request of task %s cannot be read", said->id);
    }
    for (size_t i = 0; i < k->conf->n_hooks; i++) {
        const struct conf_hook *h = &k->conf->hooks[i];
        struct store_run run;
        int64_t row;
        int rc;

        if (!calls_wants(k->conf, h, t, event))
            continue;
        run = new_run(t, h, conf_event_name(event));
        rc = k->store->ops->run_insert(k->store, &run, &row, err);
        if (rc < 0 && rc != -EEXIST)
            return rc;
        schedule_look(k);
    }
    return 0;
}

int calls_replay(struct keeper *k, const struct store_task *t, const struct conf_hook *h,
                 const char *trigger, int64_t *run_row, struct err *err)
{
    struct store_run run = new_run(t, h, trigger);
    int rc;

    run.state = RUN_READY;
    run.after = "";
    run.replay = true;
    rc = k->store->ops->run_insert(k->store, &run, run_row, err);
    schedule_look(k);
    return rc;
}
