/* SPDX-License-Identifier: MIT */
#include "keeper/trigger.h"

#include "base/clock.h"
#include "keeper/batch.h"
#include "keeper/calls.h"
#include "keeper/events.h"
#include "wire/command.h"

#include <stddef.h>
#include <string.h>

/* -- the sample -- */

struct sample {
    struct store_task task;
    const char *url, *cover_url, *watermarked_url;
    json_t *tags;
    char *tags_text, *result;
};

/* What --set changes; `task.` may stand before each, as in placeholders. */
static const struct {
    const char *name;
    size_t offset; /* of a text in struct sample */
} texts[] = {
    {"provider", offsetof(struct sample, task.provider)},
    {"endpoint", offsetof(struct sample, task.endpoint)},
    {"model", offsetof(struct sample, task.model)},
    {"prompt", offsetof(struct sample, task.prompt)},
    {"payload", offsetof(struct sample, task.payload)},
    {"remote_id", offsetof(struct sample, task.remote_id)},
    {"err_code", offsetof(struct sample, task.err_code)},
    {"err_msg", offsetof(struct sample, task.err_msg)},
    {"url", offsetof(struct sample, url)},
    {"cover_url", offsetof(struct sample, cover_url)},
    {"watermarked_url", offsetof(struct sample, watermarked_url)},
};

static struct sample make_sample(const struct keeper *k, enum task_state state)
{
    struct sample s = {
        .task = {.provider = k->conf->providers[0].name,
                 .endpoint = "img2video",
                 .model = "viduq3-turbo",
                 .prompt = "A paper boat crosses a puddle",
                 .payload = "sample",
                 .remote_id = "",
                 .callback_path = "",
                 .callback_query = "",
                 .request = "{}",
                 .forward_url = "",
                 .err_code = state == STATE_FAILED ? "CreationPolicyViolation" : "",
                 .err_msg = "",
                 .trace_id = "",
                 .state = state,
                 .pending = state,
                 .source = SOURCE_OPERATOR,
                 .created_ms = clock_wall_ms()},
        .url = "https://media.example/sample.mp4",
        .cover_url = "https://media.example/sample.jpg",
        .watermarked_url = "",
        .tags = json_pack("{s:s}", "sample", "true"),
    };

    s.task.updated_ms = s.task.finished_ms = s.task.created_ms; /* nobody will look at it */
    id_new_task(s.task.id);
    return s;
}

static void clear_sample(struct sample *s)
{
    json_decref(s->tags);
    free(s->tags_text);
    free(s->result);
}

static bool set_text(struct sample *s, const char *name, const char *value)
{
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (str_eq(texts[i].name, name)) {
            memcpy((char *)s + texts[i].offset, &value, sizeof(value));
            return true;
        }
    return false;
}

/* False: there is no such field, or not with such a value. */
static bool set_field(struct sample *s, const char *name, const char *value)
{
    uint64_t credits;

    if (str_starts(name, "task."))
        name += strlen("task.");
    if (str_starts(name, "tags."))
        return json_object_set_new(s->tags, name + strlen("tags."), json_string(value)) == 0;
    if (str_eq(name, "credits") && str_to_u64(value, strlen(value), INT32_MAX, &credits) == 0) {
        s->task.credits = (int64_t)credits;
        return true;
    }
    return set_text(s, name, value);
}

static bool fill_sample(struct keeper *k, const struct question *q, struct sample *s)
{
    json_t *result = NULL;
    const char *name;
    json_t *value;

    json_object_foreach (json_object_get(q->args, "set"), name, value)
        if (!set_field(s, name, str_or(json_string_value(value), ""))) {
            query_refuse(k, q, EXIT_USAGE,
                         "--set %s: there are provider, endpoint, model, prompt, payload, "
                         "remote_id, err_code, err_msg, url, cover_url, watermarked_url, credits "
                         "(a number) and tags.NAME",
                         name);
            return false;
        }
    result = s->task.state == STATE_SUCCESS
                 ? json_pack("[{s:s, s:s, s:s, s:s}]", "id", "sample", "url", s->url, "cover_url",
                             s->cover_url, "watermarked_url", s->watermarked_url)
                 : json_array();
    s->task.result = s->result = json_dumps(result, JSON_COMPACT);
    s->task.tags = s->tags_text = json_dumps(s->tags, JSON_COMPACT);
    json_decref(result);
    return true;
}

static int insert_sample(struct keeper *k, struct store_task *t, struct err *err)
{
    struct news news = {
        .source = SOURCE_OPERATOR, .verdict = "sample", .detail = "made by `viduhook trigger`"};
    int rc = k->store->ops->task_insert(k->store, t, &t->row, err);
    return rc < 0 ? rc : event_task(k, t, &news, err);
}

/* -- its hooks -- */

/* What happened, with the members that viduhook-hooks(7) promises. */
static const char *const details[EVENT_COUNT] = {
    [EVENT_QUARANTINED] = "{\"why\":\"a sample\"}",
    [EVENT_DEAD] = "{\"run\":1,\"hook\":\"sample\",\"event\":\"success\",\"attempt\":8,"
                   "\"exit_code\":1,\"detail\":\"exit status 1\"}",
    [EVENT_DISK_LOW] = "{\"directory\":\"/var/lib/viduhook\",\"available\":104857600,"
                       "\"limit\":1073741824}",
    [EVENT_CERT_EXPIRING] = "{\"certificate\":\"/etc/viduhook/sample.pem\","
                            "\"expires_at\":\"2030-01-01T00:00:00.000Z\",\"within_days\":14}",
    [EVENT_SIGNATURE_FAILURES] = "{\"failures\":20,\"within_ms\":60000}",
};

/* Of the provider that the sample is of. */
static char *describe_down(const struct store_task *t)
{
    json_t *json = json_pack("{s:s, s:i, s:i, s:s}", "provider", t->provider, "for_ms", 300000,
                             "failures", 5, "error", "a sample: no connection");
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    return text;
}

/* Without a name those that the event would call if it were real; the sample of a test is a task
 * that has succeeded. */
static bool is_meant(const struct keeper *k, const struct conf_hook *h, const struct store_task *t,
                     const char *only, enum conf_event event)
{
    struct store_task none = calls_no_task(event == EVENT_PROVIDER_DOWN ? t->provider : "");

    if (only != NULL)
        return str_eq(only, h->name);
    if (event >= EVENT_DISK_LOW)
        return calls_wants(k->conf, h, &none, event);
    return calls_wants(k->conf, h, t, event) ||
           (event == EVENT_TEST && calls_wants(k->conf, h, t, EVENT_SUCCESS));
}

static bool any_is_meant(const struct keeper *k, const struct store_task *t, const char *only,
                         enum conf_event event)
{
    for (size_t i = 0; i < k->conf->n_hooks; i++)
        if (is_meant(k, &k->conf->hooks[i], t, only, event))
            return true;
    return false;
}

static int trigger_hooks(struct keeper *k, const struct store_task *t, const char *only,
                         enum conf_event event, json_t *ids, struct err *err)
{
    autofree char *down = event == EVENT_PROVIDER_DOWN ? describe_down(t) : NULL;
    int rc = 0;

    for (size_t i = 0; i < k->conf->n_hooks && rc == 0; i++) {
        const struct conf_hook *h = &k->conf->hooks[i];
        struct calls_wish wish = {.trigger = conf_event_name(event),
                                  .once = true,
                                  .details = down != NULL ? down : details[event]};
        int64_t run;

        if (!is_meant(k, h, t, only, event))
            continue;
        rc = calls_replay(k, t, h, &wish, &run, err);
        if (rc == 0)
            json_array_append_new(ids, json_integer(run));
    }
    return rc;
}

/* The event and the state that were asked for; either follows from the other. */
static bool find_event(struct keeper *k, const struct question *q, enum conf_event *event,
                       enum task_state *state)
{
    const char *state_word = query_text(q, "state");
    const char *name = query_text(q, "event");

    *event = EVENT_TEST;
    *state = STATE_SUCCESS;
    if (name != NULL && !conf_event_from_name(name, event)) {
        query_refuse(k, q, EXIT_USAGE, "there is no event %s", name);
        return false;
    }
    if (name != NULL)
        (void)state_from_name(name, state); /* those of tasks are called alike */
    if (state_word == NULL)
        return true;
    if (!state_from_name(state_word, state) ||
        (name == NULL && !conf_event_from_state(*state, event))) {
        query_refuse(k, q, EXIT_USAGE, "there is no event for the state %s", state_word);
        return false;
    }
    return true;
}

static void trigger(struct keeper *k, const struct question *q, const char *only,
                    enum conf_event event, struct store_task *t)
{
    struct err err = {""};
    json_t *ids;
    int rc;

    if (batch_begin(k) < 0) {
        query_refuse(k, q, EXIT_FAILED, "the store is not taking writes at the moment");
        return;
    }
    ids = json_array();
    rc = insert_sample(k, t, &err);
    if (rc == 0)
        rc = trigger_hooks(k, t, only, event, ids, &err);
    if (rc < 0)
        batch_spoil(k, rc, &err);
    query_answer(k, q, json_pack("{s:s, s:o}", "task", t->id, "runs", ids));
}

void trigger_question(struct keeper *k, const struct question *q)
{
    const char *only = query_text(q, "hook");
    enum conf_event event;
    enum task_state state;
    struct sample s;

    if (!find_event(k, q, &event, &state))
        return;
    if (k->conf->n_hooks == 0 || (only != NULL && conf_hook_find(k->conf, only) == NULL)) {
        query_refuse(k, q, EXIT_NOT_FOUND, "there is no hook %s in the configuration",
                     str_or(only, "at all"));
        return;
    }
    s = make_sample(k, state);
    if (!fill_sample(k, q, &s)) {
        clear_sample(&s);
        return;
    }
    if (any_is_meant(k, &s.task, only, event))
        trigger(k, q, only, event, &s.task);
    else
        query_refuse(k, q, EXIT_NOT_FOUND,
                     "no hook is called for the sample by its `on` and `match`; --hook names one");
    clear_sample(&s);
}
