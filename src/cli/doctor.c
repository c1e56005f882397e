/* doctor. SPDX-License-Identifier: MIT */
#include "cli/doctor.h"

#include "cli/commands.h"
#include "cli/field.h"
#include "cli/term.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOUND_MAX 4096

const struct conf_hook *doctor_source(const struct conf *c, const struct conf_hook *h)
{
    while (h != NULL && h->action != ACTION_DOWNLOAD)
        h = conf_hook_find(c, h->after);
    return h;
}

/* The configuration would not have been read without it. */
static bool check_exec(const struct conf *c, const struct conf_hook *h, struct buf *found)
{
    (void)c;
    buf_addf(found, "%s is there and may be run", h->exec.v[0]);
    return true;
}

static bool check_download(const struct conf *c, const struct conf_hook *h, struct buf *found)
{
    const char *dir = h->download.dir;
    struct stat st;

    (void)c;
    if (stat(dir, &st) < 0)
        buf_addf(found, "%s: %s; make the directory, or name another one in download.dir", dir,
                 strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        buf_addf(found, "%s is not a directory", dir);
    else if (access(dir, R_OK | W_OK | X_OK) < 0)
        buf_addf(found, "%s: this user may not write there: %s; give it the directory", dir,
                 strerror(errno));
    else {
        buf_addf(found, "%s is there and may be written to", dir);
        return true;
    }
    return false;
}

static const struct {
    const char *name;
    bool (*check)(const struct conf *c, const struct conf_hook *h, struct buf *found);
} actions[] = {
    [ACTION_EXEC] = {"exec", check_exec},
    [ACTION_DOWNLOAD] = {"download", check_download},
    [ACTION_HTTP] = {"http", doctor_http},
};

static bool examine(const struct cli *cli, const struct conf_hook *h, json_t *list)
{
    autobuf struct buf found = BUF_INIT(FOUND_MAX);
    autobuf struct buf line = BUF_INIT(FOUND_MAX * 8);
    bool ok = actions[h->action].check(cli->conf, h, &found);
    json_t *row =
        json_pack("{s:s, s:s, s:b}", "hook", h->name, "action", actions[h->action].name, "ok", ok);

    field_set_text(row, "text", buf_text(&found));
    (void)json_array_append_new(list, row);
    if (cli->json)
        return ok;
    buf_addf(&line, "%-6s", ok ? "ok" : "wrong");
    term_adds(&line, h->name);
    buf_addf(&line, " (%s): ", actions[h->action].name);
    term_adds(&line, buf_text(&found));
    buf_addc(&line, '\n');
    cli_print(&line);
    cli_flush(); /* the next server may take its time */
    return ok;
}

int command_doctor(struct cli *cli, const struct options *o)
{
    const struct conf *c;
    json_t *list;
    struct err err;
    bool ok = true;

    if (!options_has(o, "hooks")) {
        err_set(&err, 0, "doctor needs --hooks: what is to be examined?");
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    c = cli_conf(cli);
    if (c == NULL) {
        err_set(&err, 0, "%s", str_or(cli->conf_problem, "no configuration"));
        return cli_fail(cli, EXIT_FAILED, &err);
    }
    list = json_array();
    for (size_t i = 0; i < c->n_hooks; i++)
        ok = examine(cli, &c->hooks[i], list) && ok;
    if (cli->json) {
        json_t *json = json_pack("{s:b, s:O}", "ok", ok, "hooks", list);

        cli_print_json(json);
        json_decref(json);
    } else if (c->n_hooks == 0) {
        cli_note("there are no hooks in %s", c->file);
    }
    json_decref(list);
    return ok ? EXIT_OK : EXIT_FAILED;
}
