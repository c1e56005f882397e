/* SPDX-License-Identifier: MIT */
#include "cli/offline.h"

#include "base/clock.h"
#include "cli/field.h"
#include "store/store.h"

#include <errno.h>
#include <string.h>

static void set_time(json_t *object, const char *name, int64_t wall_ms)
{
    char text[25] = "";

    if (wall_ms != 0)
        clock_format_rfc3339(wall_ms, text);
    (void)json_object_set_new(object, name, json_string(text));
}

static void set_parsed(json_t *object, const char *name, const char *text, json_t *empty)
{
    json_t *value = json_loads(str_or(text, ""), JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

    (void)json_object_set_new(object, name, value != NULL ? value : json_incref(empty));
    json_decref(empty);
}

static json_t *task_json(const struct store_task *t, bool whole)
{
    json_t *json = json_pack(
        "{s:s, s:s?, s:s?, s:s?, s:s?, s:s?, s:s, s:s?, s:s?, s:I, s:s?}", "id", t->id, "remote_id",
        t->remote_id, "provider", t->provider, "endpoint", t->endpoint, "model", t->model, "prompt",
        t->prompt, "state", state_name(t->state), "err_code", t->err_code, "err_msg", t->err_msg,
        "credits", (json_int_t)t->credits, "trace_id", t->trace_id);

    set_parsed(json, "tags", t->tags, json_object());
    set_time(json, "created_at", t->created_ms);
    set_time(json, "updated_at", t->updated_ms);
    set_time(json, "finished_at", t->finished_ms);
    if (whole) {
        set_parsed(json, "result", t->result, json_array());
        set_parsed(json, "request", t->request, json_object());
        field_set_text(json, "payload", t->payload);
        field_set_text(json, "pending", state_name(t->pending));
        set_time(json, "next_look_at", t->next_look_ms);
    }
    return json;
}

static int add_task(const struct store_task *t, void *ctx)
{
    (void)json_array_append_new(ctx, task_json(t, false));
    return 0;
}

static int add_event(const struct store_event *e, void *ctx)
{
    json_t *json =
        json_pack("{s:I, s:s, s:s?, s:s, s:s?, s:b}", "entry", (json_int_t)json_array_size(ctx) + 1,
                  "source", store_source_name(e->source), "verdict", e->verdict, "state",
                  state_name(e->state), "detail", e->detail, "body", e->body.n != 0);

    set_time(json, "at", e->at_ms);
    (void)json_array_append_new(ctx, json);
    return 0;
}

static int add_run(const struct store_run *r, void *ctx)
{
    json_t *json = json_pack("{s:I, s:s, s:s?, s:s?, s:s, s:i, s:I, s:s?, s:s?, s:s?}", "id",
                             (json_int_t)r->row, "task", r->task_id, "hook", r->hook, "event",
                             r->trigger, "state", run_state_name(r->state), "attempt", r->attempt,
                             "exit_code", (json_int_t)r->exit_code, "after", r->after, "detail",
                             r->detail, "output", r->output);

    set_time(json, "due_at", r->due_ms);
    set_time(json, "started_at", r->started_ms);
    set_time(json, "finished_at", r->finished_ms);
    (void)json_array_append_new(ctx, json);
    return 0;
}

static int add_file(const struct store_file *f, void *ctx)
{
    json_t *json =
        json_pack("{s:s?, s:s?, s:I, s:s?, s:I}", "path", f->path, "kind", f->kind, "bytes",
                  (json_int_t)f->bytes, "sha256", f->sha256, "run", (json_int_t)f->run);

    field_set_text(json, "task", f->task_id);
    set_time(json, "created_at", f->created_ms);
    (void)json_array_append_new(ctx, json);
    return 0;
}

/* Empty texts of the store and absent options both mean: any. */
static const char *filter_text(const json_t *args, const char *name)
{
    return json_string_value(json_object_get(args, name));
}

static int read_task(struct store *s, const json_t *args, struct store_task *out, struct err *err)
{
    const char *prefix = field_text(args, "task");
    int rc;

    if (prefix[0] == '\0')
        return err_set(err, -EINVAL, "which task? give its id or the beginning of it");
    rc = s->ops->task_by_prefix(s, prefix, out);
    if (rc == -ENOENT)
        return err_set(err, rc, "there is no task %s", prefix);
    if (rc == -ENOTUNIQ)
        return err_set(err, rc, "several tasks begin with %s; give more of the id", prefix);
    return rc < 0 ? err_sys(err, rc, "reading the store") : 0;
}

static int answer_list(struct store *s, const json_t *args, json_t *answer, struct err *err)
{
    struct store_filter filter = {.state = -1,
                                  .provider = filter_text(args, "provider"),
                                  .tag = filter_text(args, "tag"),
                                  .since_ms = field_number(args, "since", 0),
                                  .limit = (int)field_number(args, "limit", 0)};
    enum task_state state;
    json_t *tasks = json_array();
    int rc;

    (void)json_object_set_new(answer, "tasks", tasks);
    if (filter_text(args, "state") != NULL && state_from_name(filter_text(args, "state"), &state))
        filter.state = (int)state;
    rc = s->ops->task_list(s, &filter, add_task, tasks);
    return rc < 0 ? err_sys(err, rc, "reading the store") : 0;
}

static int answer_show(struct store *s, const json_t *args, json_t *answer, struct err *err)
{
    struct store_filter filter = {.state = -1, .limit = 1000};
    struct store_task task;
    json_t *files = json_array();
    json_t *runs = json_array();
    int rc;

    (void)json_object_set_new(answer, "files", files);
    (void)json_object_set_new(answer, "runs", runs);
    rc = read_task(s, args, &task, err);
    if (rc < 0)
        return rc;
    filter.task = task.row;
    (void)json_object_set_new(answer, "task", task_json(&task, true));
    rc = s->ops->file_list(s, filter.task, add_file, files);
    if (rc == 0)
        rc = s->ops->run_list(s, &filter, add_run, runs);
    return rc < 0 ? err_sys(err, rc, "reading the store") : 0;
}

/* What the daemon would do next is not known here: the hooks may have changed, or be paused. */
static json_t *next_of(const struct store_task *t, const json_t *runs)
{
    json_t *next = json_array();
    bool open = !state_is_final(t->state) || t->next_look_ms != 0;
    const json_t *run;
    size_t i;

    json_array_foreach (runs, i, run) {
        enum run_state state = RUN_DONE;

        open |= run_state_from_name(field_text(run, "state"), &state) &&
                (state < RUN_DONE || state == RUN_DEAD);
    }
    if (open)
        (void)json_array_append_new(
            next, json_pack("{s:s, s:s, s:s, s:s}", "kind", "stopped", "what",
                            "nothing before viduhookd runs again", "at", "", "why",
                            "then it goes on where it was, and this command tells with what"));
    return next;
}

static int answer_explain(struct store *s, const json_t *args, json_t *answer, struct err *err)
{
    struct store_task task;
    json_t *events = json_array();
    int rc;

    (void)json_object_set_new(answer, "events", events);
    rc = answer_show(s, args, answer, err);
    if (rc == 0)
        rc = read_task(s, args, &task, err);
    if (rc < 0)
        return rc;
    (void)json_object_set_new(answer, "next", next_of(&task, field_array(answer, "runs")));
    rc = s->ops->event_list(s, task.row, add_event, events);
    return rc < 0 ? err_sys(err, rc, "reading the store") : 0;
}

static int answer_runs(struct store *s, const json_t *args, json_t *answer, struct err *err)
{
    struct store_filter filter = {.state = -1,
                                  .hook = filter_text(args, "hook"),
                                  .limit = (int)field_number(args, "limit", 0)};
    struct store_task task;
    enum run_state state;
    json_t *runs = json_array();
    int rc = 0;

    (void)json_object_set_new(answer, "runs", runs);
    if (filter_text(args, "task") != NULL) {
        rc = read_task(s, args, &task, err);
        if (rc < 0)
            return rc;
        filter.task = task.row;
    }
    if (filter_text(args, "state") != NULL &&
        run_state_from_name(filter_text(args, "state"), &state))
        filter.state = (int)state;
    rc = s->ops->run_list(s, &filter, add_run, runs);
    return rc < 0 ? err_sys(err, rc, "reading the store") : 0;
}

/* All in one page. */
static int answer_files(struct store *s, const json_t *args, json_t *answer, struct err *err)
{
    struct store_task task;
    json_t *files = json_array();
    int rc;

    (void)json_object_set_new(answer, "files", files);
    if (filter_text(args, "task") == NULL) {
        rc = s->ops->file_all(s, 0, INT32_MAX, add_file, files);
    } else {
        rc = read_task(s, args, &task, err);
        if (rc < 0)
            return rc;
        rc = s->ops->file_list(s, task.row, add_file, files);
    }
    return rc < 0 ? err_sys(err, rc, "reading the store") : 0;
}

static const struct {
    const char *command;
    int (*answer)(struct store *s, const json_t *args, json_t *answer, struct err *err);
} questions[] = {
    {"list", answer_list}, {"show", answer_show},   {"explain", answer_explain},
    {"runs", answer_runs}, {"files", answer_files},
};

static int ask_store(struct store *s, const char *command, const json_t *args, json_t **answer,
                     struct err *err)
{
    json_t *json = json_object();
    int rc = -EINVAL;

    for (size_t i = 0; i < ARRAY_LEN(questions); i++)
        if (str_eq(questions[i].command, command))
            rc = questions[i].answer(s, args, json, err);
    if (rc < 0) {
        json_decref(json);
        return rc;
    }
    *answer = json;
    return 0;
}

/* As the daemon would have it. */
static int status_of(int code)
{
    if (code == -EINVAL)
        return EXIT_USAGE;
    return code == -ENOENT || code == -ENOTUNIQ ? EXIT_NOT_FOUND : EXIT_FAILED;
}

/* Without a daemon: why is what connecting to it said. */
static int ask_offline(struct cli *cli, const char *command, const json_t *args, json_t **answer,
                       const struct err *why)
{
    const struct conf *conf = cli_conf(cli);
    struct store *store = NULL;
    struct err err;
    int rc;

    if (conf == NULL)
        return cli_fail(cli, EXIT_UNREACHABLE, why);
    rc = store_open(conf->store, true, &store, &err);
    if (rc < 0) {
        if (rc != -ENOENT)
            cli_note("viduhook: the store cannot be read either: %s", err.text);
        return cli_fail(cli, EXIT_UNREACHABLE, why);
    }
    cli_note("note: viduhookd is not running; this is read from %s", conf->store);
    rc = ask_store(store, command, args, answer, &err);
    store_close(store);
    if (rc < 0)
        return cli_fail(cli, status_of(rc), &err);
    return EXIT_OK;
}

int offline_ask(struct cli *cli, const char *command, json_t *args, json_t **answer)
{
    bool ours = cli->socket == NULL || cli->config != NULL; /* else: whose store would it be? */
    struct control *c = NULL;
    struct err err;
    int rc = cli_connect(cli, &c, &err);

    if (rc == 0) {
        rc = cli_ask_on(cli, c, command, args, answer);
        control_close(c);
        return rc;
    }
    if (ours && (rc == -ENOENT || rc == -ECONNREFUSED))
        rc = ask_offline(cli, command, args, answer, &err);
    else
        rc = cli_fail(cli, EXIT_UNREACHABLE, &err);
    json_decref(args);
    return rc;
}
