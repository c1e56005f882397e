/* watch. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/follow.h"
#include "cli/progress.h"
#include "cli/render.h"

#include <errno.h>

#define LINE_BYTES (64U << 10)
#define REST_MS    50

static void show_progress(struct live *live, const json_t *event)
{
    autobuf struct buf line = BUF_INIT(LINE_BYTES);

    progress_text(&line, field_text(event, "name"), (uint64_t)field_number(event, "done", 0),
                  (uint64_t)field_number(event, "total", 0), live->width);
    live_show(live, buf_text(&line));
}

static void show_event(const struct cli *cli, struct live *live, const json_t *event)
{
    autobuf struct buf line = BUF_INIT(LINE_BYTES);

    if (cli->json) {
        cli_print_json_line(event);
        return;
    }
    if (str_eq(field_text(event, "event"), "progress")) {
        show_progress(live, event);
        return;
    }
    render_event(event, cli->color, &line);
    if (line.len == 0)
        return;
    live_clear(live);
    buf_addc(&line, '\n');
    cli_print(&line);
    cli_flush();
}

static bool is_run_over(const char *state)
{
    return str_eq(state, "done") || str_eq(state, "dead") || str_eq(state, "cancelled") ||
           str_eq(state, "failed");
}

/* -1 while there is something to wait for, else the exit status. */
static int judge(const json_t *answer)
{
    const json_t *run;
    const char *state = field_text(json_object_get(answer, "task"), "state");
    bool dead = false;
    size_t i;

    if (!follow_is_over(state))
        return -1;
    json_array_foreach (field_array(answer, "runs"), i, run) {
        if (!is_run_over(field_text(run, "state")))
            return -1;
        dead |= str_eq(field_text(run, "state"), "dead");
    }
    if (!str_eq(state, "success"))
        return EXIT_TASK_FAILED;
    return dead ? EXIT_FAILED : EXIT_OK;
}

/* As judge, of the task as it is now; an exit status when that cannot be found out. */
static int judge_now(struct cli *cli, const char *task)
{
    json_t *answer = NULL;
    int status = follow_look(cli, task, &answer);

    if (status == EXIT_OK)
        status = judge(answer);
    json_decref(answer);
    return status;
}

static bool may_be_over(const json_t *event, bool renewed)
{
    return renewed || (event != NULL && !str_eq(field_text(event, "event"), "progress"));
}

/* The task was found to be over before the event that says so was read. */
static void show_rest(const struct cli *cli, struct follow *f, struct live *live)
{
    int64_t until_ms = clock_mono_ms() + REST_MS;
    int64_t left_ms = REST_MS;
    json_t *event;
    struct err err;

    while (left_ms > 0 && control_next_event(f->watch, left_ms, &event, &err) == 0) {
        left_ms = until_ms - clock_mono_ms();
        if (str_eq(field_text(event, "task"), f->task))
            show_event(cli, live, event);
        json_decref(event);
    }
}

static int watch_loop(struct cli *cli, struct follow *f, struct live *live)
{
    int status = f->task != NULL ? judge_now(cli, f->task) : -1;

    while (status < 0 && ferror(stdout) == 0) {
        json_t *event;
        struct err err;
        bool renewed;
        int rc = follow_next(f, &event, &renewed, &err);

        if (rc < 0) {
            live_clear(live);
            return cli_fail(cli, cli_status_of(rc), &err);
        }
        if (event != NULL)
            show_event(cli, live, event);
        if (f->task != NULL && may_be_over(event, renewed)) {
            live_clear(live);
            status = judge_now(cli, f->task);
        }
        json_decref(event);
    }
    if (f->task != NULL && f->watch != NULL)
        show_rest(cli, f, live);
    return status < 0 ? EXIT_FAILED : status;
}

/* The whole id for what the user typed, owned by the caller. */
static int resolve(struct cli *cli, const char *prefix, char **task)
{
    json_t *answer = NULL;
    int status = follow_look(cli, prefix, &answer);

    if (status == EXIT_OK)
        *task = mem_strdup(field_text(json_object_get(answer, "task"), "id"));
    json_decref(answer);
    return status;
}

int command_watch(struct cli *cli, const struct options *o)
{
    autofree char *task = NULL;
    struct live live = live_new();
    struct follow f;
    struct err err;
    int status;
    int rc;

    cli->json_lines = true;
    rc = follow_open(&f, cli, options_ms(o, "timeout", -1), &err);
    if (rc < 0)
        return cli_fail(cli, cli_status_of(rc), &err);
    status = o->n_words > 0 ? resolve(cli, o->words[0], &task) : EXIT_OK;
    if (status == EXIT_OK) {
        f.task = cli->task = task;
        status = watch_loop(cli, &f, &live);
        cli->task = NULL;
    }
    live_clear(&live);
    follow_close(&f);
    return status;
}
