/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_query.h"

#include "base/clock.h"
#include "base/log.h"
#include "gateway/control.h"
#include "gateway/mirror_fresh.h"
#include "gateway/mirror_pass.h"
#include "gateway/mirror_shape.h"
#include "gateway/question.h"

#include <event2/event.h>
#include <string.h>

#define MAX_REPORT       (16U << 20)
#define REFRESH_AGAIN_MS 60000

static const struct asker nobody;

static void look_up(struct mirror_call *c);

static void ask_keeper(struct mirror_call *c, json_t *args, question_on_answer *fn)
{
    autofree char *text = json_dumps(args, JSON_COMPACT);
    const struct msg_command msg = {.json = slice_str(text)};

    json_decref(args);
    c->asking = question_ask(c->g->questions, MSG_COMMAND, &msg, MSG_RESULT, nobody, fn, c) == 0;
    if (!c->asking)
        mirror_fail(c, 503, "ViduhookBusy", "the store cannot be asked now");
}

/* -- links that are about to end -- */

/* A provider that is down, or has no fresh links, is not asked again by every poll. */
static bool may_refresh(struct mirror *m, const char *task)
{
    int64_t now_ms = clock_mono_ms();
    struct mirror_refreshed *r;

    for (size_t i = 0; i < MIRROR_REFRESHED; i++)
        if (str_eq(m->refreshed[i].task, task) && m->refreshed[i].until_ms > now_ms)
            return false;
    r = &m->refreshed[m->next_refreshed++ % MIRROR_REFRESHED];
    mem_copy_text(r->task, sizeof(r->task), task);
    r->until_ms = now_ms + REFRESH_AGAIN_MS;
    return true;
}

/* Fresh or not: the store says what there is. */
static bool on_refreshed(const struct frame *f, struct asker asker, void *ctx)
{
    struct mirror_call *c = ctx;
    struct msg_result msg;

    (void)asker;
    if (f == NULL || message_read(f, &msg) != 0 || msg.exit != EXIT_OK)
        log_warn("http.links_not_fresh", LOG_S("task", c->task));
    look_up(c);
    return false;
}

static bool is_stale(const json_t *task, const json_t *creations)
{
    int64_t taken_ms = json_integer_value(json_object_get(task, "updated_ms"));

    return mirror_shape_is_final(task, creations) &&
           mirror_fresh_until(creations, taken_ms) - clock_wall_ms() < MIRROR_FRESH_LEFT_MS;
}

/* -- waiting for a change -- */

static void on_waited(evutil_socket_t fd, short what, void *ctx)
{
    struct mirror_call *c = ctx;

    (void)fd;
    (void)what;
    if (c->asking)
        c->wait_s = 0; /* the answer that is on its way will do */
    else
        mirror_reply_json(c, buf_text(&c->said), c->said.len);
}

/* What is said for the first time, or again, while there is time left: held back. */
static bool is_held(struct mirror_call *c, const struct buf *text)
{
    bool first = c->said.len == 0;

    if (c->wait_s == 0 || c->mirror->draining ||
        (!first && !slice_is((struct slice){text->data, text->len}, buf_text(&c->said))))
        return false;
    if (!first)
        return true;
    buf_add(&c->said, text->data, text->len);
    log_debug("http.waits", LOG_S("task", c->task), LOG_I("seconds", c->wait_s));
    c->timer = evtimer_new(c->g->base, on_waited, c);
    if (c->timer == NULL || evtimer_add(c->timer, &(struct timeval){.tv_sec = c->wait_s}) != 0)
        abort();
    return true;
}

void mirror_query_changed(struct mirror *m, const char *task)
{
    struct mirror_call *c, *next;

    for (c = TAILQ_FIRST(&m->calls); c != NULL; c = next) {
        next = TAILQ_NEXT(c, link);
        if (c->said.len == 0 || !str_eq(c->task, task))
            continue;
        if (c->asking)
            c->changed = true;
        else
            look_up(c);
    }
}

void mirror_query_end_waits(struct mirror *m)
{
    struct mirror_call *c, *next;

    for (c = TAILQ_FIRST(&m->calls); c != NULL; c = next) {
        next = TAILQ_NEXT(c, link);
        if (c->said.len != 0 && !c->asking)
            mirror_reply_json(c, buf_text(&c->said), c->said.len);
    }
}

/* -- one task -- */

/* What is known here is for when the provider gives no answer. */
static void pass(struct mirror_call *c, const json_t *task, const json_t *creations)
{
    const struct provider_profile *p = account_profile(c->route.account);

    if (!mirror_shape_is_known(p) && !mirror_shape_report(p, task, creations, &c->instead))
        mirror_shape_early(p, task, &c->instead);
    mirror_pass(c);
}

static void report(struct mirror_call *c, const json_t *task, const json_t *creations)
{
    struct buf text = BUF_INIT(MAX_REPORT);

    if (!mirror_shape_report(account_profile(c->route.account), task, creations, &text) ||
        !buf_ok(&text))
        pass(c, task, creations);
    else if (mirror_shape_is_final(task, creations) || !is_held(c, &text))
        mirror_reply_json(c, text.data, text.len);
    else if (c->changed)
        look_up(c);
    buf_free(&text);
}

static void answer_one(struct mirror_call *c, const json_t *task)
{
    const char *id = str_or(json_string_value(json_object_get(task, "id")), "");
    json_t *creations = mirror_shape_creations(task);

    mem_copy_text(c->task, sizeof(c->task), id);
    if (is_stale(task, creations) && !mirror_shape_is_known(account_profile(c->route.account)))
        pass(c, task, creations); /* word for word, or not at all */
    else if (is_stale(task, creations) && may_refresh(c->mirror, id))
        ask_keeper(c, json_pack("{s:s, s:s}", "command", "refresh", "task", id), on_refreshed);
    else
        report(c, task, creations);
    json_decref(creations);
}

/* -- a tree of jobs -- */

/* Edits that were made elsewhere are in it too, so its provider is asked. */
static void answer_tree(struct mirror_call *c, const json_t *task)
{
    json_t *creations = mirror_shape_creations(task);

    if (task != NULL)
        mirror_shape_tree(c->route.tree, task, creations, &c->instead);
    json_decref(creations);
    mirror_pass(c);
}

/* -- several -- */

/* What one of them is not known for, the provider is asked for them all. */
static void answer_list(struct mirror_call *c, const json_t *tasks)
{
    struct buf text = BUF_INIT(MAX_REPORT);
    bool whole = json_array_size(tasks) == json_array_size(c->route.ids);

    buf_adds(&text, "{\"next_page_token\":\"\",\"tasks\":[");
    for (size_t i = 0; whole && i < json_array_size(tasks); i++) {
        json_t *creations = mirror_shape_creations(json_array_get(tasks, i));

        buf_adds(&text, i == 0 ? "" : ",");
        whole = mirror_shape_listed(json_array_get(tasks, i), creations, &text);
        json_decref(creations);
    }
    buf_adds(&text, "]}");
    if (whole && buf_ok(&text))
        mirror_reply_json(c, text.data, text.len);
    else
        mirror_pass(c);
    buf_free(&text);
}

/* -- asking -- */

static bool on_found(const struct frame *f, struct asker asker, void *ctx)
{
    struct mirror_call *c = ctx;
    struct msg_result msg;
    json_t *answer = NULL;
    const json_t *tasks;

    (void)asker;
    c->asking = false;
    if (f != NULL && message_read(f, &msg) == 0 && msg.exit == EXIT_OK)
        answer = json_loadb(msg.json.p, msg.json.n, 0, NULL);
    tasks = json_object_get(answer, "tasks");
    if (answer == NULL)
        mirror_fail(c, 503, "ViduhookBusy", "the store gives no answer now");
    else if (c->route.step == MIRROR_LIST)
        answer_list(c, tasks);
    else if (c->route.step == MIRROR_TREE)
        answer_tree(c, json_array_get(tasks, 0));
    else if (json_array_size(tasks) == 0)
        mirror_pass(c);
    else
        answer_one(c, json_array_get(tasks, 0));
    json_decref(answer);
    return false;
}

static void look_up(struct mirror_call *c)
{
    bool tree = c->route.step == MIRROR_TREE;
    bool look = tree || !mirror_shape_is_known(account_profile(c->route.account));

    c->changed = false;
    ask_keeper(c,
               json_pack("{s:s, s:s, s:O, s:b, s:b, s:b}", "command", "lookup", "provider",
                         c->route.account->name, "remote_ids", c->route.ids, "look", look, "tree",
                         tree, "list", c->route.step == MIRROR_LIST),
               on_found);
}

/* Changes are heard of before the first answer is, so none falls in between. */
void mirror_query(struct mirror_call *c)
{
    if (c->wait_s > 0) {
        c->counts_as_watcher = true;
        c->mirror->watchers++;
        control_watchers_changed(c->g->control);
    }
    look_up(c);
}

void mirror_tree(struct mirror_call *c)
{
    look_up(c);
}

void mirror_list(struct mirror_call *c)
{
    look_up(c);
}
