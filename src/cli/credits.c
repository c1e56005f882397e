/* credits and cancel. SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/render.h"
#include "cli/table.h"

#define CANCEL_MS 75000 /* the keeper, the provider and the keeper again */

static void add_cells(struct table *t, const char *provider, const json_t *row)
{
    static const char *const names[] = {"credit_remain", "current_concurrency", "concurrency_limit",
                                        "queue_count"};

    table_cell(t, provider, "");
    table_cell(t, field_text(row, "type"), "");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        int64_t n = field_number(row, names[i], -1);

        if (n >= 0)
            table_cellf(t, "%lld", (long long)n);
        else
            table_cell(t, "?", "");
    }
}

static void render_credits(const json_t *accounts, const struct cli *cli)
{
    static const char *const titles[] = {"PROVIDER", "TYPE",    ">CREDITS", ">RUNNING",
                                         ">AT ONCE", ">QUEUED", NULL};
    autobuf struct buf text = BUF_INIT(RENDER_MAX);
    struct table *t = table_new(titles);
    const json_t *account, *row;
    size_t i, j;

    json_array_foreach (accounts, i, account)
        json_array_foreach (field_array(account, "remains"), j, row)
            add_cells(t, field_text(account, "provider"), row);
    table_render(t, cli->width, cli->color, &text);
    table_free(t);
    cli_print(&text);
}

/* EXIT_OK and the account added, or why not, which has been said. */
static int ask_one(struct cli *cli, struct control *c, const char *provider, json_t *accounts)
{
    json_t *answer = NULL;
    int status = cli_ask_on(cli, c, "credits", field_object("provider", provider), &answer);

    if (status == EXIT_OK)
        (void)json_array_append_new(accounts, answer);
    return status;
}

/* Some providers do not tell, which is said on stderr alone: JSON is one document. It fails only
 * when it leaves nothing to show. */
static int ask_all(struct cli *cli, struct control *c, json_t *accounts)
{
    struct cli quiet = *cli;
    struct err err = {"no provider tells its credits"};
    const json_t *name;
    int first = EXIT_OK;
    size_t i;

    quiet.json = false;
    json_array_foreach (field_array(control_hello(c), "providers"), i, name) {
        int status = ask_one(&quiet, c, json_string_value(name), accounts);

        if (first == EXIT_OK)
            first = status;
    }
    return json_array_size(accounts) != 0 || first == EXIT_OK ? EXIT_OK
                                                              : cli_fail(cli, first, &err);
}

int command_credits(struct cli *cli, const struct options *o)
{
    const char *provider = options_text(o, "provider");
    json_t *accounts = json_array();
    struct control *c = NULL;
    struct err err;
    int status;

    if (cli_connect(cli, &c, &err) < 0) {
        json_decref(accounts);
        return cli_fail(cli, EXIT_UNREACHABLE, &err);
    }
    status = provider != NULL ? ask_one(cli, c, provider, accounts) : ask_all(cli, c, accounts);
    control_close(c);
    if (status == EXIT_OK && cli->json) {
        json_t *all = json_pack("{s:O}", "accounts", accounts);

        cli_print_json(all);
        json_decref(all);
    } else if (status == EXIT_OK) {
        render_credits(accounts, cli);
    }
    json_decref(accounts);
    return status;
}

int command_cancel(struct cli *cli, const struct options *o)
{
    json_t *answer = NULL;
    int status = cli_ask_with(cli, "cancel", field_object("task", o->words[0]), SLICE_LIT(""),
                              CANCEL_MS, &answer);

    if (status != EXIT_OK)
        return status;
    if (cli->json)
        cli_print_json(answer);
    else
        cli_note("%s: %s agreed to cancel it; `viduhook show` tells when it is over",
                 field_text(answer, "task"), field_text(answer, "provider"));
    json_decref(answer);
    return EXIT_OK;
}
