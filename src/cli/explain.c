/* explain. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/offline.h"
#include "cli/render.h"
#include "cli/story.h"

int command_explain(struct cli *cli, const struct options *o)
{
    autobuf struct buf text = BUF_INIT(RENDER_MAX);
    json_t *answer = NULL;
    int status = offline_ask(cli, "explain", field_object("task", o->words[0]), &answer);

    if (status != EXIT_OK)
        return status;
    render_redact(json_object_get(answer, "task"));
    if (cli->json)
        cli_print_json(answer);
    else
        story_render(answer, clock_wall_ms(), cli->color, &text);
    cli_print(&text);
    json_decref(answer);
    return EXIT_OK;
}
