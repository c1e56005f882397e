/* SPDX-License-Identifier: MIT */
#include "keeper/outcome.h"

#include "base/clock.h"
#include "base/log.h"
#include "keeper/calls.h"
#include "keeper/events.h"
#include "keeper/pauses.h"
#include "vidu/crypto.h"

#include <errno.h>
#include <limits.h>

#define RETRY_AFTER_MAX_MS 3600000 /* a receiver holds up a run no longer */

/* An attempt has ended: the timeline, those that wait for it, the run itself. */
static int conclude(struct keeper *k, const struct store_run *run, int64_t took_ms, struct err *err)
{
    bool again = run->state == RUN_READY;
    int released = 0;
    int rc = event_run(k, run, again ? "again" : run_state_name(run->state), took_ms, err);

    if (rc == 0 && !again)
        rc = k->store->ops->run_release(k->store, run->task, run->hook, run->trigger,
                                        run->state == RUN_DONE, clock_wall_ms(), &released, err);
    if (rc == 0 && run->state == RUN_DEAD)
        rc = calls_dead(k, run, err);
    if (rc == 0) /* what stands behind it is not looked at over and over while it rests */
        rc = k->store->ops->run_follow(k->store, run, again ? run->due_ms : clock_wall_ms(), err);
    return rc < 0 ? rc : k->store->ops->run_update(k->store, run, err);
}

/* A run that can never be made. */
int outcome_bury(struct keeper *k, struct store_run *run, const char *why, struct err *err)
{
    log_warn("run.dead", LOG_I("run", run->row), LOG_S("hook", run->hook), LOG_S("why", why));
    run->state = run->once ? RUN_MISSED : RUN_DEAD;
    run->detail = why;
    run->finished_ms = clock_wall_ms();
    return conclude(k, run, -1, err);
}

int outcome_cancel(struct keeper *k, struct store_run *run, struct err *err)
{
    int n = 0;
    int rc = k->store->ops->run_release(k->store, run->task, run->hook, run->trigger, false,
                                        clock_wall_ms(), &n, err);

    log_info("run.cancelled", LOG_I("run", run->row), LOG_S("task", run->task_id),
             LOG_S("hook", run->hook), LOG_I("attempt", run->attempt));
    run->detail = "cancelled by the operator";
    run->finished_ms = clock_wall_ms();
    if (run->state != RUN_RUNNING) /* else its end is told when it comes */
        event_run_live(k, run, "cancelled");
    run->state = RUN_CANCELLED;
    return rc < 0 ? rc : k->store->ops->run_update(k->store, run, err);
}

int64_t outcome_pause_ms(const struct conf_hook *h, int attempt, int64_t retry_after_ms)
{
    int64_t ms = h->retry.from_ms;
    uint32_t dice;

    for (int i = 1; i < attempt && ms < h->retry.to_ms; i++)
        ms *= 2;
    if (ms > h->retry.to_ms)
        ms = h->retry.to_ms;
    crypto_random(&dice, sizeof(dice));
    ms += (int64_t)(dice % (uint64_t)(ms / 2 + 1));
    if (retry_after_ms > RETRY_AFTER_MAX_MS)
        retry_after_ms = RETRY_AFTER_MAX_MS;
    return ms > retry_after_ms ? ms : retry_after_ms;
}

/* It was cancelled while it ran: what is known of its end is added, and nothing follows from it. */
static int add_end(struct keeper *k, struct store_run *run, const struct msg_done *msg,
                   struct err *err)
{
    autofree char *detail = mem_printf("%s%s", str_or(msg->detail.p, ""),
                                       msg->outcome == RUN_OK ? ", cancelled too late" : "");
    int rc;

    run->exit_code = msg->exit_code;
    run->output = str_or(msg->output.p, "");
    run->detail = detail;
    run->finished_ms = clock_wall_ms();
    rc = event_run(k, run, "cancelled", run->finished_ms - run->started_ms, err);
    return rc < 0 ? rc : k->store->ops->run_update(k->store, run, err);
}

/* NULL: it may be tried again; else why not, "" when its end says so. */
static const char *over(const struct conf_hook *h, const struct msg_done *msg,
                        const struct store_run *run)
{
    if (h == NULL)
        return ", and its hook is no longer in the configuration";
    if (msg->outcome == RUN_FATAL || msg->outcome == RUN_GONE ||
        (msg->outcome == RUN_FAILED && run->failures >= h->retry.attempts))
        return "";
    return run->finished_ms - run->created_ms > h->retry.max_age_ms
               ? ", and the run is older than retry.max_age"
               : NULL;
}

/* Sets the run's next state from what the runner said; what else there is to tell of it. */
static const char *decide(const struct conf_hook *h, const struct msg_done *msg,
                          struct store_run *run)
{
    const char *why = "";

    run->finished_ms = clock_wall_ms();
    run->losses = 0;
    run->failures += msg->outcome == RUN_FAILED;
    if (msg->outcome == RUN_OK) {
        run->state = RUN_DONE;
    } else if (run->once) {
        run->state = RUN_MISSED;
    } else if ((why = over(h, msg, run)) != NULL) {
        run->state = RUN_DEAD;
    } else {
        run->state = RUN_READY;
        run->expires_ms = 0;
        run->due_ms = run->finished_ms + outcome_pause_ms(h, run->attempt, msg->retry_after_ms);
    }
    return str_or(why, "");
}

static void log_outcome(const struct store_run *run, const struct msg_done *msg)
{
    const char *detail = run->detail;

    if (run->state == RUN_MISSED)
        log_info("run.failed", LOG_I("run", run->row), LOG_S("task", run->task_id),
                 LOG_S("hook", run->hook), LOG_S("why", detail));
    else if (run->state == RUN_DONE)
        log_info("run.done", LOG_I("run", run->row), LOG_S("task", run->task_id),
                 LOG_S("hook", run->hook), LOG_I("attempt", run->attempt),
                 LOG_I("ms", msg->duration_ms));
    else if (run->state == RUN_DEAD)
        log_warn("run.dead", LOG_I("run", run->row), LOG_S("task", run->task_id),
                 LOG_S("hook", run->hook), LOG_I("attempt", run->attempt), LOG_S("why", detail));
    else
        log_info("run.again", LOG_I("run", run->row), LOG_S("task", run->task_id),
                 LOG_S("hook", run->hook), LOG_I("attempt", run->attempt), LOG_S("why", detail),
                 LOG_I("in_ms", run->due_ms - clock_wall_ms()));
}

int outcome_record(struct keeper *k, const struct msg_done *msg, struct err *err)
{
    autofree char *detail = NULL;
    struct store_run run;
    const char *more;
    int rc = k->store->ops->run_by_row(k->store, (int64_t)msg->run, &run);

    if (rc < 0)
        return rc == -ENOENT ? 0 : err_sys(err, rc, "run %llu", (unsigned long long)msg->run);
    if (run.state == RUN_CANCELLED) {
        rc = event_files(k, &run, msg->files, err);
        return rc < 0 ? rc : add_end(k, &run, msg, err);
    }
    more = decide(conf_hook_find(k->conf, run.hook), msg, &run);
    detail = mem_printf("%s%s", str_or(msg->detail.p, ""), more);
    run.detail = detail;
    run.exit_code = msg->exit_code;
    run.output = str_or(msg->output.p, "");
    if (msg->command.n != 0)
        run.command = msg->command.p;
    log_outcome(&run, msg);
    rc = event_files(k, &run, msg->files, err);
    if (rc == 0 && msg->outcome == RUN_GONE && !run.once) /* trying switches nothing off */
        rc = pauses_switch_off(k, run.hook, run.detail, err);
    return rc < 0 ? rc : conclude(k, &run, run.finished_ms - run.started_ms, err);
}

/* Its side effect may have happened. */
int outcome_lost(struct keeper *k, int64_t row, struct err *err)
{
    const struct conf_hook *h;
    struct store_run run;
    int rc = k->store->ops->run_by_row(k->store, row, &run);

    if (rc < 0)
        return rc == -ENOENT ? 0 : err_sys(err, rc, "run %lld", (long long)row);
    if (run.state != RUN_RUNNING)
        return 0;
    log_warn("run.interrupted", LOG_I("run", run.row), LOG_S("task", run.task_id),
             LOG_S("hook", run.hook), LOG_I("attempt", run.attempt));
    h = conf_hook_find(k->conf, run.hook);
    run.state = RUN_READY;
    run.expires_ms = 0;
    run.due_ms = clock_wall_ms();
    run.losses++;
    if (run.losses == OUTCOME_LOSSES_MAX - 1 && h != NULL) /* its last attempt */
        run.due_ms += outcome_pause_ms(h, 1, -1);
    run.detail = "interrupted; made again";
    rc = event_run(k, &run, "interrupted", -1, err);
    return rc < 0 ? rc : k->store->ops->run_update(k->store, &run, err);
}

/* As many as the runner had: what goes out as one batch stands in one place. */
struct lost_runs {
    int64_t *rows;
    size_t n, room;
};

static int on_lost(const struct store_run *run, void *ctx)
{
    struct lost_runs *lost = ctx;

    if (lost->n == lost->room) {
        lost->room = lost->room * 2 + 64;
        lost->rows = mem_realloc(lost->rows, lost->room, sizeof(*lost->rows));
    }
    lost->rows[lost->n++] = run->row;
    return 0;
}

static int tell_lost(struct keeper *k, int64_t row, struct err *err)
{
    struct store_run run;
    int rc = k->store->ops->run_by_row(k->store, row, &run);

    if (rc < 0)
        return err_sys(err, rc, "run %lld", (long long)row);
    run.detail = "the daemon died; made again";
    return event_run(k, &run, "interrupted", -1, err);
}

int outcome_reclaim(struct keeper *k, int *n, struct err *err)
{
    struct store_filter filter = {.state = RUN_RUNNING, .limit = INT_MAX};
    struct lost_runs lost = {.n = 0};
    int rc = k->store->ops->run_list(k->store, &filter, on_lost, &lost);

    if (rc < 0)
        err_sys(err, rc, "runs that were under way");
    for (size_t i = lost.n; rc >= 0 && i-- > 0;) /* oldest first */
        rc = tell_lost(k, lost.rows[i], err);
    free(lost.rows);
    return rc < 0 ? rc : k->store->ops->run_reclaim(k->store, clock_wall_ms(), n, err);
}

int outcome_revive(struct keeper *k, struct store_run *run, int64_t due_ms, struct err *err)
{
    int rc = k->store->ops->run_revive(k->store, run->task, run->hook, run->trigger,
                                       clock_wall_ms(), err);

    if (rc < 0)
        return rc;
    run->state = RUN_READY;
    run->attempt = run->failures = run->losses = 0;
    run->created_ms = run->due_ms = due_ms; /* max_age counts from here again */
    run->finished_ms = 0;
    run->expires_ms = 0;
    run->replay = true;
    return k->store->ops->run_update(k->store, run, err);
}
