/* SPDX-License-Identifier: MIT */
#include "keeper/hooks.h"

#include "base/clock.h"
#include "conf/conf_delivery.h"

#include <jansson.h>
#include <string.h>

static json_t *text(const char *s)
{
    json_t *value = json_string(s);

    return value != NULL ? value : json_string("");
}

static json_t *array_of(const char *json)
{
    json_t *value = json_loads(json, 0, NULL);

    return value != NULL ? value : json_array();
}

static json_t *time_of(int64_t wall_ms)
{
    char out[25] = "";

    if (wall_ms != 0)
        clock_format_rfc3339(wall_ms, out);
    return json_string(out);
}

static json_t *list_of(const struct conf_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, text(list->v[i]));
    return array;
}

static json_t *user_of(const struct conf_hook *h)
{
    json_t *groups = json_array();

    for (size_t i = 0; i < h->as.n_groups; i++)
        json_array_append_new(groups, json_integer(h->as.groups[i]));
    return json_pack("{s:I, s:I, s:o, s:o}", "uid", (json_int_t)h->as.uid, "gid",
                     (json_int_t)h->as.gid, "groups", groups, "home", text(h->as.home));
}

static json_t *exec_action(const struct conf_hook *h)
{
    json_t *action =
        json_pack("{s:s, s:o, s:I, s:s, s:i, s:o, s:{s:I, s:I, s:i, s:I, s:i}}", "kind", "exec",
                  "argv", list_of(&h->exec), "timeout_ms", (json_int_t)h->timeout_ms, "cwd",
                  str_or(h->cwd, "/"), "umask", (int)h->umask, "env", list_of(&h->env), "limits",
                  "memory", (json_int_t)h->limits.memory, "cpu_ms", (json_int_t)h->limits.cpu_ms,
                  "files", h->limits.files, "file_size", (json_int_t)h->limits.file_size,
                  "processes", h->limits.processes);

    if (h->user != NULL)
        json_object_set_new(action, "user", user_of(h));
    return action;
}

static json_t *download_action(const struct conf_hook *h)
{
    static const char *const watermarked[] = {
        [WATERMARKED_NO] = "no", [WATERMARKED_YES] = "yes", [WATERMARKED_BOTH] = "both"};

    return json_pack("{s:s, s:s, s:s, s:i, s:b, s:s, s:b, s:b, s:b, s:I, s:I}", "kind", "download",
                     "dir", h->download.dir, "layout", h->download.layout, "mode",
                     (int)h->download.mode, "cover", h->download.cover, "watermarked",
                     watermarked[h->download.watermarked], "nfo", h->download.nfo, "posters",
                     h->download.posters, "sidecar", h->download.sidecar, "max_size",
                     (json_int_t)h->download.max_size, "timeout_ms", (json_int_t)h->timeout_ms);
}

static json_t *(*const actions[])(const struct conf_hook *h) = {
    [ACTION_EXEC] = exec_action,
    [ACTION_DOWNLOAD] = download_action,
    [ACTION_HTTP] = delivery_action,
};

static json_t *task_context(const struct store_task *t)
{
    json_t *tags = json_loads(t->tags, 0, NULL);

    return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:o, s:o, s:o}", "id",
                     t->id, "remote_id", text(t->remote_id), "provider", text(t->provider),
                     "endpoint", text(t->endpoint), "model", text(t->model), "prompt",
                     text(t->prompt), "payload", text(t->payload), "state", state_name(t->state),
                     "err_code", text(t->err_code), "err_msg", text(t->err_msg), "credits",
                     (json_int_t)t->credits, "tags", tags != NULL ? tags : json_object(),
                     "created_at", time_of(t->created_ms), "finished_at", time_of(t->finished_ms));
}

char *hook_run_json(const struct conf_hook *h, const struct store_run *run,
                    const struct hook_facts *facts)
{
    const struct store_task *t = facts->task;
    json_t *who = json_pack("{s:I, s:i, s:s, s:b}", "id", (json_int_t)run->row, "attempt",
                            run->attempt, "hook", h->name, "replay", run->replay);
    json_t *context = json_pack("{s:s, s:o, s:o}", "event", run->trigger, "run", who, "files",
                                array_of(facts->files));
    json_t *all = json_pack("{s:o, s:o}", "action", actions[h->action](h), "context", context);
    char *json;

    if (t != NULL)
        json_object_update_new(context, json_pack("{s:o, s:o, s:s}", "task", task_context(t),
                                                  "result", array_of(t->result), "source",
                                                  store_source_name(t->source)));
    if (!str_empty(run->details))
        json_object_set_new(context, "details", json_loads(run->details, 0, NULL));
    if (facts->earlier != NULL)
        json_object_set(context, "after", facts->earlier);
    if (run->once) /* of trying: the operator wants to see it */
        json_object_set_new(json_object_get(all, "action"), "show", json_true());
    json = json_dumps(all, JSON_COMPACT);
    json_decref(all);
    return json;
}
