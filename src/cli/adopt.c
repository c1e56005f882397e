/* adopt. SPDX-License-Identifier: MIT */
#include "cli/body.h"
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/submit.h"
#include "vidu/id.h"
#include "vidu/provider.h"

#include <errno.h>
#include <string.h>

static int check(const struct options *o, struct err *err)
{
    const char *id = o->words[0];
    const char *endpoint = options_text(o, "endpoint");

    if (!options_has(o, "provider"))
        return err_set(err, -EINVAL, "adopt needs --provider: who has the task?");
    if (!id_is_remote(id, strlen(id)))
        return err_set(err, -EINVAL, "'%s': not an id of a provider", id);
    if (endpoint != NULL && endpoint_check_task(endpoint, err) < 0)
        return err_wrap(err, -EINVAL, "--endpoint");
    return 0;
}

/* Watches before it asks, so that nothing that happens to the task is missed. */
static int adopt_and_wait(struct cli *cli, const struct options *o, json_t *args)
{
    struct submission s = {.cli = cli, .o = o, .save = {.dir_fd = -1}};
    json_t *answer = NULL;
    struct follow follow;
    struct err err;
    int status;
    int rc = follow_open(&follow, cli, options_ms(o, "timeout", -1), &err);

    if (rc < 0) {
        json_decref(args);
        return cli_fail(cli, cli_status_of(rc), &err);
    }
    status = cli_ask(cli, "adopt", args, &answer);
    if (status == EXIT_OK)
        status = submit_await(&s, &follow, answer);
    json_decref(answer);
    follow_close(&follow);
    return status;
}

static int adopt(struct cli *cli, json_t *args)
{
    json_t *answer = NULL;
    int status = cli_ask(cli, "adopt", args, &answer);

    if (status != EXIT_OK)
        return status;
    if (cli->json)
        cli_print_json(answer);
    else
        submit_print_id(answer);
    json_decref(answer);
    return EXIT_OK;
}

int command_adopt(struct cli *cli, const struct options *o)
{
    json_t *tags = NULL;
    json_t *args;
    struct err err;

    if (check(o, &err) < 0 || body_tags(o, &tags, &err) < 0)
        return cli_fail(cli, EXIT_USAGE, &err);
    args = field_object("remote_id", o->words[0]);
    field_set_text(args, "provider", options_text(o, "provider"));
    field_set_text(args, "endpoint", options_text(o, "endpoint"));
    (void)json_object_set_new(args, "tags", tags);
    if (options_has(o, "wait") || options_has(o, "timeout"))
        return adopt_and_wait(cli, o, args);
    return adopt(cli, args);
}
