/* replay. SPDX-License-Identifier: MIT */
#include "cli/commands.h"
#include "cli/edit.h"
#include "cli/field.h"

#include <errno.h>
#include <string.h>

static void print_replayed(const struct cli *cli, const json_t *answer)
{
    const json_t *runs = field_array(answer, "runs");
    const json_t *run;
    size_t i;

    if (cli->json) {
        cli_print_json(answer);
        return;
    }
    json_array_foreach (runs, i, run)
        printf("run %lld is made for %s\n", (long long)json_integer_value(run),
               field_text(answer, "event"));
    if (str_eq(field_text(answer, "verdict"), "accepted"))
        puts("it was news: the task goes on as if it had just been received");
}

static json_t *question(const struct options *o, const char *as)
{
    json_t *args = json_pack("{s:s, s:s}", "task", o->words[0], "as", as);

    field_set_text(args, "hook", options_text(o, "hook"));
    if (options_has(o, "event"))
        json_object_set_new(args, "entry", json_integer(options_number(o, "event", 0)));
    return args;
}

static int ask(struct cli *cli, json_t *args, struct slice blob)
{
    json_t *answer = NULL;
    int status = cli_ask_with(cli, "replay", args, blob, CONTROL_ANSWER_MS, &answer);

    if (status == EXIT_OK)
        print_replayed(cli, answer);
    json_decref(answer);
    return status;
}

/* For the eye when it is JSON, else as it came. */
static char *spread_out(const char *body)
{
    json_t *json = json_loads(body, JSON_REJECT_DUPLICATES, NULL);
    autofree char *text = json != NULL ? json_dumps(json, JSON_INDENT(2)) : NULL;

    json_decref(json);
    return text != NULL ? mem_printf("%s\n", text) : mem_strdup(body);
}

static int replay_edited(struct cli *cli, const struct options *o)
{
    autobuf struct buf edited = BUF_INIT(EDIT_MAX);
    autofree char *before = NULL;
    json_t *received = NULL;
    char *path = NULL;
    struct err err;
    int status = cli_ask(cli, "received", question(o, "edited"), &received);

    if (status != EXIT_OK)
        return status;
    before = spread_out(field_text(received, "body"));
    json_decref(received);
    if (edit_text(slice_str(before), &edited, &path, &err) < 0)
        return cli_fail(cli, EXIT_FAILED, &err);
    if (slice_is((struct slice){buf_text(&edited), edited.len}, before)) {
        edit_forget(path);
        err_set(&err, -ECANCELED, "nothing was changed, so nothing is replayed");
        return cli_fail(cli, EXIT_FAILED, &err);
    }
    status = ask(cli, question(o, "edited"), (struct slice){buf_text(&edited), edited.len});
    if (status == EXIT_OK) {
        edit_forget(path);
    } else {
        cli_note("your text is kept in %s", path);
        free(path);
    }
    return status;
}

int command_replay(struct cli *cli, const struct options *o)
{
    struct err err;

    if (options_has(o, "as-received") && options_has(o, "edit")) {
        err_set(&err, -EINVAL, "--as-received or --edit, not both");
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    if (options_has(o, "edit"))
        return replay_edited(cli, o);
    if (options_has(o, "event") && !options_has(o, "as-received")) {
        err_set(&err, -EINVAL, "--event goes with --as-received or --edit");
        return cli_fail(cli, EXIT_USAGE, &err);
    }
    return ask(cli, question(o, options_has(o, "as-received") ? "received" : "task"),
               (struct slice){NULL, 0});
}
