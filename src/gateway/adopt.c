/* SPDX-License-Identifier: MIT */
#include "gateway/adopt.h"

#include "base/log.h"
#include "gateway/account.h"
#include "vidu/endpoint.h"
#include "vidu/id.h"
#include "vidu/tag.h"

#include <errno.h>
#include <string.h>

static bool on_recorded(const struct frame *f, struct asker asker, void *ctx)
{
    struct gateway *g = ctx;
    struct msg_recorded msg;

    if (f == NULL || message_read(f, &msg) != 0) {
        control_refuse(g->control, asker, EXIT_TIMED_OUT, "the keeper has not answered in time");
    } else if (msg.error.n != 0) {
        control_refuse(g->control, asker, EXIT_FAILED, "not recorded: %s", msg.error.p);
    } else {
        log_info("adopt.recorded", LOG_S("task", msg.task.p));
        control_answer(g->control, asker, EXIT_OK,
                       json_pack("{s:s, s:s}", "task", msg.task.p, "state", "submitted"));
    }
    return false;
}

static int read_args(const struct gateway *g, const json_t *args, struct msg_register *out,
                     struct err *err)
{
    const char *provider = json_string_value(json_object_get(args, "provider"));
    const char *remote_id = json_string_value(json_object_get(args, "remote_id"));
    const char *endpoint = json_string_value(json_object_get(args, "endpoint"));
    const struct hello_provider *account;

    if (provider == NULL || remote_id == NULL)
        return err_set(err, -EINVAL, "adopt needs a provider and the task's id there");
    if (!id_is_remote(remote_id, strlen(remote_id)))
        return err_set(err, -EINVAL, "%s is not an id of a provider", remote_id);
    if (endpoint != NULL && endpoint_check_task(endpoint, err) < 0)
        return -EINVAL;
    account = account_find(&g->hello, provider, err);
    if (account == NULL)
        return -ENOENT;
    *out = (struct msg_register){.provider = slice_str(account->name),
                                 .remote_id = slice_str(remote_id),
                                 .endpoint = slice_str(endpoint)};
    return 0;
}

void adopt_start(struct gateway *g, const struct command *cmd)
{
    char task[TASK_ID_SIZE];
    struct msg_register msg;
    struct err err = {""};
    autofree char *tags = NULL;

    if (read_args(g, cmd->args, &msg, &err) == 0)
        tags = tags_text(json_object_get(cmd->args, "tags"), &err);
    if (tags == NULL) {
        control_refuse(g->control, cmd->asker, EXIT_USAGE, "%s", err.text);
        return;
    }
    id_new_task(task);
    msg.task = slice_str(task);
    msg.tags = slice_str(tags);
    if (question_ask(g->questions, MSG_REGISTER, &msg, MSG_RECORDED, cmd->asker, on_recorded, g) !=
        0)
        control_refuse(g->control, cmd->asker, EXIT_FAILED, "the keeper cannot be asked");
}
