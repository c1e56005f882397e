/* SPDX-License-Identifier: MIT */
#include "runner/deliver_batch.h"

#include "base/mem.h"
#include "base/str.h"

#include <event2/event.h>
#include <sys/queue.h>

struct group {
    LIST_ENTRY(group) link;
    const struct action_env *env;
    json_t *action;
    char *hook;
    struct event *timer;
    TAILQ_HEAD(, member) members;
    size_t n, max;
    bool closed;  /* nobody joins any more */
    void *inner;  /* the delivery */
    json_t *told; /* its context */
};

struct member {
    TAILQ_ENTRY(member) link;
    struct group *group; /* NULL: has ended */
    const struct action_events *events;
    void *ctx;
    json_t *context;
};

struct batches {
    LIST_HEAD(, group) groups;
};

struct batches *batches_new(void)
{
    struct batches *all = mem_calloc(1, sizeof(*all));

    LIST_INIT(&all->groups);
    return all;
}

void batches_free(struct batches *all)
{
    free(all);
}

static void arm(struct group *g, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    evtimer_add(g->timer, &tv);
}

void batches_hurry(struct batches *all)
{
    struct group *g;

    LIST_FOREACH(g, &all->groups, link)
    if (g->inner == NULL) {
        g->closed = true;
        arm(g, 0);
    }
}

/* ---- what is sent ---- */

static json_int_t attempt_of(const json_t *context)
{
    return json_integer_value(json_object_get(json_object_get(context, "run"), "attempt"));
}

json_t *deliver_merge(const json_t *contexts)
{
    const json_t *first = json_array_get(contexts, 0);
    json_t *merged = json_copy((json_t *)first);
    json_t *run = json_copy(json_object_get(first, "run"));
    json_t *files = json_array();
    json_int_t attempt = 0;

    for (size_t i = 0; i < json_array_size(contexts); i++) {
        const json_t *one = json_array_get(contexts, i);

        json_array_extend(files, json_object_get(one, "files"));
        attempt = attempt_of(one) > attempt ? attempt_of(one) : attempt;
    }
    json_object_set_new(run, "attempt", json_integer(attempt));
    json_object_set_new(merged, "run", run);
    json_object_set_new(merged, "files", files);
    json_object_set(merged, "batch", (json_t *)contexts);
    return merged;
}

static json_t *contexts_of(const struct group *g)
{
    json_t *contexts = json_array();
    const struct member *m;

    TAILQ_FOREACH(m, &g->members, link)
    json_array_append(contexts, m->context);
    return contexts;
}

/* ---- groups ---- */

static void group_free(struct group *g)
{
    LIST_REMOVE(g, link);
    event_free(g->timer);
    if (g->inner != NULL)
        deliver_ops.free(g->inner);
    json_decref(g->told);
    json_decref(g->action);
    free(g->hook);
    free(g);
}

static void take_out(struct member *m)
{
    TAILQ_REMOVE(&m->group->members, m, link);
    m->group->n--;
    m->group = NULL;
}

static void put_in(struct group *g, struct member *m)
{
    m->group = g;
    TAILQ_INSERT_TAIL(&g->members, m, link);
    g->n++;
}

static void on_timer(evutil_socket_t fd, short what, void *arg);

static struct group *group_new(const struct action_env *env, const json_t *action, const char *hook)
{
    struct group *g = mem_calloc(1, sizeof(*g));

    g->env = env;
    g->action = json_incref((json_t *)action);
    g->hook = mem_strdup(hook);
    g->max = (size_t)json_integer_value(json_object_get(json_object_get(action, "batch"), "max"));
    g->timer = evtimer_new(env->base, on_timer, g);
    if (g->timer == NULL)
        abort();
    TAILQ_INIT(&g->members);
    LIST_INSERT_HEAD(&env->batches->groups, g, link);
    return g;
}

/* Each alone, in a group of its own that nobody joins. */
static void split(struct group *g)
{
    while (!TAILQ_EMPTY(&g->members)) {
        struct member *m = TAILQ_FIRST(&g->members);
        struct group *alone = group_new(g->env, g->action, g->hook);

        take_out(m);
        put_in(alone, m);
        alone->closed = true;
        arm(alone, 0);
    }
}

static void on_group_done(const struct msg_done *done, void *ctx)
{
    struct group *g = ctx;

    if (done->outcome == RUN_FATAL && g->n > 1)
        split(g);
    while (!TAILQ_EMPTY(&g->members)) {
        struct member *m = TAILQ_FIRST(&g->members);

        take_out(m);
        m->events->on_done(done, m->ctx); /* m is gone now */
    }
    group_free(g);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    static const struct action_events events = {.on_done = on_group_done};
    struct group *g = arg;
    json_t *contexts = contexts_of(g);

    (void)fd;
    (void)what;
    g->closed = true;
    g->told = deliver_merge(contexts);
    json_decref(contexts);
    g->inner = deliver_ops.start(g->env, g->action, g->told, SLICE_LIT(""), &events, g);
}

/* ---- the table ---- */

/* NULL: none that waits for such a run. After a reload the same hook may mean something else. */
static struct group *find_open(const struct action_env *env, const json_t *action, const char *hook)
{
    struct group *g;

    LIST_FOREACH(g, &env->batches->groups, link)
    if (!g->closed && str_eq(g->hook, hook) && json_equal(g->action, action))
        return g;
    return NULL;
}

/* What a run without files ends with is its own affair. */
static bool goes_alone(const json_t *action, const json_t *context)
{
    return json_is_true(json_object_get(action, "needs_file")) &&
           json_array_size(json_object_get(context, "files")) == 0;
}

static void *batch_start(const struct action_env *env, const json_t *action, const json_t *context,
                         struct slice line, const struct action_events *events, void *ctx)
{
    const json_t *run = json_object_get(context, "run");
    const char *hook = str_or(json_string_value(json_object_get(run, "hook")), "");
    const json_t *batch = json_object_get(action, "batch");
    bool alone = goes_alone(action, context);
    struct group *g = alone ? NULL : find_open(env, action, hook);
    struct member *m = mem_calloc(1, sizeof(*m));

    (void)line;
    m->events = events;
    m->ctx = ctx;
    m->context = json_incref((json_t *)context);
    if (g == NULL) {
        g = group_new(env, action, hook);
        arm(g, alone ? 0 : json_integer_value(json_object_get(batch, "wait_ms")));
    }
    put_in(g, m);
    if (alone || g->n >= g->max) {
        g->closed = true;
        arm(g, 0);
    }
    return m;
}

static void leave(struct member *m)
{
    struct group *g = m->group;

    if (g == NULL)
        return;
    take_out(m);
    if (g->n == 0)
        group_free(g);
}

static void batch_stop(void *a, enum run_outcome outcome, const char *why)
{
    struct member *m = a;
    struct msg_done done = {.outcome = outcome, .retry_after_ms = -1, .detail = slice_str(why)};

    leave(m);
    m->events->on_done(&done, m->ctx); /* m is gone now */
}

static void batch_fresh(void *a, const json_t *result, const char *error)
{
    (void)a;
    (void)result;
    (void)error;
}

static void batch_free(void *a)
{
    struct member *m = a;

    if (m == NULL)
        return;
    leave(m);
    json_decref(m->context);
    free(m);
}

const struct action_ops batch_ops = {
    .kind = "http-batch",
    .start = batch_start,
    .stop = batch_stop,
    .fresh = batch_fresh,
    .free = batch_free,
};
