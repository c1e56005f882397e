/* runs, retry, trigger. SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/follow.h"
#include "cli/offline.h"
#include "cli/render.h"
#include "cli/term.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>

#define RUNS_DEFAULT    50
#define TRIGGER_WAIT_MS (10 * 60 * 1000)

static int check_state(const char *name, struct err *err)
{
    enum run_state state;

    if (name == NULL || run_state_from_name(name, &state))
        return 0;
    return err_set(err, -EINVAL,
                   "--state %s: no such state; there are waiting, ready, running, done, dead and "
                   "cancelled",
                   name);
}

int command_runs(struct cli *cli, const struct options *o)
{
    static const char *const names[] = {"task", "state", "hook"};
    autobuf struct buf text = BUF_INIT(RENDER_MAX);
    json_t *args, *answer = NULL;
    struct err err;
    int status;

    if (check_state(options_text(o, "state"), &err) < 0)
        return cli_fail(cli, EXIT_USAGE, &err);
    args = json_object();
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        field_set_text(args, names[i], options_text(o, names[i]));
    (void)json_object_set_new(args, "limit",
                              json_integer(options_number(o, "limit", RUNS_DEFAULT)));
    status = offline_ask(cli, "runs", args, &answer);
    if (status != EXIT_OK)
        return status;
    if (cli->json)
        cli_print_json(answer);
    else
        render_runs(field_array(answer, "runs"), cli->width, cli->color, &text);
    if (text.len == 0 && !cli->json)
        cli_note("no runs");
    cli_print(&text);
    json_decref(answer);
    return EXIT_OK;
}

static void print_retried(const struct cli *cli, const json_t *answer)
{
    const json_t *runs = field_array(answer, "runs");
    const json_t *run;
    size_t i;

    if (cli->json) {
        cli_print_json(answer);
        return;
    }
    json_array_foreach (runs, i, run)
        printf("run %lld will be tried again\n", (long long)json_integer_value(run));
    if (json_array_size(runs) == 0)
        puts("no dead runs");
}

static int retry(struct cli *cli, json_t *args)
{
    json_t *answer = NULL;
    int status = cli_ask(cli, "retry", args, &answer);

    if (status == EXIT_OK)
        print_retried(cli, answer);
    json_decref(answer);
    return status;
}

static int retry_all_dead(struct cli *cli, const struct options *o)
{
    json_t *args = json_pack("{s:b}", "all_dead", 1);

    field_set_text(args, "hook", options_text(o, "hook"));
    return retry(cli, args);
}

static int check_retry(const struct options *o, struct err *err)
{
    bool dead = options_has(o, "dead");
    uint64_t run;

    if (dead == (o->n_words > 0))
        return err_set(err, -EINVAL, "give either the numbers of runs or --dead");
    if (!dead && options_has(o, "hook"))
        return err_set(err, -EINVAL, "--hook goes with --dead");
    for (size_t i = 0; i < o->n_words; i++)
        if (str_to_u64(o->words[i], strlen(o->words[i]), INT64_MAX, &run) < 0)
            return err_set(err, -EINVAL, "%s: not the number of a run; `viduhook runs` has them",
                           o->words[i]);
    return 0;
}

int command_retry(struct cli *cli, const struct options *o)
{
    int first_failure = EXIT_OK;
    struct err err;

    if (check_retry(o, &err) < 0)
        return cli_fail(cli, EXIT_USAGE, &err);
    if (options_has(o, "dead"))
        return retry_all_dead(cli, o);
    for (size_t i = 0; i < o->n_words; i++) {
        uint64_t run = 0;
        int status;

        (void)!str_to_u64(o->words[i], strlen(o->words[i]), INT64_MAX, &run); /* checked */
        status = retry(cli, json_pack("{s:I}", "run", (json_int_t)run));
        if (first_failure == EXIT_OK)
            first_failure = status;
    }
    return first_failure;
}

static int set_paused(struct cli *cli, const char *hook, bool paused)
{
    json_t *answer = NULL;
    int status =
        cli_ask(cli, "pause", json_pack("{s:s, s:b}", "hook", hook, "paused", paused), &answer);

    if (status == EXIT_OK && cli->json)
        cli_print_json(answer);
    else if (status == EXIT_OK)
        printf("%s %s\n", hook, paused ? "is paused; its runs wait" : "goes on");
    json_decref(answer);
    return status;
}

int command_pause(struct cli *cli, const struct options *o)
{
    return set_paused(cli, o->words[0], true);
}

int command_resume(struct cli *cli, const struct options *o)
{
    return set_paused(cli, o->words[0], false);
}

/* Whether this run has an attempt ahead that will start by itself at once. */
static bool is_under_way(const json_t *run)
{
    const char *state = field_text(run, "state");

    return str_eq(state, "running") ||
           (str_eq(state, "ready") && field_number(run, "attempt", 0) == 0);
}

static bool all_tried(const json_t *runs)
{
    const json_t *run;
    size_t i;

    json_array_foreach (runs, i, run) {
        if (is_under_way(run))
            return false;
    }
    return true;
}

/* Waits until every run of the task has ended its first attempt; *answer holds them. */
static int await_runs(struct cli *cli, struct follow *f, json_t **answer)
{
    for (;;) {
        json_t *args = json_pack("{s:s, s:i}", "task", f->task, "limit", 1000);
        int status = cli_ask(cli, "runs", args, answer);
        json_t *event;
        struct err err;
        bool renewed;
        int rc;

        if (status != EXIT_OK || all_tried(field_array(*answer, "runs")))
            return status;
        rc = follow_next(f, &event, &renewed, &err);
        json_decref(event);
        if (rc < 0)
            return cli_fail(cli, cli_status_of(rc), &err);
        json_decref(*answer);
        *answer = NULL;
    }
}

static int print_outcome(const struct cli *cli, const json_t *answer)
{
    const json_t *runs = field_array(answer, "runs");
    const json_t *run;
    int status = json_array_size(runs) != 0 ? EXIT_OK : EXIT_FAILED;
    size_t i;

    json_array_foreach (runs, i, run) {
        autobuf struct buf text = BUF_INIT(RENDER_MAX);
        const char *state = field_text(run, "state");
        bool done = str_eq(state, "done");

        term_adds(&text, field_text(run, "hook"));
        buf_adds(&text, ": ");
        term_add_colored(&text, cli->color ? term_state_color(done ? "done" : "dead") : "",
                         done ? "done" : "failed");
        if (field_text(run, "detail")[0] != '\0')
            buf_adds(&text, ": ");
        term_adds(&text, field_text(run, "detail"));
        buf_addc(&text, '\n');
        render_output(field_text(run, "output"), &text);
        if (!cli->json)
            cli_print(&text);
        if (!done)
            status = EXIT_FAILED;
    }
    if (cli->json)
        cli_print_json(answer);
    return status;
}

static int trigger(struct cli *cli, const struct options *o, struct follow *f)
{
    json_t *args = json_object();
    json_t *started = NULL;
    json_t *answer = NULL;
    int status;

    field_set_text(args, "hook", options_text(o, "hook"));
    field_set_text(args, "event", options_text(o, "event"));
    status = cli_ask(cli, "trigger", args, &started);
    if (status == EXIT_OK && json_array_size(field_array(started, "runs")) == 0) {
        struct err err;

        err_set(&err, 0, "no hook is configured for this event");
        status = cli_fail(cli, EXIT_FAILED, &err);
    } else if (status == EXIT_OK) {
        f->task = field_text(started, "task");
        status = await_runs(cli, f, &answer);
    }
    if (answer != NULL && status == EXIT_OK)
        status = print_outcome(cli, answer);
    json_decref(started);
    json_decref(answer);
    return status;
}

int command_trigger(struct cli *cli, const struct options *o)
{
    struct follow f;
    struct err err;
    int status;
    int rc = follow_open(&f, cli, options_ms(o, "timeout", TRIGGER_WAIT_MS), &err);

    if (rc < 0)
        return cli_fail(cli, cli_status_of(rc), &err);
    status = trigger(cli, o, &f);
    follow_close(&f);
    return status;
}
