/*
 * An HTTP delivery: the requests of its recipe, one after the other, each with an answer that is
 * read up to 64 KiB. Redirects are not followed, so that what a request carries goes to the
 * configured server and nowhere else.
 *
 *   prepare -> send -> answered -- 2xx, more to send --> prepare
 *                         |------- 2xx ----------------> done
 *                         |------- no answer, 408, 425, 429, 5xx --> again later
 *                         '------- everything else ----> never again
 *
 * A server that fails again and again is left alone for a while (breaker.h).
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "base/fs.h"
#include "http/client.h"
#include "runner/action.h"
#include "runner/breaker.h"
#include "runner/deliver_recipe.h"
#include "runner/tail.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_TIMEOUT_MS 20000
#define ANSWER_MAX         (64U << 10)
#define ORIGIN_MAX         512
#define STEPS_MAX          256
#define LOW_SPEED_MS       60000

struct deliver {
    const struct action_env *env;
    const struct action_events *events;
    void *ctx;
    const struct deliver_recipe *recipe;
    struct deliver_exchange exchange;
    struct deliver_request request;
    json_t *context; /* as the server sees it */
    struct transfer *transfer;
    struct client_file file; /* that is sent; fd -1: none */
    struct event *timer;     /* the next request */
    struct buf answer;       /* of the last request, as much as is kept */
    bool cut;                /* it was longer */
    int64_t started_ms, timeout_ms;
};

static void arm(struct deliver *d)
{
    static const struct timeval now = {0, 0};

    evtimer_add(d->timer, &now);
}

/* ---- the end ---- */

static void end(struct deliver *d, enum run_outcome outcome, const char *why,
                int64_t retry_after_ms)
{
    struct tail tail = TAIL_INIT(d->env->output);
    autobuf struct buf output = BUF_INIT(ANSWER_MAX * 3 + 128);
    struct msg_done done = {.outcome = outcome, .retry_after_ms = retry_after_ms};

    tail_add(&tail, buf_text(&d->answer), d->answer.len);
    tail_text(&tail, &output);
    tail_free(&tail);
    done.duration_ms = clock_mono_ms() - d->started_ms;
    done.detail = slice_str(why);
    done.output = (struct slice){buf_text(&output), output.len};
    evtimer_del(d->timer);
    d->events->on_done(&done, d->ctx); /* d is gone now */
}

/* ---- what an answer means ---- */

/* The first row that fits. */
static const struct status_row {
    int from, to;
    enum run_outcome outcome;
    const char *meaning;
} status_rows[] = {
    {200, 299, RUN_OK, NULL},
    {300, 399, RUN_FATAL, "redirects are not followed; put the final address into http.url"},
    {401, 401, RUN_FATAL, "the server does not know us; check http.token"},
    {403, 403, RUN_FATAL, "the server does not let us; check what the token may do"},
    {404, 404, RUN_FATAL, "there is no such thing on the server; check http.url"},
    {408, 408, RUN_AGAIN, NULL},
    {410, 410, RUN_GONE, "the receiver is gone for good; the hook waits for viduhook resume"},
    {425, 425, RUN_AGAIN, NULL},
    {429, 429, RUN_AGAIN, NULL},
    {400, 499, RUN_FATAL, NULL},
    {500, 599, RUN_AGAIN, NULL},
    {0, 999, RUN_FATAL, "not a status that ends a request"},
};

static const struct status_row *row_of(int status)
{
    const struct status_row *row = status_rows;

    while (status < row->from || status > row->to)
        row++;
    return row;
}

/* "https://host:8096": neither path nor query, either may be a secret. */
static void add_origin(const struct deliver *d, struct buf *out)
{
    const char *url = buf_text(&d->request.url);
    size_t scheme = strcspn(url, ":") + 3;

    if (scheme < strlen(url))
        buf_add(out, url, scheme + strcspn(url + scheme, "/?"));
}

static void end_with(struct deliver *d, enum run_outcome outcome, int64_t retry_after_ms,
                     const char *fmt, ...) PRINTF_LIKE(4, 5);
static void end_with(struct deliver *d, enum run_outcome outcome, int64_t retry_after_ms,
                     const char *fmt, ...)
{
    autobuf struct buf why = BUF_INIT(2048);
    va_list ap;

    buf_addf(&why, "%s ", d->request.method);
    add_origin(d, &why);
    buf_adds(&why, ": ");
    va_start(ap, fmt);
    buf_vaddf(&why, fmt, ap);
    va_end(ap);
    end(d, outcome, buf_text(&why), retry_after_ms);
}

static void next_step(struct deliver *d)
{
    d->exchange.step++;
    if (d->exchange.step == STEPS_MAX) {
        end_with(d, RUN_FATAL, -1, "over %d requests", STEPS_MAX);
        return;
    }
    deliver_request_clear(&d->request);
    fs_close_slot(&d->file.fd);
    buf_reset(&d->answer);
    arm(d);
}

static void judge_success(struct deliver *d, int status, const char *length)
{
    struct deliver_answer answer = {
        .status = status, .length = length, .body = {buf_text(&d->answer), d->answer.len}};
    struct err err;
    int rc;

    if (d->recipe->reads && d->cut) {
        end_with(d, RUN_FAILED, -1, "the answer is over %u bytes", ANSWER_MAX);
        return;
    }
    rc = d->recipe->accept(&d->exchange, &answer, &err);
    if (rc > 0)
        next_step(d);
    else if (rc == 0)
        end_with(d, RUN_OK, -1, "HTTP %d", status);
    else
        end_with(d, rc == -ENOENT ? RUN_FATAL : RUN_FAILED, -1, "%s", err.text);
}

static bool on_data(struct transfer *t, const void *p, size_t n, void *ctx)
{
    struct deliver *d = ctx;
    size_t room = ANSWER_MAX - d->answer.len;

    (void)t;
    d->cut = n > room;
    buf_add(&d->answer, p, n < room ? n : room);
    return !d->cut;
}

static bool is_expected(const struct deliver *d, int status)
{
    return d->recipe->expects != NULL && d->recipe->expects(&d->exchange, status);
}

/* A server that says no is well. */
static void report(struct deliver *d, const struct client_answer *a)
{
    autobuf struct buf origin = BUF_INIT(ORIGIN_MAX);
    bool failed = (a->error != NULL && !d->cut) || a->status >= 500;

    add_origin(d, &origin);
    breaker_report(d->env->breaker, buf_text(&origin), !failed, clock_mono_ms());
}

static void on_done(struct transfer *t, const struct client_answer *a, void *ctx)
{
    struct deliver *d = ctx;
    const struct status_row *row = row_of(a->status);

    d->transfer = NULL;
    report(d, a);
    if (a->error != NULL && !d->cut)
        end_with(d, a->refused ? RUN_FATAL : RUN_AGAIN, a->retry_after_ms, "%s", a->error);
    else if (row->outcome == RUN_OK || is_expected(d, a->status))
        judge_success(d, a->status, transfer_header(t, "Content-Length"));
    else if (row->meaning != NULL)
        end_with(d, row->outcome, a->retry_after_ms, "HTTP %d: %s", a->status, row->meaning);
    else
        end_with(d, row->outcome, a->retry_after_ms, "HTTP %d", a->status);
}

static const struct transfer_ops transfer_ops = {.on_data = on_data, .on_done = on_done};

/* ---- one request ---- */

static bool may_go(struct deliver *d)
{
    autobuf struct buf origin = BUF_INIT(ORIGIN_MAX);
    int64_t wait_ms;
    char text[24];

    add_origin(d, &origin);
    wait_ms = breaker_wait_ms(d->env->breaker, buf_text(&origin), clock_mono_ms(), d->timeout_ms);
    if (wait_ms == 0)
        return true;
    str_from_ms(wait_ms, text);
    end_with(d, RUN_AGAIN, wait_ms, "not asked for %s: it failed %d times or more in a row", text,
             BREAKER_FAILURES);
    return false;
}

static int open_upload(struct deliver *d, struct err *err)
{
    const char *path = d->request.upload;
    struct stat st;

    if (path == NULL)
        return 0;
    d->file.fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (d->file.fd < 0 || fstat(d->file.fd, &st) < 0)
        return err_sys(err, -errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EINVAL, "%s: not a regular file", path);
    d->file.size = (uint64_t)st.st_size;
    d->file.head = (struct slice){buf_text(&d->request.head), d->request.head.len};
    d->file.tail = (struct slice){buf_text(&d->request.tail), d->request.tail.len};
    return 0;
}

static void send_request(struct deliver *d)
{
    struct client_request req = {
        .method = d->request.method,
        .url = buf_text(&d->request.url),
        .headers = (const char *const *)d->request.lines,
        .body = d->request.has_body ? buf_text(&d->request.body) : NULL,
        .body_len = d->request.body.len,
        .file = d->file.fd >= 0 ? &d->file : NULL,
        .max_body = INT64_MAX, /* on_data counts */
        .timeout_ms = d->started_ms + d->timeout_ms - clock_mono_ms(),
        .low_speed_ms = d->file.fd >= 0 ? LOW_SPEED_MS : 0,
        .repeatable = true,
    };
    struct err err;

    d->cut = false;
    d->transfer = client_start(d->env->deliver, &req, &transfer_ops, d, &err);
    if (d->transfer == NULL)
        end_with(d, RUN_FATAL, -1, "%s", err.text);
}

static bool has_file(const json_t *context)
{
    return json_array_size(json_object_get(context, "files")) != 0;
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct deliver *d = arg;
    struct err err;

    (void)fd;
    (void)what;
    d->exchange.now_s = clock_wall_ms() / 1000;
    if (d->recipe == NULL)
        end(d, RUN_FATAL, "not a delivery that is known here", -1);
    else if (json_is_true(json_object_get(d->exchange.action, "needs_file")) &&
             !has_file(d->context))
        end(d, RUN_FATAL, "the task has no downloaded file that could be told of", -1);
    else if (d->recipe->prepare(&d->exchange, &d->request, &err) < 0)
        end(d, RUN_FATAL, err.text, -1);
    else if (d->request.lines_cut)
        end(d, RUN_FATAL, "a header is too long", -1);
    else if (open_upload(d, &err) < 0)
        end(d, RUN_FAILED, err.text, -1);
    else if (may_go(d))
        send_request(d);
}

/* ---- the table ---- */

static void *deliver_start(const struct action_env *env, const json_t *action,
                           const json_t *context, struct slice line,
                           const struct action_events *events, void *ctx)
{
    struct deliver *d = mem_calloc(1, sizeof(*d));
    int64_t timeout_ms = json_integer_value(json_object_get(action, "timeout_ms"));

    (void)line;
    d->env = env;
    d->events = events;
    d->ctx = ctx;
    d->recipe = deliver_recipe_find(json_string_value(json_object_get(action, "recipe")));
    d->context = deliver_context(action, context);
    d->exchange.action = action;
    d->exchange.context = d->context;
    d->exchange.local = context;
    d->file.fd = -1;
    d->answer = BUF_INIT(ANSWER_MAX);
    d->started_ms = clock_mono_ms();
    d->timeout_ms = timeout_ms > 0 ? timeout_ms : DEFAULT_TIMEOUT_MS;
    d->timer = evtimer_new(env->base, on_timer, d);
    if (d->timer == NULL)
        abort();
    arm(d);
    return d;
}

static void deliver_stop(void *a, enum run_outcome outcome, const char *why)
{
    struct deliver *d = a;

    client_cancel(d->transfer);
    d->transfer = NULL;
    end(d, outcome, why, -1);
}

static void deliver_fresh(void *a, const json_t *result, const char *error)
{
    (void)a;
    (void)result;
    (void)error;
}

static void deliver_free(void *a)
{
    struct deliver *d = a;

    if (d == NULL)
        return;
    client_cancel(d->transfer);
    event_free(d->timer);
    deliver_request_clear(&d->request);
    fs_close_slot(&d->file.fd);
    json_decref(d->exchange.found);
    json_decref(d->context);
    buf_free(&d->answer);
    free(d);
}

const struct action_ops deliver_ops = {
    .kind = "http",
    .start = deliver_start,
    .stop = deliver_stop,
    .fresh = deliver_fresh,
    .free = deliver_free,
};
