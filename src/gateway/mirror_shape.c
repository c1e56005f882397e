/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_shape.h"

#include "base/clock.h"
#include "vidu/document.h"
#include "vidu/request.h"
#include "vidu/state.h"

#include <string.h>

/* NULL: not for us to say. */
static const struct {
    const char *official, *native, *openai;
} words[STATE_COUNT] = {
    [STATE_REGISTERED] = {"created", "processing", "queued"},
    [STATE_SUBMITTED] = {"created", "processing", "queued"},
    [STATE_QUEUED] = {"queueing", "processing", "queued"},
    [STATE_PROCESSING] = {"processing", "processing", "processing"},
    [STATE_SUCCESS] = {"success", "completed", "completed"},
    [STATE_FAILED] = {"failed", "failed", "failed"},
    [STATE_CANCELLED] = {"failed", "failed", "cancelled"},
    [STATE_REJECTED] = {"failed", "failed", "failed"},
    [STATE_AMBIGUOUS] = {"created", "processing", "queued"},
    [STATE_LOST] = {NULL, NULL, NULL},
};

static const char *first_url(const json_t *creations)
{
    for (size_t i = 0; i < json_array_size(creations); i++) {
        const char *url = document_member(json_array_get(creations, i), "url");

        if (url[0] != '\0')
            return url;
    }
    return "";
}

/* A success without a URL goes on as processing: clients take it for an end and find nothing. */
static enum task_state shown_state(const json_t *task, const json_t *creations)
{
    enum task_state state;

    if (!state_from_name(document_member(task, "state"), &state))
        return STATE_LOST;
    return state == STATE_SUCCESS && first_url(creations)[0] == '\0' ? STATE_PROCESSING : state;
}

bool mirror_shape_is_final(const json_t *task, const json_t *creations)
{
    return state_is_final(shown_state(task, creations));
}

json_t *mirror_shape_creations(const json_t *task)
{
    return json_loads(document_member(task, "result"), 0, NULL);
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
            add_member(out, members[j], document_member(json_array_get(creations, i), members[j]));
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}

/* Resellers' keys and limits are their own; what a cancelled task is called is Vidu's. */
static const char *err_code_of(const json_t *task, enum task_state state)
{
    const char *code = document_member(task, "err_code");

    if (state == STATE_CANCELLED && code[0] == '\0')
        return "UserCancelled";
    return state_is_final(state) ? code : "";
}

static long long credits_of(const json_t *task)
{
    long long credits = json_integer_value(json_object_get(task, "credits"));

    return credits > 0 ? credits : 0;
}

/* What of these is known, and not replaced by a note on it. */
static void add_known(const json_t *from, const char *const *members, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        json_t *v = json_object_get(from, members[i]);
        autofree char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);

        if (text != NULL && !json_is_null(v) &&
            !request_summary_is_note(document_member(from, members[i])))
            buf_addf(out, ",\"%s\":%s", members[i], text);
    }
}

static void add_flags(const json_t *task, struct buf *out)
{
    static const char *const flags[] = {"bgm", "off_peak"};

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        const json_t *v = json_object_get(task, flags[i]);

        if (v != NULL)
            buf_addf(out, ",\"%s\":%s", flags[i], json_is_true(v) ? "true" : "false");
    }
}

static void report_official(const json_t *task, enum task_state state, const json_t *creations,
                            struct buf *out)
{
    add_member(out, "id", document_member(task, "remote_id"));
    add_member(out, "state", words[state].official);
    add_member(out, "err_code", err_code_of(task, state));
    buf_addf(out, ",\"credits\":%lld", credits_of(task));
    add_member(out, "payload", document_member(task, "payload"));
    add_flags(task, out);
    add_creations(out, state, creations);
}

static void report_native(const json_t *task, enum task_state state, const json_t *creations,
                          struct buf *out)
{
    add_member(out, "id", document_member(task, "remote_id"));
    add_member(out, "status", words[state].native);
    if (state == STATE_SUCCESS)
        add_member(out, "video_url", first_url(creations));
    buf_addf(out, ",\"status_update_time\":%lld",
             (long long)json_integer_value(json_object_get(task, "updated_ms")) / 1000);
}

static void report_openai(const json_t *task, enum task_state state, const json_t *creations,
                          struct buf *out)
{
    long long updated_s = (long long)json_integer_value(json_object_get(task, "updated_ms")) / 1000;

    add_member(out, "id", document_member(task, "remote_id"));
    add_member(out, "object", "video");
    add_member(out, "status", words[state].openai);
    buf_addf(out, ",\"progress\":%d", state == STATE_SUCCESS ? 100 : 0);
    if (state == STATE_SUCCESS) {
        add_member(out, "video_url", first_url(creations));
        buf_addf(out, ",\"completed_at\":%lld", updated_s);
    } else if (state_is_final(state) && state != STATE_CANCELLED) {
        buf_adds(out, ",\"error\":{");
        add_member(out, "message", document_member(task, "err_msg"));
        add_member(out, "code", document_member(task, "err_code"));
        buf_addc(out, '}');
    }
}

/* By the end of the path that is asked. What a provider has names of its own for is its own. */
typedef void shape_report(const json_t *task, enum task_state state, const json_t *creations,
                          struct buf *out);
static const struct {
    const char *query;
    shape_report *report;
} shapes[] = {
    {"/tasks/{id}/creations", report_official},
    {"/task/{id}/creations", report_native}, /* octopusx */
    {"/v1/videos/{id}", report_openai},
};

static shape_report *shape_of(const struct provider_profile *p)
{
    if (p->names.id != NULL || p->names.state != NULL || p->names.result != NULL)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++)
        if (str_ends(p->query, shapes[i].query))
            return shapes[i].report;
    return NULL;
}

bool mirror_shape_is_known(const struct provider_profile *p)
{
    return shape_of(p) != NULL;
}

bool mirror_shape_is_official(const struct provider_profile *p)
{
    return shape_of(p) == report_official;
}

bool mirror_shape_report(const struct provider_profile *p, const json_t *task,
                         const json_t *creations, struct buf *out)
{
    enum task_state state = shown_state(task, creations);
    shape_report *report = shape_of(p);

    if (report == NULL) { /* as the provider has said it */
        buf_adds(out, document_member(task, "look"));
        return out->len != 0;
    }
    if (words[state].official == NULL)
        return false;
    buf_addc(out, '{');
    report(task, state, creations, out);
    buf_addc(out, '}');
    return true;
}

/* -- what is not known well enough -- */

static bool has_not_begun(const json_t *task)
{
    enum task_state state;

    return state_from_name(document_member(task, "state"), &state) &&
           (state == STATE_SUBMITTED || state == STATE_QUEUED);
}

void mirror_shape_early(const struct provider_profile *p, const json_t *task, struct buf *out)
{
    autojson json_t *root = json_object();
    autofree char *text = NULL;

    if (p->names.id == NULL || p->names.state == NULL || !has_not_begun(task) ||
        names_put(root, p->names.id, document_string(document_member(task, "remote_id"))) < 0 ||
        names_put(root, p->names.state, json_string("queued")) < 0)
        return;
    text = json_dumps(root, JSON_COMPACT);
    buf_adds(out, text);
}

static void tree_of_jobs(const json_t *task, struct buf *out)
{
    buf_adds(out, document_member(task, "look"));
    if (out->len != 0 || !has_not_begun(task))
        return;
    buf_addc(out, '{');
    add_member(out, "id", document_member(task, "remote_id"));
    add_member(out, "state", "created");
    add_member(out, "err_code", "");
    add_member(out, "err_msg", "");
    add_member(out, "signed_url", "");
    buf_adds(out, ",\"job_records\":[]}");
}

/* Looks and callbacks mostly have the form of any task, without the parts. */
static bool has_parts(const char *look)
{
    autojson json_t *root = json_loads(look, 0, NULL);

    return json_is_object(json_object_get(root, "data_records"));
}

static void add_composed(const json_t *creations, struct buf *out)
{
    for (size_t i = 0; i < json_array_size(creations); i++) {
        const json_t *made = json_array_get(creations, i);

        buf_adds(out, i == 0 ? "{" : ",{");
        add_member(out, "id", document_member(made, "id"));
        add_member(out, "state", "success");
        add_member(out, "creation_url", document_member(made, "url"));
        add_member(out, "err_code", "");
        buf_addc(out, '}');
    }
}

static void tree_of_parts(const json_t *task, const json_t *creations, struct buf *out)
{
    enum task_state state = shown_state(task, creations);
    const char *look = document_member(task, "look");

    if (has_parts(look)) {
        buf_adds(out, look);
        return;
    }
    if (words[state].official == NULL)
        return;
    buf_addc(out, '{');
    add_member(out, "id", document_member(task, "remote_id"));
    add_member(out, "err_code", err_code_of(task, state));
    add_member(out, "state", words[state].official);
    buf_adds(out, ",\"data_records\":{\"storyboards\":[],\"narration_records\":[],"
                  "\"bgm_records\":[],\"completed_creation_records\":[");
    if (state == STATE_SUCCESS)
        add_composed(creations, out);
    buf_adds(out, "]}}");
}

void mirror_shape_tree(const struct endpoint *e, const json_t *task, const json_t *creations,
                       struct buf *out)
{
    const struct endpoint *own = endpoint_find(document_member(task, "endpoint"));

    if (own != NULL && !str_eq(str_or(own->jobs, ""), e->jobs))
        return; /* asked for at the wrong place */
    if (e->query == ENDPOINT_QUERY_JOBS)
        tree_of_jobs(task, out);
    else
        tree_of_parts(task, creations, out);
}

/* -- one of a list -- */

/* Pictures that were sent in the request itself are not kept. */
static bool are_kept(const json_t *images)
{
    for (size_t i = 0; i < json_array_size(images); i++)
        if (request_summary_is_note(document_text(json_array_get(images, i)).p))
            return false;
    return true;
}

static void add_images(const json_t *task, const json_t *request, struct buf *out)
{
    static const char *const images[] = {"images"};
    const struct endpoint *e = endpoint_find(document_member(task, "endpoint"));

    if (json_object_get(request, "images") != NULL && are_kept(json_object_get(request, "images")))
        add_known(request, images, 1, out);
    else if (request != NULL && e != NULL && e->max_images < 0 && e->image == NULL)
        buf_adds(out, ",\"images\":[]");
}

/* As the provider calls it, in the answers of creates. */
static const char *type_of(const json_t *task)
{
    const char *endpoint = document_member(task, "endpoint");

    return str_eq(endpoint, "start-end2video") ? "headtailimg2video" : endpoint;
}

/* Empty it is what was asked for; without a request it is not known. */
static void add_told(const char *name, const char *value, const json_t *request, struct buf *out)
{
    if (request != NULL || value[0] != '\0')
        add_member(out, name, value);
}

static void add_asked(const json_t *task, struct buf *out)
{
    static const char *const names[] = {"template"};
    static const char *const sizes[] = {"duration", "resolution", "aspect_ratio"};
    autojson json_t *request = json_loads(document_member(task, "request"), 0, NULL);

    add_told("type", type_of(task), request, out);
    add_known(request, names, ARRAY_LEN(names), out);
    add_told("model", document_member(task, "model"), request, out);
    add_told("prompt", document_member(task, "prompt"), request, out);
    add_images(task, request, out);
    add_known(request, sizes, ARRAY_LEN(sizes), out);
}

bool mirror_shape_listed(const json_t *task, const json_t *creations, struct buf *out)
{
    enum task_state state = shown_state(task, creations);
    char created[25];

    if (words[state].official == NULL)
        return false;
    clock_format_rfc3339(json_integer_value(json_object_get(task, "created_ms")), created);
    buf_addc(out, '{');
    add_member(out, "id", document_member(task, "remote_id"));
    add_asked(task, out);
    add_member(out, "state", words[state].official);
    add_member(out, "err_code", err_code_of(task, state));
    add_creations(out, state, creations);
    add_member(out, "created_at", created);
    buf_addf(out, ",\"credits\":%lld}", credits_of(task));
    return true;
}
