/* SPDX-License-Identifier: MIT */
#include "cli/story.h"

#include "base/clock.h"
#include "cli/field.h"
#include "cli/render.h"
#include "cli/term.h"
#include "cli/when.h"

#include <string.h>

/* What stands in front of a line: when it was, and how long after the first one. */
static void add_times(int64_t at_ms, int64_t first_ms, struct buf *out)
{
    char wall[25] = "-";
    char since[24] = "0ms";

    if (at_ms != 0)
        clock_format_rfc3339(at_ms, wall);
    if (at_ms > first_ms)
        str_from_ms(at_ms - first_ms, since);
    buf_addf(out, "%-24s %8s  ", wall, since);
}

/* An arrow is a change of the task's state; what a hook did, for one, changes none. */
static void add_event(const json_t *event, const char *before, bool color, struct buf *out)
{
    const char *detail = field_text(event, "detail");
    const char *state = field_text(event, "state");

    term_adds(out, field_text(event, "source"));
    buf_adds(out, " ");
    term_adds(out, field_text(event, "verdict"));
    if (!str_eq(state, before)) {
        buf_adds(out, " -> ");
        render_state(state, color, out);
    }
    if (detail[0] != '\0')
        buf_adds(out, ": ");
    term_adds(out, detail);
    buf_addc(out, '\n');
}

static void add_file(const json_t *file, int64_t first_ms, struct buf *out)
{
    char size[16];

    str_from_bytes((uint64_t)field_number(file, "bytes", 0), size);
    buf_adds(out, "     ");
    add_times(field_time(file, "created_at"), first_ms, out);
    buf_adds(out, "file ");
    term_adds(out, field_text(file, "kind"));
    buf_addf(out, ", %s, run %lld: ", size, (long long)field_number(file, "run", 0));
    term_adds(out, field_text(file, "path"));
    buf_addc(out, '\n');
}

/* Those that came in by then; all for INT64_MAX. Returns the place of the next one. */
static size_t add_files(const json_t *files, size_t i, int64_t until_ms, int64_t first_ms,
                        struct buf *out)
{
    for (; i < json_array_size(files); i++) {
        const json_t *file = json_array_get(files, i);

        if (field_time(file, "created_at") > until_ms)
            break;
        add_file(file, first_ms, out);
    }
    return i;
}

static void add_timeline(const json_t *answer, bool color, struct buf *out)
{
    const json_t *events = field_array(answer, "events");
    const json_t *files = field_array(answer, "files");
    int64_t first = field_time(json_array_get(events, 0), "at");
    const char *before = "";
    const json_t *event;
    size_t told = 0;
    size_t i;

    json_array_foreach (events, i, event) {
        int64_t at = field_time(event, "at");

        told = add_files(files, told, at, first, out);
        buf_addf(out, "%3lld  ", (long long)field_number(event, "entry", 0));
        add_times(at, first, out);
        add_event(event, before, color, out);
        before = field_text(event, "state");
    }
    add_files(files, told, INT64_MAX, first, out);
}

static void add_head(const json_t *task, bool color, struct buf *out)
{
    static const char *const names[] = {"id", "endpoint", "provider", "model"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *text = field_text(task, names[i]);

        if (text[0] == '\0')
            continue;
        term_adds(out, text);
        buf_addc(out, ' ');
    }
    render_state(field_text(task, "state"), color, out);
    if (field_text(task, "err_code")[0] != '\0') {
        buf_adds(out, ": ");
        term_adds(out, field_text(task, "err_code"));
        buf_addc(out, ' ');
        term_adds(out, field_text(task, "err_msg"));
    }
    buf_adds(out, "\n\n");
}

static void add_time(int64_t at_ms, int64_t now_ms, struct buf *out)
{
    char relative[32], wall[25];

    if (at_ms == 0)
        return;
    when_relative(at_ms, now_ms, relative);
    clock_format_rfc3339(at_ms, wall);
    buf_addf(out, " %s", relative);
    if (!str_eq(relative, "now"))
        buf_addf(out, " (%s)", wall);
}

static void add_next(const json_t *next, int64_t now_ms, struct buf *out)
{
    const char *why = field_text(next, "why");

    buf_adds(out, "next: ");
    term_adds(out, field_text(next, "what"));
    add_time(field_time(next, "at"), now_ms, out);
    if (why[0] != '\0')
        buf_adds(out, ": ");
    term_adds(out, why);
    buf_addc(out, '\n');
}

void story_render(const json_t *answer, int64_t now_ms, bool color, struct buf *out)
{
    const json_t *next = field_array(answer, "next");
    const json_t *runs = field_array(answer, "runs");
    const json_t *row;
    size_t i;

    add_head(json_object_get(answer, "task"), color, out);
    add_timeline(answer, color, out);
    buf_addc(out, '\n');
    for (i = json_array_size(runs); i-- > 0;) { /* oldest first */
        row = json_array_get(runs, i);
        render_run_line(row, color, out);
        render_output(field_text(row, "output"), out);
    }
    json_array_foreach (next, i, row)
        add_next(row, now_ms, out);
    if (json_array_size(next) == 0)
        buf_adds(out, "next: nothing more, this task is finished\n");
}
