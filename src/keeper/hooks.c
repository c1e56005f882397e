/* SPDX-License-Identifier: MIT */
#include "keeper/hooks.h"

#include "base/clock.h"
#include "conf/conf_delivery.h"
#include "vidu/document.h"
#include "wire/frame.h"

#include <jansson.h>
#include <string.h>

static json_t *list_of(const struct conf_list *list)
{
    json_t *array = json_array();

    for (size_t i = 0; i < list->n; i++)
        json_array_append_new(array, document_string(list->v[i]));
    return array;
}

static json_t *user_of(const struct conf_hook *h)
{
    json_t *groups = json_array();

    for (size_t i = 0; i < h->as.n_groups; i++)
        json_array_append_new(groups, json_integer(h->as.groups[i]));
    return json_pack("{s:I, s:I, s:o, s:o}", "uid", (json_int_t)h->as.uid, "gid",
                     (json_int_t)h->as.gid, "groups", groups, "home", document_string(h->as.home));
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

/* ---- the context, written as text: it is made for every run, and read by many ---- */

static void add_text(struct buf *b, const char *name, const char *value)
{
    buf_addf(b, ",\"%s\":", name);
    buf_add_json(b, str_or(value, ""), strlen(str_or(value, "")));
}

static void add_time(struct buf *b, const char *name, int64_t wall_ms)
{
    char out[25] = "";

    if (wall_ms != 0)
        clock_format_rfc3339(wall_ms, out);
    add_text(b, name, out);
}

/* json is a document of our own, as the store keeps it. */
static void add_document(struct buf *b, const char *name, const char *json, const char *otherwise)
{
    buf_addf(b, ",\"%s\":%s", name, str_empty(json) ? otherwise : json);
}

static void add_task(struct buf *b, const struct store_task *t)
{
    const struct {
        const char *name, *value;
    } texts[] = {
        {"remote_id", t->remote_id},     {"provider", t->provider},
        {"endpoint", t->endpoint},       {"model", t->model},
        {"prompt", t->prompt},           {"payload", t->payload},
        {"state", state_name(t->state)}, {"err_code", t->err_code},
        {"err_msg", t->err_msg},
    };

    buf_addf(b, ",\"task\":{\"id\":\"%s\"", t->id);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        add_text(b, texts[i].name, texts[i].value);
    buf_addf(b, ",\"credits\":%lld", (long long)t->credits);
    add_document(b, "tags", t->tags, "{}");
    add_time(b, "created_at", t->created_ms);
    add_time(b, "finished_at", t->finished_ms);
    buf_addc(b, '}');
    add_document(b, "result", t->result, "[]");
    add_text(b, "source", store_source_name(t->source));
}

static void add_context(struct buf *b, const struct store_run *run, const struct conf_hook *h,
                        const struct hook_facts *facts)
{
    autofree char *earlier =
        facts->earlier != NULL ? json_dumps(facts->earlier, JSON_COMPACT) : NULL;

    buf_adds(b, "{\"event\":");
    buf_add_json(b, run->trigger, strlen(run->trigger));
    buf_addf(b, ",\"run\":{\"id\":%lld,\"attempt\":%d,\"hook\":", (long long)run->row,
             run->attempt);
    buf_add_json(b, h->name, strlen(h->name));
    buf_addf(b, ",\"replay\":%s}", run->replay ? "true" : "false");
    add_document(b, "files", facts->files, "[]");
    if (facts->task != NULL)
        add_task(b, facts->task);
    if (!str_empty(run->details))
        add_document(b, "details", run->details, "{}");
    if (earlier != NULL)
        add_document(b, "after", earlier, "{}");
    buf_addc(b, '}');
}

char *hook_run_text(const struct conf_hook *h, const struct store_run *run,
                    const struct hook_facts *facts, json_t *more)
{
    struct buf b = BUF_INIT(FRAME_MAX);
    json_t *action = actions[h->action](h);
    autofree char *text = NULL;

    json_object_update(action, more);
    if (run->once) /* of trying: the operator wants to see it */
        json_object_set_new(action, "show", json_true());
    text = json_dumps(action, JSON_COMPACT);
    json_decref(action);
    buf_adds(&b, text);
    buf_addc(&b, '\n');
    add_context(&b, run, h, facts);
    if (buf_ok(&b))
        return buf_take(&b);
    buf_free(&b);
    return NULL;
}
