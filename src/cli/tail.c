/* tail. SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/follow.h"
#include "cli/render.h"
#include "cli/term.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct output {
    struct cli *cli;
    int64_t run;
    int64_t attempt; /* whose output it is; 0: none yet */
    int64_t seen;    /* bytes of it that are behind us */
    bool mid_line;
};

static void print_text(struct output *out, const char *text)
{
    autobuf struct buf safe = BUF_INIT(RENDER_MAX);
    size_t n = strlen(text);

    if (n == 0)
        return;
    if (isatty(STDOUT_FILENO))
        term_escape(&safe, text, n, true);
    else
        buf_add(&safe, text, n); /* as the command wrote it */
    cli_print(&safe);
    cli_flush();
    out->mid_line = text[n - 1] != '\n';
}

static void print_gap(struct output *out, int64_t bytes)
{
    cli_flush();
    if (out->mid_line)
        putchar('\n');
    cli_flush();
    out->mid_line = false;
    cli_note("[%lld bytes were left out]", (long long)bytes);
}

/* Pieces may come twice, when somebody else begins to listen. */
static void show_piece(struct output *out, const json_t *event)
{
    const char *text = field_text(event, "text");
    int64_t at = field_number(event, "at", 0);
    int64_t end = at + (int64_t)strlen(text);

    if (field_number(event, "attempt", 0) != out->attempt) {
        out->attempt = field_number(event, "attempt", 0);
        out->seen = 0;
    }
    if (at > out->seen)
        print_gap(out, at - out->seen);
    if (at < out->seen)
        text += out->seen - at < end - at ? out->seen - at : end - at;
    print_text(out, text);
    if (end > out->seen)
        out->seen = end;
}

/* Nothing more will be said of the attempt that is under way, or of any. */
static bool is_end(const struct output *out, const json_t *event)
{
    const char *state = field_text(event, "state");

    return str_eq(field_text(event, "event"), "run") && field_number(event, "run", 0) == out->run &&
           !str_eq(state, "running");
}

static bool is_over(const json_t *run)
{
    static const char *const open[] = {"waiting", "ready", "running"};

    for (size_t i = 0; i < ARRAY_LEN(open); i++)
        if (str_eq(field_text(run, "state"), open[i]))
            return false;
    return true;
}

static int look(struct output *out, json_t **run)
{
    json_t *answer = NULL;
    int status = cli_ask(out->cli, "run", json_pack("{s:I}", "run", (json_int_t)out->run), &answer);

    if (status == EXIT_OK)
        *run = json_incref(json_object_get(answer, "run"));
    json_decref(answer);
    return status;
}

static void show_event(struct output *out, const json_t *event)
{
    if (field_number(event, "run", 0) != out->run)
        return;
    if (out->cli->json)
        cli_print_json_line(event);
    else if (str_eq(field_text(event, "event"), "output"))
        show_piece(out, event);
}

/* After what was missed it may be over already. */
static int check_missed(struct output *out, bool *over)
{
    json_t *run = NULL;
    int status = look(out, &run);

    *over = status != EXIT_OK || is_over(run);
    json_decref(run);
    return status;
}

static int listen_to(struct output *out, struct follow *f)
{
    bool over;
    int status = check_missed(out, &over);

    while (!over && ferror(stdout) == 0) {
        json_t *event;
        struct err err;
        bool renewed;
        int rc = follow_next(f, &event, &renewed, &err);

        if (rc < 0)
            return cli_fail(out->cli, cli_status_of(rc), &err);
        if (event != NULL)
            show_event(out, event);
        over = event != NULL && is_end(out, event);
        json_decref(event);
        if (renewed)
            status = check_missed(out, &over);
    }
    return status;
}

/* How it ended, and what was kept of it when nothing was heard live. */
static int conclude(struct output *out)
{
    autobuf struct buf line = BUF_INIT(RENDER_MAX);
    json_t *run = NULL;
    int status = look(out, &run);

    if (status != EXIT_OK)
        return status;
    if (out->cli->json) {
        cli_print_json_line(run);
    } else {
        if (out->attempt == 0)
            print_text(out, field_text(run, "output"));
        if (out->mid_line)
            putchar('\n');
        cli_flush();
        render_run_line(run, false, &line);
        fputs(buf_text(&line), stderr);
    }
    status = str_eq(field_text(run, "state"), "done") ? EXIT_OK : EXIT_FAILED;
    json_decref(run);
    return status;
}

int command_tail(struct cli *cli, const struct options *o)
{
    struct output out = {.cli = cli};
    json_t *run = NULL;
    struct follow f;
    struct err err;
    uint64_t number;
    int status;

    cli->json_lines = true;
    if (str_to_u64(o->words[0], strlen(o->words[0]), INT64_MAX, &number) < 0) {
        err_set(&err, -EINVAL, "%s: not the number of a run; `viduhook runs` has them",
                o->words[0]);
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    out.run = (int64_t)number;
    status = look(&out, &run);
    if (status == EXIT_OK && !is_over(run)) {
        int rc = follow_open_run(&f, cli, field_text(run, "task"), out.run, &err);

        status = rc < 0 ? cli_fail(cli, cli_status_of(rc), &err) : listen_to(&out, &f);
        if (rc == 0)
            follow_close(&f);
    }
    json_decref(run);
    return status == EXIT_OK ? conclude(&out) : status;
}
