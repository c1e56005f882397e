/* status, reload, config show, config check. SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/render.h"
#include "cli/term.h"
#include "http/tls.h"
#include "vidu/template.h"
#include "vidu/template_filter.h"

#include <errno.h>

static void add_pairs(const json_t *object, struct buf *out)
{
    const char *name;
    json_t *value;

    json_object_foreach ((json_t *)(uintptr_t)object, name, value) /* only reads it */
    {
        if (json_is_object(value)) {
            add_pairs(value, out);
            continue;
        }
        buf_adds(out, "  ");
        term_adds(out, name);
        buf_addc(out, ' ');
        field_show(value, out);
    }
}

static void add_status_line(const char *name, const json_t *value, struct buf *out)
{
    autobuf struct buf safe = BUF_INIT(4096);

    term_adds(&safe, name);
    buf_addf(out, "%-10s", buf_text(&safe));
    if (json_object_size(value) != 0) {
        add_pairs(value, out);
    } else if (json_is_object(value) || (json_is_array(value) && json_array_size(value) == 0)) {
        buf_adds(out, "  none");
    } else {
        buf_adds(out, "  ");
        field_show(value, out);
    }
    buf_addc(out, '\n');
}

/* One line for every member; an array of objects gets one for each. */
static void render_status(const json_t *answer, struct buf *out)
{
    const char *name;
    json_t *value, *item;
    size_t i;

    json_object_foreach ((json_t *)(uintptr_t)answer, name, value) /* only reads it */
    {
        if (json_is_array(value) && json_is_object(json_array_get(value, 0)))
            json_array_foreach (value, i, item)
                add_status_line(name, item, out);
        else
            add_status_line(name, value, out);
    }
}

int command_status(struct cli *cli, const struct options *o)
{
    autobuf struct buf text = BUF_INIT(RENDER_MAX);
    json_t *answer = NULL;
    int status = cli_ask(cli, "status", NULL, &answer);

    (void)o;
    if (status != EXIT_OK)
        return status;
    if (cli->json)
        cli_print_json(answer);
    else
        render_status(answer, &text);
    cli_print(&text);
    json_decref(answer);
    return EXIT_OK;
}

static void note_all(const json_t *texts)
{
    const json_t *text;
    size_t i;

    json_array_foreach (texts, i, text) {
        autobuf struct buf line = BUF_INIT(64U << 10);

        field_show(text, &line);
        fprintf(stderr, "%s\n", buf_text(&line));
    }
}

static int reload(struct cli *cli, struct control *c)
{
    struct control_answer answer;
    struct err err;
    int rc = control_ask(c, "reload", NULL, SLICE_LIT(""), CONTROL_ANSWER_MS, &answer, &err);

    if (rc < 0)
        return cli_fail(cli, cli_status_of(rc), &err);
    note_all(field_array(answer.json, "findings"));
    if (answer.exit != EXIT_OK)
        return cli_refused(cli, &answer);
    note_all(field_array(answer.json, "notes"));
    if (cli->json)
        cli_print_json(answer.json);
    else
        puts("reloaded");
    json_decref(answer.json);
    return EXIT_OK;
}

int command_reload(struct cli *cli, const struct options *o)
{
    struct control *c = NULL;
    struct err err;
    int status;

    (void)o;
    if (cli_connect(cli, &c, &err) < 0)
        return cli_fail(cli, EXIT_UNREACHABLE, &err);
    status = reload(cli, c);
    control_close(c);
    return status;
}

/* What a check found, as it goes to people or into JSON. */
struct findings {
    const struct cli *cli;
    json_t *list;
};

static void on_finding(const char *file, int line, int column, const char *text, void *ctx)
{
    struct findings *f = ctx;

    json_t *row = field_object("file", file);

    (void)json_object_set_new(row, "line", json_integer(line));
    (void)json_object_set_new(row, "column", json_integer(column));
    field_set_text(row, "text", text);
    (void)json_array_append_new(f->list, row);
    if (f->cli->json)
        return;
    if (line > 0)
        cli_note("%s:%d:%d: %s", file, line, column, text);
    else
        cli_note("%s: %s", file, text);
}

int command_config_check(struct cli *cli, const struct options *o)
{
    autofree char *standard = conf_default_path();
    const char *file = o->n_words > 0 ? o->words[0] : str_or(cli->config, standard);
    struct findings found = {.cli = cli, .list = json_array()};
    struct conf *conf = NULL;
    bool ok = conf_load_checked(file, tls_server_check, on_finding, &found, &conf) == 0;

    if (ok)
        conf_warn(conf, on_finding, &found);
    if (cli->json) {
        json_t *json = field_object("file", file);

        (void)json_object_set_new(json, "ok", json_boolean(ok));
        (void)json_object_set(json, "findings", found.list);
        cli_print_json(json);
        json_decref(json);
    } else if (ok) {
        autobuf struct buf line = BUF_INIT(64U << 10);

        term_adds(&line, file);
        buf_adds(&line, ": no mistakes found\n");
        cli_print(&line);
    }
    json_decref(found.list);
    conf_free(conf);
    return ok ? EXIT_OK : EXIT_FAILED;
}

static json_t *option_json(const struct conf_option *option)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "name", option->name, "type", option->type,
                     "range", str_or(option->range, ""), "default", str_or(option->fallback, ""),
                     "reloadable", option->reloadable, "help", option->help);
}

int command_config_options(struct cli *cli, const struct options *o)
{
    json_t *list = json_array();

    (void)o;
    for (size_t i = 0; i < conf_option_count(); i++) {
        const struct conf_option *option = conf_option_at(i);

        (void)json_array_append_new(list, option_json(option));
        if (!cli->json)
            printf("%s\t%s\t%s\t%s\t%s\n", option->name, option->type, str_or(option->range, ""),
                   str_or(option->fallback, ""), option->help);
    }
    if (cli->json)
        cli_print_json(list);
    json_decref(list);
    return EXIT_OK;
}

static void list_placeholder(const struct cli *cli, json_t *list, const char *kind,
                             const char *name, const char *variable, const char *help)
{
    json_t *row = field_object("kind", kind);

    field_set_text(row, "name", name);
    field_set_text(row, "variable", str_or(variable, ""));
    field_set_text(row, "help", help);
    (void)json_array_append_new(list, row);
    if (!cli->json)
        printf("%s\t%s\t%s\t%s\n", kind, name, str_or(variable, ""), help);
}

int command_config_placeholders(struct cli *cli, const struct options *o)
{
    json_t *list = json_array();

    (void)o;
    for (const struct template_name *t = template_names; t->name != NULL; t++)
        list_placeholder(cli, list, "placeholder", t->name, t->env, t->help);
    for (const struct template_filter_name *f = template_filter_names; f->name != NULL; f++)
        list_placeholder(cli, list, "filter", f->name, NULL, f->help);
    if (cli->json)
        cli_print_json(list);
    json_decref(list);
    return EXIT_OK;
}

static void print_yaml(const struct cli *cli, const char *yaml)
{
    if (cli->json) {
        json_t *json = field_object("yaml", yaml);

        cli_print_json(json);
        json_decref(json);
    } else {
        autobuf struct buf text = BUF_INIT(RENDER_MAX);

        term_escape(&text, yaml, slice_str(yaml).n, true);
        cli_print(&text);
    }
}

static int show_file(struct cli *cli)
{
    autobuf struct buf yaml = BUF_INIT(RENDER_MAX);
    const struct conf *conf = cli_conf(cli);
    struct err err;

    if (conf == NULL) {
        err_set(&err, 0, "%s", str_or(cli->conf_problem, "no configuration"));
        return cli_fail(cli, EXIT_FAILED, &err);
    }
    conf_show(conf, &yaml);
    print_yaml(cli, buf_text(&yaml));
    return EXIT_OK;
}

int command_config_show(struct cli *cli, const struct options *o)
{
    struct control *c = NULL;
    json_t *answer = NULL;
    struct err err;
    int status;
    int rc;

    if (options_has(o, "file"))
        return show_file(cli);
    rc = cli_connect(cli, &c, &err);
    if (rc < 0 && cli->socket == NULL && cli_conf(cli) != NULL) {
        cli_note("note: viduhookd is not reachable; this is what %s says", cli->conf->file);
        return show_file(cli);
    }
    if (rc < 0)
        return cli_fail(cli, EXIT_UNREACHABLE, &err);
    status = cli_ask_on(cli, c, "config", NULL, &answer);
    control_close(c);
    if (status == EXIT_OK)
        print_yaml(cli, field_text(answer, "yaml"));
    json_decref(answer);
    return status;
}
