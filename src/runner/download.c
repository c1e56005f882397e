/*
 * A download: for every creation of the result the video, its watermarked copy, its cover, one
 * after the other. A URL that has expired is asked for anew, three times at most.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "base/fs.h"
#include "http/fetch.h"
#include "runner/action.h"
#include "runner/download_beside.h"
#include "runner/quota.h"
#include "runner/sweep.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_MS 3600000
#define DEFAULT_MAX_SIZE   (UINT64_C(4) << 30)
#define FRESH_WAIT_MS      60000
#define REFRESHES_MAX      3
#define CREATIONS_MAX      16

struct download {
    const struct action_env *env;
    const struct action_events *events;
    void *ctx;
    const json_t *action, *context;
    json_t *result; /* the creations, as fresh as we have them */
    json_t *files;
    size_t creation;
    enum download_part part;
    struct event *timer; /* the next step, or the end of waiting for fresh URLs */
    struct fetch *fetch;
    struct download_folder folder;
    size_t folder_of; /* this creation */
    char *main_name;  /* of the creation's result: what stands beside it is called like it */
    bool waiting;     /* for fresh URLs */
    int refreshes;
    uint64_t bytes;
    int64_t started_ms, timeout_ms;
    struct buf notes; /* what was left out, for people */
    struct buf name;  /* of the part being fetched */
};

static void arm(struct download *d, int64_t ms)
{
    struct timeval tv = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    evtimer_add(d->timer, &tv);
}

/* ---- the end ---- */

static void end(struct download *d, enum run_outcome outcome, const char *why,
                int64_t retry_after_ms)
{
    autobuf struct buf detail = BUF_INIT(8192);
    struct msg_done done = {.outcome = outcome, .retry_after_ms = retry_after_ms};
    size_t n = json_array_size(d->files);
    autofree char *files = NULL;
    char size[16];

    if (outcome == RUN_OK && json_array_size(d->result) > CREATIONS_MAX)
        buf_addf(&d->notes, "; of %zu results only %d were fetched", json_array_size(d->result),
                 CREATIONS_MAX);
    if (outcome == RUN_OK)
        quota_prune(d->action, d->bytes, d->files, &d->notes);
    files = json_dumps(d->files, JSON_COMPACT);
    str_from_bytes(d->bytes, size);
    if (outcome == RUN_OK)
        buf_addf(&detail, "%zu file%s, %s fetched", n, n == 1 ? "" : "s", size);
    else
        buf_adds(&detail, why);
    buf_adds(&detail, buf_text(&d->notes));
    if (!buf_ok(&d->notes))
        buf_adds(&detail, "; and more that is not told here");
    done.duration_ms = clock_mono_ms() - d->started_ms;
    done.detail = (struct slice){buf_text(&detail), detail.len};
    done.files = slice_str(files);
    evtimer_del(d->timer);
    d->waiting = false;
    d->events->on_done(&done, d->ctx); /* d is gone now */
}

static void next_part(struct download *d)
{
    d->part++;
    if (d->part == PART_COUNT) {
        d->part = PART_MAIN;
        d->creation++;
        free(d->main_name);
        d->main_name = NULL;
    }
    arm(d, 0);
}

static void skip(struct download *d, const char *why)
{
    static const char *const names[PART_COUNT] = {"result", "watermarked copy", "cover"};

    buf_addf(&d->notes, "; no %s: %s", names[d->part], why);
    next_part(d);
}

/* A video without its cover is worth having; everything else was asked for and is owed. */
static void fail_part(struct download *d, enum run_outcome outcome, const char *why,
                      int64_t retry_after_ms)
{
    if (d->part == PART_COVER)
        skip(d, why);
    else
        end(d, outcome, why, retry_after_ms);
}

/* ---- one part ---- */

static void add_file(struct download *d, const json_t *creation, const char *name, uint64_t bytes,
                     const char *sha256)
{
    autofree char *path = fs_join(d->folder.path, name);
    json_t *file = json_pack("{s:s, s:s, s:I, s:s}", "path", path, "kind",
                             download_kind_name(d->context, creation, d->part), "bytes",
                             (json_int_t)bytes, "sha256", sha256);

    if (file == NULL || json_array_append_new(d->files, file) < 0)
        abort();
    d->bytes += bytes;
}

/* The file of this part is there: what depends on it follows. */
static void after_file(struct download *d, const char *name)
{
    const json_t *file = json_array_get(d->files, json_array_size(d->files) - 1);

    if (d->part == PART_MAIN)
        mem_replace(&d->main_name, name);
    if (d->part == PART_COVER && json_is_true(json_object_get(d->action, "posters")))
        download_link_posters(&d->folder, d->action, file, d->files, &d->notes);
}

static void describe(struct download *d, const char *name)
{
    if (d->part == PART_MAIN)
        download_describe(&d->folder, d->action, d->context, d->creation, name, d->files,
                          &d->notes);
}

static void ask_fresh(struct download *d, const char *why)
{
    if (d->refreshes == REFRESHES_MAX) {
        fail_part(d, RUN_FAILED, why, -1);
        return;
    }
    d->refreshes++;
    d->waiting = true;
    arm(d, FRESH_WAIT_MS);
    d->events->on_expired(d->ctx);
}

/* The part was called like the file that was wanted. */
static void tell_other_name(struct download *d, const char *name)
{
    size_t n = d->name.len;

    if (str_ends(buf_text(&d->name), ".mp4"))
        n -= strlen(".mp4");
    if (name[n] != '.')
        buf_addf(&d->notes, "; other bytes had the name already, so it is %s", name);
}

static void on_fetched(struct fetch *f, const struct fetch_outcome *o, void *ctx)
{
    struct download *d = ctx;

    (void)f;
    d->fetch = NULL;
    switch (o->result) {
    case FETCH_OK:
        if (o->existed)
            describe(d, o->name); /* no name was taken */
        tell_other_name(d, o->name);
        add_file(d, json_array_get(d->result, d->creation), o->name, o->bytes, o->sha256);
        after_file(d, o->name);
        next_part(d);
        break;
    case FETCH_EXPIRED:
        ask_fresh(d, o->detail);
        break;
    case FETCH_BAD:
        fail_part(d, RUN_FAILED, o->detail, o->retry_after_ms);
        break;
    default:
        fail_part(d, RUN_AGAIN, o->detail, o->retry_after_ms);
    }
}

static void on_progress(struct fetch *f, uint64_t done, uint64_t total, void *ctx)
{
    struct download *d = ctx;
    autofree char *name = mem_printf("%s%s", buf_text(&d->name), fetch_extension(f));

    d->events->on_progress(name, done, total, d->ctx);
}

static void on_naming(struct fetch *f, const char *name, void *ctx)
{
    (void)f;
    describe(ctx, name);
}

static const struct fetch_ops fetch_ops = {
    .on_progress = on_progress, .on_naming = on_naming, .on_done = on_fetched};

/* ".mp4" behind the stem: the same file, whatever its type turned out to be. */
static bool is_file_of(const char *path, const char *dir, const char *stem)
{
    size_t n = strlen(dir);
    size_t m = strlen(stem);

    return strncmp(path, dir, n) == 0 && path[n] == '/' && strncmp(path + n + 1, stem, m) == 0 &&
           path[n + 1 + m] == '.' && strchr(path + n + 1 + m, '/') == NULL;
}

/* An earlier attempt got this far: what it reported and still lies there is not fetched again. */
static const json_t *find_known(const struct download *d, const char *kind, const char *stem)
{
    const json_t *files = json_object_get(d->context, "files");

    for (size_t i = 0; i < json_array_size(files); i++) {
        const json_t *file = json_array_get(files, i);
        const char *path = str_or(json_string_value(json_object_get(file, "path")), "");
        struct stat st;

        if (str_eq(json_string_value(json_object_get(file, "kind")), kind) &&
            is_file_of(path, d->folder.path, stem) && lstat(path, &st) == 0 &&
            S_ISREG(st.st_mode) && st.st_size == json_integer_value(json_object_get(file, "bytes")))
            return file;
    }
    return NULL;
}

static void start_fetch(struct download *d, const json_t *creation)
{
    json_int_t max_size = json_integer_value(json_object_get(d->action, "max_size"));
    struct fetch_request req = {
        .url = download_url(d->action, creation, d->part),
        .dir_fd = d->folder.fd,
        .kind = download_fetch_kind(d->context, creation, d->part),
        .max_size = max_size > 0 ? (uint64_t)max_size : DEFAULT_MAX_SIZE,
        .keep_free = d->env->keep_free,
        .mode = download_mode(d->action),
        .timeout_ms = d->started_ms + d->timeout_ms - clock_mono_ms(),
    };
    struct err err;

    if (req.kind == FETCH_VIDEO)
        buf_adds(&d->name, ".mp4");
    req.name = buf_text(&d->name);
    d->fetch = fetch_start(d->env->client, &req, &fetch_ops, d, &err);
    if (d->fetch == NULL)
        fail_part(d, RUN_FATAL, err.text, -1);
}

static void take_known(struct download *d, const json_t *known)
{
    const char *name = strrchr(json_string_value(json_object_get(known, "path")), '/') + 1;

    describe(d, name);
    json_array_append(d->files, (json_t *)known);
    after_file(d, name);
    next_part(d);
}

/* False when the task's id cannot be part of a name. */
static bool choose_name(struct download *d)
{
    autofree char *stem = NULL;

    buf_reset(&d->name);
    if (d->part != PART_COVER || d->main_name == NULL)
        return download_stem(d->action, d->context, d->creation, d->part, &d->name);
    stem = download_strip_extension(d->main_name);
    buf_adds(&d->name, stem);
    return true;
}

static void start_part(struct download *d)
{
    const json_t *creation = json_array_get(d->result, d->creation);
    const char *kind = download_kind_name(d->context, creation, d->part);
    const json_t *known;

    if (!download_wants(d->action, d->context, creation, d->part)) {
        next_part(d);
        return;
    }
    if (!choose_name(d)) {
        end(d, RUN_FATAL, "the task's id cannot be part of a file name", -1);
        return;
    }
    known = find_known(d, kind, buf_text(&d->name));
    if (known != NULL) {
        take_known(d, known);
    } else if (*download_url(d->action, creation, d->part) != '\0') {
        start_fetch(d, creation);
    } else if (d->part == PART_MAIN && json_string_length(json_object_get(creation, "url")) > 0) {
        end(d, RUN_FATAL, "the result has no watermarked copy; watermarked: no takes the plain one",
            -1);
    } else if (d->part == PART_MAIN) {
        ask_fresh(d, "the result has no URL");
    } else {
        skip(d, "the result has none");
    }
}

/* ---- the whole ---- */

/* Each creation has its folder, which may be that of the one before. */
static int open_folder(struct download *d, struct err *err)
{
    struct download_folder folder;
    int rc = download_folder_open(d->action, d->context, d->creation, download_mode(d->action),
                                  &folder, err);

    if (rc < 0) {
        download_folder_close(&folder);
        return rc;
    }
    download_folder_close(&d->folder);
    d->folder = folder;
    d->folder_of = d->creation;
    sweep_dir(d->env->sweep, d->folder.fd);
    return 0;
}

static enum run_outcome folder_outcome(int rc)
{
    return rc == -ENOSPC || rc == -EDQUOT ? RUN_AGAIN : RUN_FAILED;
}

static void step(struct download *d)
{
    autobuf struct buf why = BUF_INIT(4096);
    size_t n = json_array_size(d->result);
    struct err err;

    if (d->creation > 0 && (d->creation >= n || d->creation >= CREATIONS_MAX)) {
        end(d, RUN_OK, "", -1);
        return;
    }
    if (d->folder.fd < 0 && !quota_allows(d->action, &why)) {
        end(d, RUN_AGAIN, buf_text(&why), -1);
        return;
    }
    if (d->folder.fd < 0 || d->folder_of != d->creation) {
        int rc = open_folder(d, &err);

        if (rc < 0) {
            end(d, folder_outcome(rc), err.text, -1);
            return;
        }
    }
    start_part(d);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct download *d = arg;

    (void)fd;
    (void)what;
    if (!d->waiting) {
        step(d);
        return;
    }
    d->waiting = false;
    fail_part(d, RUN_AGAIN, "no fresh URL came in time", -1);
}

static void *download_start(const struct action_env *env, const json_t *action,
                            const json_t *context, struct slice line,
                            const struct action_events *events, void *ctx)
{
    struct download *d = mem_calloc(1, sizeof(*d));
    int64_t timeout_ms = json_integer_value(json_object_get(action, "timeout_ms"));

    (void)line;
    d->env = env;
    d->events = events;
    d->ctx = ctx;
    d->action = action;
    d->context = context;
    d->result = json_incref(json_object_get(context, "result"));
    d->files = json_array();
    d->folder.fd = -1;
    d->started_ms = clock_mono_ms();
    d->timeout_ms = timeout_ms > 0 ? timeout_ms : DEFAULT_TIMEOUT_MS;
    d->notes = BUF_INIT(2048);
    d->name = BUF_INIT(256);
    d->timer = evtimer_new(env->base, on_timer, d);
    if (d->timer == NULL || d->files == NULL)
        abort();
    arm(d, 0);
    return d;
}

static void download_stop(void *a, enum run_outcome outcome, const char *why)
{
    struct download *d = a;

    fetch_cancel(d->fetch);
    d->fetch = NULL;
    end(d, outcome, why, -1);
}

static void download_fresh(void *a, const json_t *result, const char *error)
{
    struct download *d = a;
    autofree char *why = NULL;

    if (!d->waiting)
        return;
    d->waiting = false;
    if (result == NULL) {
        why = mem_printf("no fresh URL: %s", error);
        evtimer_del(d->timer);
        fail_part(d, RUN_AGAIN, why, -1);
        return;
    }
    /* else the rest would count as fetched */
    if (d->creation > 0 && json_array_size(result) <= d->creation) {
        evtimer_del(d->timer);
        fail_part(d, RUN_AGAIN, "the provider tells of fewer results than before", -1);
        return;
    }
    json_decref(d->result);
    d->result = json_deep_copy(result);
    arm(d, 0);
}

static void download_free(void *a)
{
    struct download *d = a;

    if (d == NULL)
        return;
    fetch_cancel(d->fetch);
    event_free(d->timer);
    json_decref(d->result);
    json_decref(d->files);
    download_folder_close(&d->folder);
    buf_free(&d->notes);
    buf_free(&d->name);
    free(d->main_name);
    free(d);
}

const struct action_ops download_ops = {
    .kind = "download",
    .start = download_start,
    .stop = download_stop,
    .fresh = download_fresh,
    .free = download_free,
};
