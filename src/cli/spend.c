/* spend. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/render.h"
#include "cli/table.h"
#include "cli/when.h"

#include <errno.h>

#define DEFAULT_MS (30 * 24 * 3600000LL)
#define MAX_TASKS  9999 /* that are listed one by one */

static int64_t number_of(const json_t *row, const char *name)
{
    return field_number(row, name, 0);
}

static void add_sum(json_t *sum, const json_t *row)
{
    static const char *const names[] = {"tasks", "credits", "replaced"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        int64_t n = number_of(sum, names[i]) + number_of(row, names[i]);

        (void)json_object_set_new(sum, names[i], json_integer(n));
    }
}

/* The days of each provider, added up. */
static json_t *by_provider(const json_t *days)
{
    json_t *rows = json_array();
    json_t *index = json_object();
    const json_t *day;
    size_t i;

    json_array_foreach (days, i, day) {
        const char *name = field_text(day, "provider");
        json_t *row = json_object_get(index, name);

        if (row == NULL) {
            row = field_object("provider", name);
            (void)json_object_set(index, name, row);
            (void)json_array_append_new(rows, row);
        }
        add_sum(row, day);
    }
    json_decref(index);
    return rows;
}

static void render_sums(const json_t *rows, bool days, const struct cli *cli, struct buf *out)
{
    static const char *const titles[] = {"DAY",      "PROVIDER",  ">TASKS",
                                         ">CREDITS", ">REPLACED", NULL};
    struct table *t = table_new(days ? titles : titles + 1);
    json_t *sum = json_object();
    const json_t *row;
    size_t i;

    json_array_foreach (rows, i, row)
        add_sum(sum, row);
    for (i = 0; i <= json_array_size(rows); i++) {
        bool last = i == json_array_size(rows);

        row = last ? sum : json_array_get(rows, i);
        if (days)
            table_cell(t, last ? "total" : field_text(row, "day"), "");
        table_cell(t, last ? (days ? "" : "total") : field_text(row, "provider"), "");
        table_cellf(t, "%lld", (long long)number_of(row, "tasks"));
        table_cellf(t, "%lld", (long long)number_of(row, "credits"));
        table_cellf(t, "%lld", (long long)number_of(row, "replaced"));
    }
    json_decref(sum);
    if (json_array_size(rows) != 0)
        table_render(t, cli->width, cli->color, out);
    table_free(t);
}

static void render_tasks_spent(const json_t *tasks, const struct cli *cli, struct buf *out)
{
    static const char *const titles[] = {"ID",    "CREATED",  "PROVIDER", "ENDPOINT",
                                         "MODEL", ">CREDITS", "STATE",    NULL};
    static const char *const names[] = {"id", "created_at", "provider", "endpoint", "model"};
    struct table *t = table_new(titles);
    const json_t *task;
    size_t i;

    json_array_foreach (tasks, i, task) {
        for (size_t j = 0; j < ARRAY_LEN(names); j++)
            table_cell(t, field_text(task, names[j]), "");
        if (field_number(task, "credits", -1) >= 0)
            table_cellf(t, "%lld", (long long)number_of(task, "credits"));
        else
            table_cell(t, "?", "");
        table_cell(t, field_text(task, "state"), "");
    }
    if (json_array_size(tasks) != 0)
        table_render(t, cli->width, cli->color, out);
    table_free(t);
}

static const char *const ways[] = {"day", "provider", "task"};

static int check(const struct options *o, int64_t *since_ms, struct err *err)
{
    const char *by = options_text(o, "by");
    const char *since = options_text(o, "since");
    bool known = by == NULL;

    *since_ms = clock_wall_ms() - DEFAULT_MS;
    for (size_t i = 0; i < ARRAY_LEN(ways); i++)
        known = known || str_eq(by, ways[i]);
    if (!known)
        return err_set(err, -EINVAL, "--by %s: there are day, provider and task", by);
    return since != NULL ? when_since(since, clock_wall_ms(), since_ms, err) : 0;
}

static void show(struct cli *cli, const char *by, json_t *answer)
{
    autobuf struct buf text = BUF_INIT(RENDER_MAX);
    bool tasks = str_eq(by, "task");

    if (str_eq(by, "provider")) {
        (void)json_object_set_new(answer, "providers", by_provider(field_array(answer, "days")));
        (void)json_object_del(answer, "days");
    }
    if (cli->json)
        cli_print_json(answer);
    else if (tasks)
        render_tasks_spent(field_array(answer, "tasks"), cli, &text);
    else
        render_sums(field_array(answer, str_eq(by, "provider") ? "providers" : "days"),
                    str_eq(by, "day"), cli, &text);
    if (text.len == 0 && !cli->json)
        cli_note("nothing was spent");
    cli_print(&text);
}

int command_spend(struct cli *cli, const struct options *o)
{
    const char *by = str_or(options_text(o, "by"), "day");
    json_t *answer = NULL;
    int64_t since_ms;
    struct err err;
    json_t *args;
    int status;

    if (check(o, &since_ms, &err) < 0)
        return cli_fail(cli, EXIT_USAGE, &err);
    args = json_pack("{s:I, s:i}", "since", (json_int_t)since_ms, "limit", MAX_TASKS);
    status = cli_ask(cli, str_eq(by, "task") ? "list" : "spend", args, &answer);
    if (status != EXIT_OK)
        return status;
    show(cli, by, answer);
    json_decref(answer);
    return EXIT_OK;
}
