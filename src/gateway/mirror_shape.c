/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_shape.h"

#include "base/clock.h"
#include "vidu/state.h"

#include <string.h>

/* NULL: not for us to say. */
static const struct {
    const char *official, *native;
} words[STATE_COUNT] = {
    [STATE_REGISTERED] = {"created", "processing"},
    [STATE_SUBMITTED] = {"created", "processing"},
    [STATE_QUEUED] = {"queueing", "processing"},
    [STATE_PROCESSING] = {"processing", "processing"},
    [STATE_SUCCESS] = {"success", "completed"},
    [STATE_FAILED] = {"failed", "failed"},
    [STATE_CANCELLED] = {"failed", "failed"},
    [STATE_REJECTED] = {"failed", "failed"},
    [STATE_AMBIGUOUS] = {"created", "processing"},
    [STATE_LOST] = {NULL, NULL},
};

static const char *text_of(const json_t *object, const char *name)
{
    return str_or(json_string_value(json_object_get(object, name)), "");
}

static const char *first_url(const json_t *creations)
{
    for (size_t i = 0; i < json_array_size(creations); i++) {
        const char *url = text_of(json_array_get(creations, i), "url");

        if (url[0] != '\0')
            return url;
    }
    return "";
}

/* A success without a URL goes on as processing: clients take it for an end and find nothing. */
static enum task_state shown_state(const json_t *task, const json_t *creations)
{
    enum task_state state;

    if (!state_from_name(text_of(task, "state"), &state))
        return STATE_LOST;
    return state == STATE_SUCCESS && first_url(creations)[0] == '\0' ? STATE_PROCESSING : state;
}

bool mirror_shape_is_final(const json_t *task, const json_t *creations)
{
    return state_is_final(shown_state(task, creations));
}

json_t *mirror_shape_creations(const json_t *task)
{
    return json_loads(text_of(task, "result"), 0, NULL);
}

static void add_member(struct buf *out, const char *name, const char *value)
{
    buf_addf(out, "%s\"%s\":", out->data[out->len - 1] == '{' ? "" : ",", name);
    buf_add_json(out, value, strlen(value));
}

static void add_creations(struct buf *out, enum task_state state, const json_t *creations)
{
    static const char *const members[] = {"id", "url", "cover_url", "watermarked_url"};
    size_t n = state == STATE_SUCCESS ? json_array_size(creations) : 0;

    buf_adds(out, ",\"creations\":[");
    for (size_t i = 0; i < n; i++) {
        buf_adds(out, i == 0 ? "{" : ",{");
        for (size_t j = 0; j < ARRAY_LEN(members); j++)
            add_member(out, members[j], text_of(json_array_get(creations, i), members[j]));
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}

/* Resellers' keys and limits are their own; what a cancelled task is called is Vidu's. */
static const char *err_code_of(const json_t *task, enum task_state state)
{
    const char *code = text_of(task, "err_code");

    if (state == STATE_CANCELLED && code[0] == '\0')
        return "UserCancelled";
    return state_is_final(state) ? code : "";
}

static long long credits_of(const json_t *task)
{
    long long credits = json_integer_value(json_object_get(task, "credits"));

    return credits > 0 ? credits : 0;
}

static void report_official(const json_t *task, enum task_state state, const json_t *creations,
                            struct buf *out)
{
    add_member(out, "id", text_of(task, "remote_id"));
    add_member(out, "state", words[state].official);
    add_member(out, "err_code", err_code_of(task, state));
    buf_addf(out, ",\"credits\":%lld", credits_of(task));
    add_member(out, "payload", text_of(task, "payload"));
    add_creations(out, state, creations);
}

static void report_native(const json_t *task, enum task_state state, const json_t *creations,
                          struct buf *out)
{
    add_member(out, "id", text_of(task, "remote_id"));
    add_member(out, "status", words[state].native);
    if (state == STATE_SUCCESS)
        add_member(out, "video_url", first_url(creations));
    buf_addf(out, ",\"status_update_time\":%lld",
             (long long)json_integer_value(json_object_get(task, "updated_ms")) / 1000);
}

/* By the path that is asked; every other one is answered in the official shape. */
static const struct {
    const char *query;
    void (*report)(const json_t *task, enum task_state state, const json_t *creations,
                   struct buf *out);
} shapes[] = {
    {"/vidu/ent/v2/task/{id}/creations", report_native}, /* octopusx */
};

bool mirror_shape_report(const struct provider_profile *p, const json_t *task,
                         const json_t *creations, struct buf *out)
{
    enum task_state state = shown_state(task, creations);
    void (*report)(const json_t *, enum task_state, const json_t *, struct buf *) = report_official;

    if (words[state].official == NULL)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        if (str_eq(p->query, shapes[i].query))
            report = shapes[i].report;
    buf_addc(out, '{');
    report(task, state, creations, out);
    buf_addc(out, '}');
    return true;
}

bool mirror_shape_listed(const json_t *task, const json_t *creations, struct buf *out)
{
    enum task_state state = shown_state(task, creations);
    char created[25];

    if (words[state].official == NULL)
        return false;
    clock_format_rfc3339(json_integer_value(json_object_get(task, "created_ms")), created);
    buf_addc(out, '{');
    add_member(out, "id", text_of(task, "remote_id"));
    add_member(out, "type", text_of(task, "endpoint"));
    add_member(out, "model", text_of(task, "model"));
    add_member(out, "prompt", text_of(task, "prompt"));
    add_member(out, "state", words[state].official);
    add_member(out, "err_code", err_code_of(task, state));
    add_creations(out, state, creations);
    add_member(out, "created_at", created);
    buf_addf(out, ",\"credits\":%lld}", credits_of(task));
    return true;
}
