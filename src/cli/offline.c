/* SPDX-License-Identifier: MIT */
#include "cli/offline.h"

#include "cli/field.h"
#include "store/store.h"
#include "store/store_json.h"

#include <errno.h>
#include <string.h>

static int add_task(const struct store_task *t, void *ctx)
{
    return json_array_append_new(ctx, store_json_task(t));
}

static int add_event(const struct store_event *e, void *ctx)
{
    return json_array_append_new(ctx, store_json_event(e, json_array_size(ctx) + 1));
}

static int add_run(const struct store_run *r, void *ctx)
{
    return json_array_append_new(ctx, store_json_run(r));
}

static int add_file(const struct store_file *f, void *ctx)
{
    return json_array_append_new(ctx, store_json_file(f));
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
    (void)json_object_set_new(answer, "task", store_json_whole_task(&task));
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
