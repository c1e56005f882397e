/* SPDX-License-Identifier: MIT */
#include "cli/render.h"

#include "base/clock.h"
#include "cli/field.h"
#include "cli/table.h"
#include "cli/term.h"
#include "cli/when.h"
#include "vidu/redact.h"

#include <string.h>

#define ID_SHORT 8 /* characters of an id in a list: 35 random bits */
#define TEXT_MAX ((size_t)1 << 20)

static void cell_id(struct table *t, const char *id)
{
    table_cellf(t, "%.*s", ID_SHORT, id);
}

static void cell_state(struct table *t, const char *state)
{
    table_cell(t, state, term_state_color(state));
}

static void cell_age(struct table *t, int64_t at_ms, int64_t now_ms)
{
    char age[24] = "-";

    if (at_ms != 0)
        when_age(now_ms - at_ms, age);
    table_cell(t, age, "");
}

void render_tasks(const json_t *tasks, size_t width, bool color, struct buf *out)
{
    static const char *const titles[] = {"ID",    "STATE", "PROVIDER", "ENDPOINT",
                                         "MODEL", ">AGE",  "PROMPT",   NULL};
    struct table *t = table_new(titles);
    int64_t now = clock_wall_ms();
    const json_t *task;
    size_t i;

    json_array_foreach (tasks, i, task) {
        cell_id(t, field_text(task, "id"));
        cell_state(t, field_text(task, "state"));
        table_cell(t, field_text(task, "provider"), "");
        table_cell(t, field_text(task, "endpoint"), "");
        table_cell(t, field_text(task, "model"), "");
        cell_age(t, field_time(task, "created_at"), now);
        table_cell(t, field_text(task, "prompt"), "");
    }
    if (json_array_size(tasks) != 0)
        table_render(t, width, color, out);
    table_free(t);
}

void render_runs(const json_t *runs, size_t width, bool color, struct buf *out)
{
    static const char *const titles[] = {">RUN",     "TASK", "HOOK",   "EVENT", "STATE",
                                         ">ATTEMPT", ">AGE", "DETAIL", NULL};
    struct table *t = table_new(titles);
    int64_t now = clock_wall_ms();
    const json_t *run;
    size_t i;

    json_array_foreach (runs, i, run) {
        int64_t finished = field_time(run, "finished_at");

        table_cellf(t, "%lld", (long long)field_number(run, "id", 0));
        cell_id(t, field_text(run, "task"));
        table_cell(t, field_text(run, "hook"), "");
        table_cell(t, field_text(run, "event"), "");
        cell_state(t, field_text(run, "state"));
        table_cellf(t, "%lld", (long long)field_number(run, "attempt", 0));
        cell_age(t, finished != 0 ? finished : field_time(run, "started_at"), now);
        table_cell(t, field_text(run, "detail"), "");
    }
    if (json_array_size(runs) != 0)
        table_render(t, width, color, out);
    table_free(t);
}

void render_files(const json_t *files, size_t width, bool color, struct buf *out)
{
    static const char *const titles[] = {"KIND", ">SIZE", "FILE", NULL};
    struct table *t = table_new(titles);
    const json_t *file;
    size_t i;

    json_array_foreach (files, i, file) {
        char size[16];

        str_from_bytes((uint64_t)field_number(file, "bytes", 0), size);
        table_cell(t, field_text(file, "kind"), "");
        table_cell(t, size, "");
        table_cell(t, field_text(file, "path"), "");
    }
    if (json_array_size(files) != 0) {
        buf_addc(out, '\n');
        table_render(t, width, color, out);
    }
    table_free(t);
}

void render_redact(json_t *task)
{
    static const char *const names[] = {"url", "cover_url", "watermarked_url"};
    json_t *creation;
    size_t i;

    json_array_foreach (json_object_get(task, "result"), i, creation) {
        for (size_t n = 0; n < ARRAY_LEN(names); n++) {
            const char *url = field_text(creation, names[n]);
            autobuf struct buf shown = BUF_INIT(RENDER_MAX);

            if (url[0] == '\0')
                continue;
            redact_url(url, &shown);
            field_set_text(creation, names[n], buf_text(&shown));
        }
    }
}

void render_output(const char *output, struct buf *out)
{
    while (*output != '\0') {
        size_t n = strcspn(output, "\n");

        buf_adds(out, "    | ");
        term_escape(out, output, n, true);
        buf_addc(out, '\n');
        output += n + (output[n] == '\n');
    }
}

static void add_words(const char *label, const json_t *words, struct buf *out)
{
    const json_t *word;
    size_t i;

    json_array_foreach (words, i, word) {
        buf_addf(out, "    %s ", label);
        term_adds(out, json_string_value(word));
        buf_addc(out, '\n');
    }
}

void render_command(const json_t *command, struct buf *out)
{
    if (command == NULL)
        return;
    add_words("argv ", field_array(command, "argv"), out);
    add_words("env  ", field_array(command, "env"), out);
    buf_adds(out, "    stdin ");
    term_adds(out, field_text(command, "stdin"));
    buf_addc(out, '\n');
}

void render_state(const char *state, bool color, struct buf *out)
{
    autobuf struct buf safe = BUF_INIT(TEXT_MAX);

    term_adds(&safe, state);
    term_add_colored(out, color ? term_state_color(state) : "", buf_text(&safe));
}

void render_run_line(const json_t *run, bool color, struct buf *out)
{
    int64_t started = field_time(run, "started_at");
    int64_t finished = field_time(run, "finished_at");
    char took[24];

    buf_addf(out, "run %lld ", (long long)field_number(run, "id", 0));
    term_adds(out, field_text(run, "hook"));
    buf_adds(out, " on ");
    term_adds(out, field_text(run, "event"));
    buf_adds(out, ": ");
    render_state(field_text(run, "state"), color, out);
    buf_addf(out, ", attempt %lld", (long long)field_number(run, "attempt", 0));
    if (started != 0 && finished >= started) {
        str_from_ms(finished - started, took);
        buf_addf(out, ", took %s", took);
    }
    if (field_text(run, "detail")[0] != '\0')
        buf_adds(out, ": ");
    term_adds(out, field_text(run, "detail"));
    buf_addc(out, '\n');
}

static void add_event_head(const json_t *event, struct buf *out)
{
    char at[16];

    when_local(field_time(event, "at"), at);
    buf_addf(out, "%s  ", at);
    term_adds(out, field_text(event, "task"));
    buf_adds(out, "  ");
}

static void add_task_event(const json_t *event, bool color, struct buf *out)
{
    render_state(field_text(event, "state"), color, out);
    buf_adds(out, " (");
    term_adds(out, field_text(event, "source"));
    buf_adds(out, ", ");
    term_adds(out, field_text(event, "verdict"));
    buf_addc(out, ')');
}

static void add_run_event(const json_t *event, bool color, struct buf *out)
{
    buf_addf(out, "run %lld ", (long long)field_number(event, "run", 0));
    term_adds(out, field_text(event, "hook"));
    buf_addc(out, ' ');
    render_state(field_text(event, "state"), color, out);
    buf_addf(out, ", attempt %lld", (long long)field_number(event, "attempt", 0));
    if (field_text(event, "detail")[0] != '\0')
        buf_adds(out, ": ");
    term_adds(out, field_text(event, "detail"));
}

void render_event(const json_t *event, bool color, struct buf *out)
{
    const char *kind = field_text(event, "event");

    if (str_eq(kind, "task")) {
        add_event_head(event, out);
        add_task_event(event, color, out);
    } else if (str_eq(kind, "run")) {
        add_event_head(event, out);
        add_run_event(event, color, out);
    }
}
