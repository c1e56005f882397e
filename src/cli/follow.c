/* SPDX-License-Identifier: MIT */
#include "cli/follow.h"

#include "base/clock.h"
#include "cli/field.h"

#include <errno.h>
#include <time.h>

#define TICK_MS    1000
#define REJOIN_MS  15000 /* how long a daemon may take to come back */
#define REJOIN_GAP 200

/* Who wants output asks for one task only. */
static int subscribe(struct follow *f, struct err *err)
{
    return control_watch(f->watch, f->run != 0 ? f->task : NULL, f->run, err);
}

static int join(struct follow *f, struct err *err)
{
    int rc = control_open(cli_control_path(f->cli), &f->watch, err);

    if (rc == 0)
        rc = subscribe(f, err);
    return rc;
}

static void rest(int64_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    (void)nanosleep(&t, NULL);
}

/* After the connection was lost: a reload replaces the process that held it. */
static int rejoin(struct follow *f, struct err *err)
{
    int64_t until = clock_mono_ms() + REJOIN_MS;

    for (;;) {
        int rc;

        control_close(f->watch);
        f->watch = NULL;
        rc = join(f, err);
        if (rc == 0)
            return 0;
        if (clock_mono_ms() >= until || (f->deadline_ms >= 0 && clock_mono_ms() >= f->deadline_ms))
            return err_wrap(err, -EPIPE, "viduhookd went away");
        rest(REJOIN_GAP);
    }
}

void follow_close(struct follow *f)
{
    control_close(f->watch);
    f->watch = NULL;
}

static int begin(struct follow *f, struct err *err)
{
    int rc = cli_connect(f->cli, &f->watch, err);

    if (rc == 0)
        rc = subscribe(f, err);
    if (rc < 0)
        follow_close(f);
    return rc;
}

int follow_open(struct follow *f, struct cli *cli, int64_t timeout_ms, struct err *err)
{
    *f = (struct follow){.cli = cli, .deadline_ms = -1};
    if (timeout_ms >= 0)
        f->deadline_ms = clock_mono_ms() + timeout_ms;
    return begin(f, err);
}

int follow_open_run(struct follow *f, struct cli *cli, const char *task, int64_t run,
                    struct err *err)
{
    *f = (struct follow){.cli = cli, .task = task, .run = run, .deadline_ms = -1};
    return begin(f, err);
}

/* At most a tick, at least what is left. */
static int64_t patience(const struct follow *f)
{
    int64_t left = f->deadline_ms >= 0 ? f->deadline_ms - clock_mono_ms() : TICK_MS;

    return left < TICK_MS ? left : TICK_MS;
}

int follow_next(struct follow *f, json_t **event, bool *renewed, struct err *err)
{
    int64_t wait_ms = patience(f);
    json_t *got = NULL;
    int rc;

    *event = NULL;
    *renewed = false;
    if (wait_ms < 0)
        return err_set(err, -ETIMEDOUT, "timed out");
    rc = control_next_event(f->watch, wait_ms, &got, err);
    if (rc == -ETIMEDOUT)
        return 0;
    if (rc < 0) {
        rc = rejoin(f, err);
        *renewed = rc == 0;
        return rc;
    }
    if (f->task != NULL && f->run == 0 && !str_eq(field_text(got, "task"), f->task)) {
        json_decref(got);
        return 0;
    }
    *event = got;
    return 0;
}

bool follow_is_over(const char *state)
{
    enum task_state s;

    return state_from_name(state, &s) && (state_is_final(s) || s == STATE_LOST);
}

int follow_look(struct cli *cli, const char *task, json_t **answer)
{
    return cli_ask(cli, "show", field_object("task", task), answer);
}
