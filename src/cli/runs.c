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
                   "--state %s: no such state; there are waiting, ready, running, done, dead, "
                   "cancelled and failed",
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
        render_command(json_object_get(run, "command"), &text);
        if (!cli->json)
            cli_print(&text);
        if (!done)
            status = EXIT_FAILED;
    }
    if (cli->json)
        cli_print_json(answer);
    return status;
}

/* {"prompt": "x"} from every --set. */
static int read_set(const struct options *o, json_t *set, struct err *err)
{
    size_t at = 0;

    for (const char *use; (use = options_next(o, "set", &at)) != NULL;) {
        const char *equals = strchr(use, '=');
        autofree char *name = NULL;

        if (equals == NULL || equals == use)
            return err_set(err, -EINVAL, "--set %s: write FIELD=VALUE", use);
        name = mem_strndup(use, (size_t)(equals - use));
        json_object_set_new(set, name, json_string(equals + 1));
    }
    return 0;
}

static int trigger(struct cli *cli, const struct options *o, const json_t *set, struct follow *f)
{
    json_t *args = json_object();
    json_t *started = NULL;
    json_t *answer = NULL;
    int status;

    field_set_text(args, "hook", options_text(o, "hook"));
    field_set_text(args, "event", options_text(o, "event"));
    field_set_text(args, "state", options_text(o, "state"));
    (void)json_object_set_new(args, "set", json_deep_copy(set));
    status = cli_ask(cli, "trigger", args, &started);
    if (status == EXIT_OK) {
        f->task = cli->task = field_text(started, "task");
        status = await_runs(cli, f, &answer);
        cli->task = NULL;
    }
    if (answer != NULL && status == EXIT_OK)
        status = print_outcome(cli, answer);
    json_decref(started);
    json_decref(answer);
    return status;
}

int command_trigger(struct cli *cli, const struct options *o)
{
    json_t *set = json_object();
    struct follow f;
    struct err err;
    int status;
    int rc;

    if (read_set(o, set, &err) < 0) {
        json_decref(set);
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    rc = follow_open(&f, cli, options_ms(o, "timeout", TRIGGER_WAIT_MS), &err);
    status = rc < 0 ? cli_fail(cli, cli_status_of(rc), &err) : trigger(cli, o, set, &f);
    if (rc == 0)
        follow_close(&f);
    json_decref(set);
    return status;
}
