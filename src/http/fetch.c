/* SPDX-License-Identifier: MIT */
#include "http/fetch.h"

#include "base/clock.h"
#include "http/fetch_part.h"
#include "http/fetch_publish.h"
#include "http/mp4.h"

#include <errno.h>
#include <event2/event.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define LOW_SPEED_MS       60000
#define PROGRESS_EVERY_MS  200
#define MAGIC_MAX          12
#define STRONG_DATE_AGE_MS 60000 /* how old Last-Modified must be to name one set of bytes */

struct fetch {
    struct client *client;
    const struct fetch_ops *ops;
    void *ctx;
    struct event *step;
    struct transfer *transfer;
    char *url, *name;
    enum fetch_kind kind;
    int dir_fd;
    uint64_t max_size, keep_free;
    mode_t mode;
    int64_t deadline_ms;
    int64_t next_progress_ms;
    struct part part;
    bool type_known;
    bool over;      /* outcome.result stands, whatever the transfer says */
    bool start_new; /* ask again, from the first byte */
    bool restarted; /* that has been done once */
    bool complete;  /* the server says that there is nothing more */
    bool drop;      /* the part is worth nothing */
    const char *ext;
    struct fetch_outcome outcome;
};

/* ---- types ---- */

/* What a file starts with; '?' stands for any byte. ext is added to the name. */
static const struct magic {
    enum fetch_kind kind;
    const char *pattern;
    const char *ext;
} magics[] = {
    {FETCH_VIDEO, "????ftyp", ""},
    {FETCH_IMAGE, "\xff\xd8\xff", ".jpg"},
    {FETCH_IMAGE, "\x89PNG\r\n\x1a\n", ".png"},
    {FETCH_IMAGE, "RIFF????WEBP", ".webp"},
    {FETCH_IMAGE, "GIF8?a", ".gif"},
    {FETCH_AUDIO, "ID3", ".mp3"},
    {FETCH_AUDIO, "\xff\xfb", ".mp3"},
    {FETCH_AUDIO, "\xff\xf3", ".mp3"},
    {FETCH_AUDIO, "\xff\xfa", ".mp3"}, /* the same two with checksums */
    {FETCH_AUDIO, "\xff\xf2", ".mp3"},
    {FETCH_AUDIO, "\xff\xe3", ".mp3"}, /* below 16 kHz */
    {FETCH_AUDIO, "RIFF????WAVE", ".wav"},
    {FETCH_AUDIO, "????ftyp", ".m4a"},
    {FETCH_AUDIO, "fLaC", ".flac"},
    {FETCH_AUDIO, "OggS", ".ogg"},
    {FETCH_ANY, "", ""},
};

static const char *const kind_names[] = {
    [FETCH_VIDEO] = "an MP4 video",
    [FETCH_IMAGE] = "a JPEG, PNG, WebP or GIF image",
    [FETCH_AUDIO] = "an MP3, WAV, M4A, FLAC or Ogg sound",
    [FETCH_ANY] = "a file",
};

static bool matches(const char *pattern, const char *p, size_t n)
{
    size_t i;

    for (i = 0; pattern[i] != '\0'; i++)
        if (i >= n || (pattern[i] != '?' && pattern[i] != p[i]))
            return false;
    return true;
}

static const struct magic *find_magic(enum fetch_kind kind, const char *p, size_t n)
{
    for (size_t i = 0; i < ARRAY_LEN(magics); i++)
        if (magics[i].kind == kind && matches(magics[i].pattern, p, n))
            return &magics[i];
    return NULL;
}

/* ---- outcomes ---- */

/* Always false, for callbacks that end the transfer by it. */
static bool PRINTF_LIKE(3, 4)
    conclude(struct fetch *f, enum fetch_result result, const char *fmt, ...)
{
    va_list ap;

    if (f->over)
        return false;
    f->over = true;
    f->outcome.result = result;
    va_start(ap, fmt);
    vsnprintf(f->outcome.detail, sizeof(f->outcome.detail), fmt, ap);
    va_end(ap);
    return false;
}

static bool conclude_errno(struct fetch *f, int rc, const char *what)
{
    bool full = rc == -ENOSPC || rc == -EDQUOT;

    return conclude(f, full ? FETCH_FULL : FETCH_AGAIN, "%s: %s", what, strerror(-rc));
}

/* Not again a resume: the server and the part do not agree. */
static bool from_the_start(struct fetch *f, const char *why)
{
    if (f->restarted)
        return conclude(f, FETCH_AGAIN, "%s", why);
    f->start_new = true;
    return false;
}

static void fetch_free(struct fetch *f)
{
    client_cancel(f->transfer);
    if (f->step != NULL)
        event_free(f->step);
    part_close(&f->part);
    free(f->url);
    free(f->name);
    free(f);
}

static void finish(struct fetch *f)
{
    struct fetch_outcome *o = &f->outcome;

    if (o->result == FETCH_BAD || f->drop)
        part_discard(&f->part);
    else if (o->result != FETCH_OK)
        part_keep(&f->part);
    o->bytes = f->part.size; /* after what could not be kept is gone */
    f->ops->on_done(f, o, f->ctx);
    fetch_free(f);
}

static bool check_type(struct fetch *f)
{
    char head[MAGIC_MAX];
    ssize_t n = part_head(&f->part, head, sizeof(head));
    const struct magic *m;

    if (n < 0)
        return conclude_errno(f, (int)n, "reading the part");
    m = find_magic(f->kind, head, (size_t)n);
    if (m == NULL)
        return conclude(f, FETCH_BAD, "what came is not %s", kind_names[f->kind]);
    f->type_known = true;
    f->ext = m->ext;
    return true;
}

static void on_naming(const char *name, void *ctx)
{
    struct fetch *f = ctx;

    if (f->ops->on_naming != NULL)
        f->ops->on_naming(f, name, f->ctx);
}

/* Splits the extension off the names that came with one. */
static void publish(struct fetch *f)
{
    const char *dot = f->ext[0] == '\0' ? strrchr(f->name, '.') : NULL;
    size_t stem_len = dot != NULL && strlen(dot) <= 6 ? (size_t)(dot - f->name) : strlen(f->name);
    autofree char *stem = mem_strndup(f->name, stem_len);
    const struct publish_plan plan = {.stem = stem,
                                      .ext = f->ext[0] == '\0' ? f->name + stem_len : f->ext,
                                      .mode = f->mode,
                                      .before = on_naming,
                                      .ctx = f};
    struct published done;
    int rc = part_publish(&f->part, &plan, &done);

    if (rc < 0) {
        f->drop = true;
        conclude_errno(f, rc, "publishing");
        return;
    }
    f->outcome.existed = done.existed;
    memcpy(f->outcome.name, done.name, sizeof(f->outcome.name));
    memcpy(f->outcome.sha256, done.sha256, sizeof(f->outcome.sha256));
    conclude(f, FETCH_OK, "%s", done.existed ? "the same bytes were there already" : "");
}

/* As long as the server said, and still not all of it. */
static bool check_whole(struct fetch *f)
{
    char type[5];

    if (f->kind == FETCH_VIDEO && mp4_is_cut(f->part.fd, f->part.size, type))
        return conclude(f, FETCH_BAD, "the video is cut off within its box %s", type);
    return true;
}

static void complete(struct fetch *f)
{
    const struct part *p = &f->part;

    if (p->total != 0 && p->size < p->total)
        conclude(f, FETCH_AGAIN, "the answer ended after %llu of %llu bytes",
                 (unsigned long long)p->size, (unsigned long long)p->total);
    else if ((f->type_known || check_type(f)) && check_whole(f))
        publish(f);
}

/* ---- the head of the answer ---- */

/* The first row that fits. What is not listed ends for good. */
static const struct status_row {
    int from, to;
    enum fetch_result result;
} status_rows[] = {
    {403, 404, FETCH_EXPIRED}, {410, 410, FETCH_EXPIRED}, {408, 408, FETCH_AGAIN},
    {425, 425, FETCH_AGAIN},   {429, 429, FETCH_AGAIN},   {500, 599, FETCH_AGAIN},
};

static bool judge_status(struct fetch *f, int status)
{
    enum fetch_result result = FETCH_BAD;

    for (size_t i = 0; i < ARRAY_LEN(status_rows); i++)
        if (status >= status_rows[i].from && status <= status_rows[i].to)
            result = status_rows[i].result;
    return conclude(f, result, "the server answered with status %d", status);
}

/* "bytes 5-9/10"; a star for the total leaves that 0, one for the range both its ends. */
static int parse_content_range(const char *text, uint64_t *from, uint64_t *to, uint64_t *total)
{
    const char *range = str_or(text, "");
    const char *slash, *dash;

    *from = *to = *total = 0;
    if (strncasecmp(range, "bytes ", 6) != 0)
        return -EINVAL;
    range += 6;
    slash = strchr(range, '/');
    if (slash == NULL)
        return -EINVAL;
    if (!str_eq(slash + 1, "*") && str_to_u64(slash + 1, strlen(slash + 1), INT64_MAX, total) < 0)
        return -EINVAL;
    if (slash == range + 1 && *range == '*')
        return 0;
    dash = memchr(range, '-', (size_t)(slash - range));
    if (dash == NULL || str_to_u64(range, (size_t)(dash - range), INT64_MAX, from) < 0 ||
        str_to_u64(dash + 1, (size_t)(slash - dash - 1), INT64_MAX, to) < 0)
        return -EINVAL;
    return *from <= *to && (*total == 0 || *to < *total) ? 0 : -EINVAL;
}

/* A strong ETag, else a Last-Modified that is old enough to be one (RFC 9110 8.8.2.2). */
static const char *strong_validator(const struct transfer *t)
{
    const char *etag = transfer_header(t, "ETag");
    const char *modified, *date;
    int64_t modified_ms, date_ms;

    if (etag != NULL)
        return etag[0] == '"' && strlen(etag) < PART_VALIDATOR_SIZE ? etag : "";
    modified = transfer_header(t, "Last-Modified");
    if (modified == NULL || clock_parse_http(modified, strlen(modified), &modified_ms) < 0)
        return "";
    date = transfer_header(t, "Date");
    if (date == NULL || clock_parse_http(date, strlen(date), &date_ms) < 0)
        return "";
    return date_ms - modified_ms >= STRONG_DATE_AGE_MS ? modified : "";
}

static bool is_same_thing(const struct fetch *f, const struct transfer *t)
{
    const char *etag = transfer_header(t, "ETag");

    return etag == NULL || f->part.validator[0] != '"' || str_eq(etag, f->part.validator);
}

static bool reserve(struct fetch *f)
{
    const struct part *p = &f->part;
    uint64_t more = p->total > p->size ? p->total - p->size : 0;
    int rc = part_reserve(&f->part, more);

    if (rc == -ENOSPC) /* not only of a full disk: most of it may be free */
        return conclude(f, FETCH_FULL,
                        "no room for the file: %llu bytes to come, and fetch.keep_free is %llu",
                        (unsigned long long)more, (unsigned long long)f->keep_free);
    return rc == 0 || conclude_errno(f, rc, "room for the file");
}

static bool on_whole(struct fetch *f, const struct transfer *t)
{
    const char *length = transfer_header(t, "Content-Length");
    bool chunked = transfer_header(t, "Transfer-Encoding") != NULL;
    autofree char *validator = mem_strdup(strong_validator(t));
    uint64_t total = 0;
    int rc;

    if (length != NULL && !chunked && str_to_u64(length, strlen(length), INT64_MAX, &total) < 0)
        return conclude(f, FETCH_AGAIN, "the length of the answer is no number");
    if (total > f->max_size)
        return conclude(f, FETCH_BAD, "the file is over %llu bytes",
                        (unsigned long long)f->max_size);
    f->type_known = false;
    f->outcome.resumed_at = 0;
    rc = part_restart(&f->part, validator, total);
    return rc < 0 ? conclude_errno(f, rc, "starting the part") : reserve(f);
}

static bool on_rest(struct fetch *f, const struct transfer *t)
{
    struct part *p = &f->part;
    uint64_t from, to, total;

    if (p->size == 0)
        return conclude(f, FETCH_AGAIN, "a part of the file was sent, the whole was asked for");
    if (parse_content_range(transfer_header(t, "Content-Range"), &from, &to, &total) < 0 ||
        from != p->size || (p->total != 0 && total != 0 && total != p->total))
        return from_the_start(f, "the server sends another part than was asked for");
    if (p->total == 0 && total == 0)
        return from_the_start(f, "nobody says how much there is, so the end cannot be known");
    if (!is_same_thing(f, t))
        return from_the_start(f, "the file has changed at the server");
    if (total > f->max_size)
        return conclude(f, FETCH_BAD, "the file is over %llu bytes",
                        (unsigned long long)f->max_size);
    if (total != 0)
        p->total = total;
    f->outcome.resumed_at = p->size;
    return reserve(f);
}

/* Nothing behind our last byte: then either it is the last one, or the file is another. */
static bool on_no_rest(struct fetch *f, const struct transfer *t)
{
    const struct part *p = &f->part;
    uint64_t from, to, total;

    if (p->size == 0)
        return conclude(f, FETCH_BAD, "status 416 to a request for the whole file");
    if (parse_content_range(transfer_header(t, "Content-Range"), &from, &to, &total) < 0 ||
        total != p->size || p->total != p->size || !is_same_thing(f, t))
        return from_the_start(f, "the server knows no rest of what we have");
    f->outcome.resumed_at = p->size;
    f->complete = true;
    return false;
}

static bool on_head(struct transfer *t, int status, void *ctx)
{
    struct fetch *f = ctx;

    f->outcome.http_status = status;
    if (status == 200)
        return on_whole(f, t);
    if (status == 206)
        return on_rest(f, t);
    if (status == 416)
        return on_no_rest(f, t);
    return judge_status(f, status);
}

/* ---- the body ---- */

static bool on_data(struct transfer *t, const void *p, size_t n, void *ctx)
{
    struct fetch *f = ctx;
    struct part *part = &f->part;
    int64_t now_ms = clock_mono_ms();
    int rc;

    (void)t;
    if (part->total != 0 && n > part->total - part->size) {
        f->drop = true;
        return conclude(f, FETCH_AGAIN, "the server sends more than it said");
    }
    if (n > f->max_size - part->size)
        return conclude(f, FETCH_BAD, "the file is over %llu bytes",
                        (unsigned long long)f->max_size);
    rc = part_write(part, p, n);
    if (rc < 0)
        return conclude_errno(f, rc, "writing the part");
    if (!f->type_known && part->size >= MAGIC_MAX && !check_type(f))
        return false;
    if (f->ops->on_progress == NULL || now_ms < f->next_progress_ms)
        return true;
    f->next_progress_ms = now_ms + PROGRESS_EVERY_MS;
    f->ops->on_progress(f, part->size, part->total, f->ctx); /* may have cancelled f */
    return true;
}

/* ---- the transfer ---- */

static void judge(struct fetch *f, const struct client_answer *a)
{
    bool is_error_page = a->status >= 400 && a->status != 416;

    f->outcome.http_status = a->status;
    f->outcome.retry_after_ms = a->retry_after_ms;
    if (f->over)
        return;
    if (a->refused && !is_error_page)
        conclude(f, FETCH_BAD, "%s", a->error);
    else if (f->complete || (a->error == NULL && (a->status == 200 || a->status == 206)))
        complete(f);
    else if (a->error != NULL && !is_error_page)
        conclude(f, FETCH_AGAIN, "%s", a->error);
    else
        judge_status(f, a->status);
}

static void on_done(struct transfer *t, const struct client_answer *a, void *ctx)
{
    struct fetch *f = ctx;

    (void)t;
    f->transfer = NULL;
    if (f->start_new && !f->over) {
        event_active(f->step, 0, 0);
        return;
    }
    judge(f, a);
    finish(f);
}

static const struct transfer_ops transfer_ops = {
    .on_head = on_head, .on_data = on_data, .on_done = on_done};

/* False when it concluded instead. */
static bool request(struct fetch *f)
{
    const struct part *p = &f->part;
    char range[64], if_range[PART_VALIDATOR_SIZE + 16];
    const char *headers[] = {range, if_range, NULL};
    struct client_request req = {
        .url = f->url,
        .headers = p->size != 0 ? headers : NULL,
        .max_body = f->max_size,
        .timeout_ms = f->deadline_ms - clock_mono_ms(),
        .low_speed_ms = LOW_SPEED_MS,
        .own_connection = true,
    };
    struct err err;

    snprintf(range, sizeof(range), "Range: bytes=%llu-", (unsigned long long)p->size);
    snprintf(if_range, sizeof(if_range), "If-Range: %s", p->validator);
    f->transfer = client_start(f->client, &req, &transfer_ops, f, &err);
    return f->transfer != NULL || conclude(f, FETCH_BAD, "%s", err.text);
}

static int prepare(struct fetch *f)
{
    struct part *p = &f->part;
    int rc;

    if (p->fd < 0)
        rc = part_open(p, f->dir_fd, f->name, f->keep_free);
    else if (f->start_new)
        rc = part_restart(p, "", 0);
    else
        return part_rehash(p);
    f->restarted = f->restarted || f->start_new;
    f->start_new = false;
    if (rc == 0 && p->size > f->max_size)
        rc = part_restart(p, "", 0);
    return rc < 0 ? rc : 1;
}

/* Opens the part, takes what it holds into the digest bit by bit, then asks for the rest. */
static void on_step(evutil_socket_t fd, short what, void *arg)
{
    struct fetch *f = arg;
    int rc = prepare(f);

    (void)fd;
    (void)what;
    if (rc == 1) {
        event_active(f->step, 0, 0);
        return;
    }
    if (rc == -EBUSY)
        conclude(f, FETCH_AGAIN, "another transfer is writing this file");
    else if (rc < 0)
        conclude_errno(f, rc, "opening the part");
    else if (request(f))
        return;
    finish(f);
}

static bool is_file_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL &&
           strlen(name) <= PART_NAME_MAX && str_is_utf8(name, strlen(name));
}

struct fetch *fetch_start(struct client *c, const struct fetch_request *req,
                          const struct fetch_ops *ops, void *ctx, struct err *err)
{
    struct fetch *f;

    if (!is_file_name(req->name)) {
        err_set(err, -EINVAL, "not the name of a file");
        return NULL;
    }
    f = mem_calloc(1, sizeof(*f));
    f->client = c;
    f->ops = ops;
    f->ctx = ctx;
    f->dir_fd = req->dir_fd;
    f->url = mem_strdup(req->url);
    f->name = mem_strdup(req->name);
    f->kind = req->kind;
    f->max_size = req->max_size;
    f->keep_free = req->keep_free;
    f->mode = req->mode;
    f->deadline_ms = clock_mono_ms() + req->timeout_ms;
    f->part.fd = f->part.meta_fd = -1;
    f->outcome.retry_after_ms = -1;
    f->step = event_new(client_base(c), -1, 0, on_step, f);
    if (f->step == NULL)
        abort();
    event_active(f->step, 0, 0);
    return f;
}

const char *fetch_extension(const struct fetch *f)
{
    return str_or(f->ext, "");
}

void fetch_cancel(struct fetch *f)
{
    if (f == NULL)
        return;
    part_keep(&f->part);
    fetch_free(f);
}

void fetch_sweep(int dir_fd, int64_t older_than_ms)
{
    part_sweep(dir_fd, (time_t)((clock_wall_ms() - older_than_ms) / 1000));
}
