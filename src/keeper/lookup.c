/* SPDX-License-Identifier: MIT */
#include "keeper/lookup.h"

#include "vidu/document.h"
#include "vidu/request.h"
#include "wire/command.h"

#include <errno.h>
#include <string.h>

/*
 * The creations stay text: whoever asks mostly hands them on as they are. A list has no payloads,
 * which may have a megabyte each.
 */
static json_t *task_json(const struct store_task *t, bool list)
{
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:I, s:o, s:o, s:I, s:I}", "id", t->id,
        "remote_id", document_string(t->remote_id), "endpoint", document_string(t->endpoint),
        "model", document_string(t->model), "prompt", document_string(t->prompt), "state",
        state_name(t->state), "err_code", document_string(t->err_code), "err_msg",
        document_string(t->err_msg), "credits", (json_int_t)t->credits, "payload",
        document_string(list ? NULL : t->payload), "result", document_string(t->result),
        "created_ms", (json_int_t)t->created_ms, "updated_ms", (json_int_t)t->updated_ms);
}

/* -- what was asked for -- */

/*
 * Nearly no request has it, and a request is read by every poll: so it is parsed only when it has
 * this text, which cannot stand inside of another one, whose quotes are escaped.
 */
static bool asks_for_bgm(const char *request)
{
    autojson json_t *root = NULL;

    if (strstr(request, "\"bgm\":true") != NULL)
        root = json_loads(request, 0, NULL);
    return json_is_true(json_object_get(root, "bgm"));
}

/* Of a task that was created elsewhere, there is none. */
static void add_request(const struct store_task *t, bool list, json_t *json)
{
    if (!request_summary_has_members(t->request))
        return;
    json_object_set_new(json, "bgm", json_boolean(asks_for_bgm(t->request)));
    json_object_set_new(json, "off_peak", json_boolean(t->off_peak));
    if (list)
        json_object_set_new(json, "request", document_string(t->request));
}

/* -- what the last look has found -- */

struct last_look {
    const struct store_task *task;
    bool tree;  /* a callback says as much as a look, and what was said last in this state is it */
    char *body; /* NULL: nothing that still holds */
};

/* What was believed as it stood; not what waited for a look. */
static bool is_word(const struct last_look *last, const struct store_event *e)
{
    if (e->body.n == 0)
        return false;
    return e->source == SOURCE_POLL || (last->tree && e->source == SOURCE_CALLBACK &&
                                        str_eq(e->verdict, "accepted") && str_empty(e->detail));
}

static int keep_look(const struct store_event *e, void *ctx)
{
    struct last_look *last = ctx;

    if (!is_word(last, e))
        return 0;
    mem_replace(&last->body, NULL);
    if (e->state == last->task->state && (last->tree || e->at_ms >= last->task->updated_ms))
        last->body = mem_strndup(e->body.p, e->body.n);
    return 0;
}

/* Nothing is better than what is out of date: then the provider is asked. */
static void add_look(struct keeper *k, const struct store_task *t, bool tree, json_t *json)
{
    struct last_look last = {.task = t, .tree = tree};

    if (k->store->ops->event_list(k->store, t->row, keep_look, &last) == 0)
        json_object_set_new(json, "look", document_string(last.body));
    free(last.body);
}

static void add_task(struct keeper *k, const struct question *q, const struct store_task *t,
                     json_t *tasks)
{
    bool list = json_is_true(json_object_get(q->args, "list"));
    json_t *json = task_json(t, list);

    add_request(t, list, json);
    if (json_is_true(json_object_get(q->args, "look")))
        add_look(k, t, json_is_true(json_object_get(q->args, "tree")), json);
    json_array_append_new(tasks, json);
}

void lookup_tasks(struct keeper *k, const struct question *q)
{
    const json_t *ids = json_object_get(q->args, "remote_ids");
    const char *provider = query_text(q, "provider");
    json_t *tasks;

    if (provider == NULL || !json_is_array(ids) || json_array_size(ids) > LOOKUP_MAX_IDS) {
        query_refuse(k, q, EXIT_USAGE, "lookup needs a provider and at most %d remote ids",
                     LOOKUP_MAX_IDS);
        return;
    }
    tasks = json_array();
    for (size_t i = 0; i < json_array_size(ids); i++) {
        const char *id = json_string_value(json_array_get(ids, i));
        struct store_task t;

        if (id != NULL && k->store->ops->task_by_remote(k->store, provider, id, &t) == 0)
            add_task(k, q, &t, tasks);
    }
    query_answer(k, q, json_pack("{s:o}", "tasks", tasks));
}
