/* submit --wait, submit -o. SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "cli/field.h"
#include "cli/progress.h"
#include "cli/submit.h"
#include "cli/term.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define FETCH_ATTEMPTS 5
#define FETCH_REST_S   3

/* What the terminal shows while time passes. */
struct waiting {
    struct submission *s;
    const char *task;
    struct live live;
    char *state;
    int64_t since_ms;
};

void submit_print_id(const json_t *answer)
{
    autobuf struct buf text = BUF_INIT(4096);

    field_show(json_object_get(answer, "task"), &text);
    buf_addc(&text, '\n');
    cli_print(&text);
    cli_flush();
}

static void show_line(struct waiting *w)
{
    autobuf struct buf line = BUF_INIT(4096);
    char age[24];

    str_from_ms((clock_mono_ms() - w->since_ms) / 1000 * 1000, age);
    term_adds(&line, w->task);
    buf_addc(&line, ' ');
    term_adds(&line, w->state);
    if (clock_mono_ms() - w->since_ms >= 1000)
        buf_addf(&line, " %s", age);
    live_show(&w->live, buf_text(&line));
}

static void set_state(struct waiting *w, const char *state)
{
    if (state[0] == '\0' || str_eq(w->state, state))
        return;
    mem_replace(&w->state, state);
    if (!w->live.on)
        cli_note("%s %s", w->task, state);
}

/* The task as it is now into *task, owned by the caller; EXIT_OK or an exit status. */
static int look(struct waiting *w, json_t **task)
{
    json_t *answer = NULL;
    int status = follow_look(w->s->cli, w->task, &answer);

    if (status == EXIT_OK) {
        json_decref(*task);
        *task = json_incref(json_object_get(answer, "task"));
        set_state(w, field_text(*task, "state"));
    }
    json_decref(answer);
    return status;
}

static int say_timeout(const struct waiting *w)
{
    struct err err;

    err_set(&err, 0, "%s is still %s; it goes on, and `viduhook watch %s` waits for it again",
            w->task, w->state, w->task);
    return cli_fail(w->s->cli, EXIT_TIMED_OUT, &err);
}

/* Until the task is over: EXIT_OK and *task, or why not. */
static int await_end(struct waiting *w, struct follow *f, json_t **task)
{
    int status = look(w, task);

    while (status == EXIT_OK && !follow_is_over(w->state)) {
        json_t *event;
        struct err err;
        bool renewed;
        int rc;

        show_line(w);
        rc = follow_next(f, &event, &renewed, &err);
        if (rc < 0 || event != NULL || renewed) /* something may be said now */
            live_clear(&w->live);
        if (rc == -ETIMEDOUT)
            status = say_timeout(w);
        else if (rc < 0)
            status = cli_fail(w->s->cli, EXIT_UNREACHABLE, &err);
        else if (renewed || (event != NULL && str_eq(field_text(event, "event"), "task")))
            status = look(w, task);
        json_decref(event);
    }
    live_clear(&w->live);
    return status;
}

static json_t *result_of(const json_t *source)
{
    return json_incref(json_array_get(json_object_get(source, "result"), 0));
}

/* A fresh URL from the provider, in place of one that has expired. */
static int refresh(struct waiting *w, json_t **creation)
{
    json_t *answer = NULL;
    int status = cli_ask(w->s->cli, "refresh", field_object("task", w->task), &answer);

    if (status == EXIT_OK) {
        json_decref(*creation);
        *creation = result_of(answer);
    }
    json_decref(answer);
    return status;
}

static void rest(void)
{
    struct timespec t = {.tv_sec = FETCH_REST_S};

    (void)nanosleep(&t, NULL);
}

static int say_fetch_failed(const struct waiting *w, const char *why)
{
    struct err err;

    err_set(&err, 0, "%s: %s", w->s->save.path, why);
    return cli_fail(w->s->cli, EXIT_FAILED, &err);
}

/* What is left in the part file is used by the next attempt. */
static int fetch_result(struct waiting *w, json_t **creation, struct fetch_outcome *out)
{
    struct submission *s = w->s;
    const char *endpoint = s->endpoint != NULL ? s->endpoint->name : "";

    for (int attempt = 1;; attempt++) {
        const char *url = field_text(*creation, "url");
        int status = EXIT_OK;
        struct err err;

        if (url[0] == '\0')
            return say_fetch_failed(w, "the task has no result URL");
        if (save_fetch(&s->save, cli_conf(s->cli), endpoint, url, out, &err) < 0)
            return cli_fail(s->cli, EXIT_FAILED, &err);
        if (out->result == FETCH_OK)
            return EXIT_OK;
        if (attempt == FETCH_ATTEMPTS || out->result == FETCH_BAD || out->result == FETCH_FULL)
            return say_fetch_failed(w, out->detail);
        if (out->result == FETCH_EXPIRED)
            status = refresh(w, creation);
        else
            rest();
        if (status != EXIT_OK)
            return status;
    }
}

/* Where the result lies now, owned by the caller: in the folder that was named. */
static char *saved_path(const struct save *s, const char *name)
{
    return mem_printf("%.*s%s", (int)(strlen(s->path) - strlen(s->name)), s->path, name);
}

static int save_result(struct waiting *w, const json_t *task, json_t *answer)
{
    const struct save *save = &w->s->save;
    autofree char *path = NULL;
    json_t *creation = result_of(task);
    struct fetch_outcome out;
    char size[16];
    int status = fetch_result(w, &creation, &out);

    json_decref(creation);
    if (status != EXIT_OK)
        return status;
    str_from_bytes(out.bytes, size);
    path = saved_path(save, out.name);
    field_set_text(answer, "file", path);
    if (!str_eq(out.name, save->name)) /* somebody took the name meanwhile */
        cli_note("%s exists by now: saved beside it as %s (%s)", save->path, path, size);
    else if (!w->s->cli->json)
        cli_note("%s saved (%s)", path, size);
    return EXIT_OK;
}

static int say_task_failed(const struct waiting *w, const json_t *task)
{
    const char *code = field_text(task, "err_code");
    const char *message = field_text(task, "err_msg");

    cli_note("viduhook: %s %s%s%s%s%s", w->task, w->state, code[0] != '\0' ? ": " : "", code,
             message[0] != '\0' ? ": " : "", message);
    return EXIT_TASK_FAILED;
}

/* The answer of the create call, brought up to date, is the result of the command. */
static void add_end(json_t *answer, const json_t *task)
{
    static const char *const names[] = {"state", "err_code", "err_msg", "credits", "result"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        json_t *value = json_object_get(task, names[i]);

        if (value != NULL)
            (void)json_object_set(answer, names[i], value);
    }
}

static int finish(struct waiting *w, const json_t *task, json_t *answer)
{
    int status = EXIT_OK;

    add_end(answer, task);
    if (!str_eq(w->state, "success"))
        status = say_task_failed(w, task);
    else if (w->s->save.dir_fd >= 0)
        status = save_result(w, task, answer);
    if (w->s->cli->json && (status == EXIT_OK || status == EXIT_TASK_FAILED))
        cli_print_json(answer);
    return status;
}

int submit_await(struct submission *s, struct follow *follow, json_t *answer)
{
    struct waiting w = {.s = s,
                        .task = field_text(answer, "task"),
                        .live = live_new(),
                        .state = mem_strdup(field_text(answer, "state")),
                        .since_ms = clock_mono_ms()};
    json_t *task = NULL;
    int status;

    follow->task = w.task;
    s->cli->task = w.task;
    if (!s->cli->json)
        submit_print_id(answer);
    status = await_end(&w, follow, &task);
    if (status == EXIT_OK)
        status = finish(&w, task, answer);
    s->cli->task = NULL;
    json_decref(task);
    free(w.state);
    return status;
}
