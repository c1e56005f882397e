/* SPDX-License-Identifier: MIT */
#include "keeper/describe.h"

#include "keeper/given.h"
#include "keeper/handout.h"
#include "keeper/hooks.h"
#include "vidu/document.h"
#include "wire/frame.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#define RUNS_MAX 1000 /* of one hook for one task, that are looked through */

static int add_file(const struct store_file *f, void *ctx)
{
    struct buf *b = ctx;

    buf_adds(b, b->len > 1 ? ",{\"path\":" : "{\"path\":");
    buf_add_json(b, f->path, strlen(f->path));
    buf_addf(b, ",\"kind\":\"%s\",\"bytes\":%lld,\"sha256\":\"%s\",\"run\":%lld}", f->kind,
             (long long)f->bytes, f->sha256, (long long)f->run);
    return 0;
}

struct earlier {
    const char *trigger;
    json_t *outcome; /* NULL: not found */
};

static int on_earlier(const struct store_run *r, void *ctx)
{
    struct earlier *e = ctx;

    if (!str_eq(r->trigger, e->trigger))
        return 0;
    e->outcome = json_pack("{s:s, s:I, s:s, s:i, s:I, s:s*}", "hook", r->hook, "run",
                           (json_int_t)r->row, "state", run_state_name(r->state), "attempt",
                           r->attempt, "exit_code", (json_int_t)r->exit_code, "detail", r->detail);
    return 1;
}

/* The run of the hook that this one came after; NULL: it came after none. */
static int find_earlier(struct keeper *k, const struct conf_hook *h, const struct store_run *run,
                        json_t **out)
{
    struct store_filter filter = {
        .state = -1, .hook = conf_hook_before(h), .task = run->task, .limit = RUNS_MAX};
    struct earlier earlier = {.trigger = run->trigger};
    int rc = 0;

    if (filter.hook != NULL && run->task != 0)
        rc = k->store->ops->run_list(k->store, &filter, on_earlier, &earlier);
    *out = earlier.outcome;
    return rc;
}

static int gather(struct keeper *k, const struct conf_hook *h, const struct store_run *run,
                  struct buf *files, struct store_task *t, json_t **earlier)
{
    int rc = find_earlier(k, h, run, earlier);

    buf_addc(files, '[');
    if (rc == 0 && run->task != 0)
        rc = k->store->ops->file_list(k->store, run->task, add_file, files);
    if (rc == 0 && run->task != 0)
        rc = k->store->ops->task_by_row(k->store, run->task, t);
    buf_addc(files, ']');
    return rc;
}

/* NULL when it does not fit. */
static char *compose(const struct conf_hook *h, const struct store_run *run,
                     const struct hook_facts *facts, json_t *more)
{
    struct msg_run msg = {.run = (uint64_t)run->row};
    char *text = hook_run_text(h, run, facts, more);

    msg.text = slice_str(text);
    if (text != NULL && message_check(MSG_RUN, &msg) == 0)
        return text;
    free(text);
    return NULL;
}

/* A sample of an event that has no task is tried with a task that only keeps its runs together. */
static bool is_of_task(const struct store_run *run)
{
    enum conf_event event;

    return run->task != 0 &&
           !(conf_event_from_name(run->trigger, &event) && event >= EVENT_DISK_LOW);
}

/* What was understood when it was asked for may be read by another configuration now. */
static int take_given(struct keeper *k, const struct store_run *run, struct given *given,
                      struct store_task *t, const char **why, struct err *err)
{
    int rc = run->event != 0 ? given_read(k, t, run->event, given, err) : 0;

    if (rc == -EINVAL || rc == -E2BIG || rc == -ENOENT) {
        *why = "what it is made from is gone, or not understood by this configuration";
        return 0;
    }
    if (rc == 0 && run->event != 0)
        given_apply(given, t);
    return rc;
}

int describe_run(struct keeper *k, const struct conf_hook *h, const struct store_run *run,
                 char **text, const char **why, struct err *err)
{
    autobuf struct buf files = BUF_INIT(FRAME_MAX);
    struct given given = GIVEN_INIT;
    struct store_task t;
    struct hook_facts facts = {.task = is_of_task(run) ? &t : NULL};
    autojson json_t *more = handout_more(k, h, run);
    json_t *earlier = NULL;
    int rc = gather(k, h, run, &files, &t, &earlier);

    *why = NULL;
    if (rc < 0)
        err_sys(err, rc, "run %lld", (long long)run->row);
    else
        rc = take_given(k, run, &given, &t, why, err);
    if (rc == 0 && *why == NULL) {
        facts.files = buf_text(&files);
        facts.earlier = earlier;
        *text = compose(h, run, &facts, more);
        if (*text == NULL)
            *why = "there is more to tell the runner than fits into a message";
    }
    json_decref(earlier);
    given_clear(&given);
    return rc;
}
