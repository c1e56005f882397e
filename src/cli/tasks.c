/* list and show. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/offline.h"
#include "cli/render.h"
#include "cli/term.h"
#include "cli/when.h"
#include "vidu/redact.h"
#include "vidu/state.h"

#include <errno.h>

#define LIST_DEFAULT 50

static int check_state(const char *name, struct err *err)
{
    enum task_state state;

    if (name == NULL || state_from_name(name, &state))
        return 0;
    return err_set(err, -EINVAL,
                   "--state %s: no such state; there are registered, submitted, queued, "
                   "processing, success, failed, cancelled, rejected, ambiguous and lost",
                   name);
}

static int check_since(const struct options *o, int64_t *since_ms, struct err *err)
{
    const char *text = options_text(o, "since");

    return text != NULL ? when_since(text, clock_wall_ms(), since_ms, err) : 0;
}

int command_list(struct cli *cli, const struct options *o)
{
    static const char *const names[] = {"state", "provider", "tag"};
    autobuf struct buf text = BUF_INIT(RENDER_MAX);
    json_t *args = json_object();
    json_t *answer = NULL;
    int64_t since_ms = 0;
    struct err err;
    int status;

    if (check_state(options_text(o, "state"), &err) < 0 || check_since(o, &since_ms, &err) < 0) {
        json_decref(args);
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        field_set_text(args, names[i], options_text(o, names[i]));
    (void)json_object_set_new(args, "limit",
                              json_integer(options_number(o, "limit", LIST_DEFAULT)));
    (void)json_object_set_new(args, "since", json_integer(since_ms));
    status = offline_ask(cli, "list", args, &answer);
    if (status != EXIT_OK)
        return status;
    if (cli->json)
        cli_print_json(answer);
    else
        render_tasks(field_array(answer, "tasks"), cli->width, cli->color, &text);
    if (text.len == 0 && !cli->json)
        cli_note("no tasks");
    cli_print(&text);
    json_decref(answer);
    return EXIT_OK;
}

static void add_line(const char *name, const char *value, struct buf *out)
{
    if (value[0] != '\0')
        buf_addf(out, "%-12s %s\n", name, value);
}

static void add_member(const json_t *task, const char *name, struct buf *out)
{
    autobuf struct buf value = BUF_INIT(RENDER_MAX);

    field_show(json_object_get(task, name), &value);
    add_line(name, buf_text(&value), out);
}

static void add_state(const json_t *task, bool color, struct buf *out)
{
    autobuf struct buf state = BUF_INIT(1024);
    autobuf struct buf safe = BUF_INIT(1024);
    const char *name = field_text(task, "state");

    term_adds(&safe, name);
    term_add_colored(&state, color ? term_state_color(name) : "", buf_text(&safe));
    add_line("state", buf_text(&state), out);
}

static void add_tags(const json_t *task, struct buf *out)
{
    autobuf struct buf tags = BUF_INIT(RENDER_MAX);

    field_show_tags(json_object_get(task, "tags"), &tags);
    add_line("tags", buf_text(&tags), out);
}

static void add_url(const char *name, const char *url, bool whole, struct buf *out)
{
    autobuf struct buf shown = BUF_INIT(RENDER_MAX);
    autobuf struct buf safe = BUF_INIT(RENDER_MAX);

    if (url[0] == '\0')
        return;
    if (whole)
        buf_adds(&shown, url);
    else
        redact_url(url, &shown);
    term_adds(&safe, buf_text(&shown));
    add_line(name, buf_text(&safe), out);
}

static void add_result(const json_t *task, bool whole, struct buf *out)
{
    const json_t *creation;
    size_t i;

    json_array_foreach (field_array(task, "result"), i, creation) {
        add_url("url", field_text(creation, "url"), whole, out);
        add_url("cover_url", field_text(creation, "cover_url"), whole, out);
        add_url("watermarked", field_text(creation, "watermarked_url"), whole, out);
    }
}

static void show_text(const struct cli *cli, const json_t *answer, bool urls, struct buf *out)
{
    static const char *const first[] = {"id", "remote_id", "provider", "endpoint", "model"};
    static const char *const then[] = {"err_code", "err_msg", "prompt", "payload"};
    static const char *const last[] = {"trace_id", "created_at", "updated_at", "finished_at"};
    const json_t *task = json_object_get(answer, "task");

    for (size_t i = 0; i < ARRAY_LEN(first); i++)
        add_member(task, first[i], out);
    add_state(task, cli->color, out);
    for (size_t i = 0; i < ARRAY_LEN(then); i++)
        add_member(task, then[i], out);
    if (field_number(task, "credits", -1) >= 0)
        add_member(task, "credits", out);
    add_tags(task, out);
    for (size_t i = 0; i < ARRAY_LEN(last); i++)
        add_member(task, last[i], out);
    add_result(task, urls, out);
    render_files(field_array(answer, "files"), cli->width, cli->color, out);
    if (json_array_size(field_array(answer, "runs")) != 0)
        buf_addc(out, '\n');
    render_runs(field_array(answer, "runs"), cli->width, cli->color, out);
}

int command_show(struct cli *cli, const struct options *o)
{
    autobuf struct buf text = BUF_INIT(RENDER_MAX);
    bool urls = options_has(o, "urls");
    json_t *answer = NULL;
    int status = offline_ask(cli, "show", field_object("task", o->words[0]), &answer);

    if (status != EXIT_OK)
        return status;
    if (cli->json && !urls)
        render_redact(json_object_get(answer, "task"));
    if (cli->json)
        cli_print_json(answer);
    else
        show_text(cli, answer, urls, &text);
    cli_print(&text);
    json_decref(answer);
    return EXIT_OK;
}
