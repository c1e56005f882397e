/* SPDX-License-Identifier: MIT */
#include "sim/sim_media.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/fs.h"
#include "http/server.h"
#include "sim/media_data.h"
#include "vidu/crypto.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <sys/queue.h>

#define MAX_FILE     ((size_t)1 << 30)
#define PIECE        ((size_t)64 * 1024)
#define SLOW_PIECE   ((size_t)4 * 1024)
#define SLOW_GAP_MS  100
#define FAST_GAP_MS  1
#define MAX_BACKLOG  ((size_t)1 << 20)
#define EXPIRED_BY_S 60
#define WAV_HEAD     44
#define WAV_RATE     8000 /* samples of one byte, in a second */
#define WAV_SAMPLES  (2 * WAV_RATE)

struct object {
    const char *type;
    const char *suffix;
    int lifetime_s;
    const uint8_t *data; /* NULL: made up */
    char *owned;         /* what data points into, when it came from a file */
    uint64_t size;
    char etag[2 + 16 + 1];
};

/* One body on its way. */
struct pump {
    LIST_ENTRY(pump) entry;
    struct server_request *req;
    struct event *timer;
    const struct object *object;
    uint64_t at, end;
    bool half; /* then end is where the connection breaks */
    bool slow;
};

struct sim_media {
    struct event_base *base;
    struct sim_ledger *ledger;
    struct object objects[SIM_MEDIA_KINDS];
    uint8_t secret[SHA256_LEN];
    char origin[112];
    int64_t modified_ms;
    LIST_HEAD(, pump) pumps;
};

struct range {
    int status; /* 200, 206 or 416 */
    uint64_t from, to;
};

/* -- what is served -- */

static void name_etag(struct object *o)
{
    uint8_t digest[SHA256_LEN];
    char hex[2 * SHA256_LEN + 1];

    if (o->data != NULL)
        crypto_sha256(o->data, o->size, digest);
    else
        crypto_sha256(&o->size, sizeof(o->size), digest);
    encode_hex(digest, sizeof(digest), hex);
    snprintf(o->etag, sizeof(o->etag), "\"%.16s\"", hex);
}

static int load_object(struct object *o, const char *path, struct err *err)
{
    size_t n;
    int rc;

    if (path == NULL)
        return 0;
    rc = fs_read_file(path, MAX_FILE, &o->owned, &n, err);
    if (rc != 0)
        return rc;
    if (n == 0)
        return err_set(err, -EINVAL, "%s is empty", path);
    o->data = (const uint8_t *)o->owned;
    o->size = n;
    return 0;
}

/* The first boxes of a made-up video: ftyp, and an mdat that holds all the rest. */
static void fill_head(uint64_t size, uint8_t head[48])
{
    static const uint8_t fixed[40] = "\0\0\0\x20"
                                     "ftypisom\0\0\2\0isomiso2avc1mp41"
                                     "\0\0\0\1mdat";

    memcpy(head, fixed, sizeof(fixed));
    for (int i = 0; i < 8; i++)
        head[40 + i] = (uint8_t)((size - 32) >> (56 - 8 * i));
}

static void read_object(const struct object *o, uint64_t from, uint8_t *out, size_t n)
{
    uint8_t head[48];

    if (o->data != NULL) {
        memcpy(out, o->data + from, n);
        return;
    }
    fill_head(o->size, head);
    for (size_t i = 0; i < n; i++) {
        uint64_t at = from + i;

        out[i] = at < sizeof(head) ? head[at] : (uint8_t)(at * 31 + (at >> 8) * 7);
    }
}

/* Two seconds of a tone of 200 Hz, as PCM of 8 bits. */
static void make_sound(struct object *o)
{
    static const uint8_t head[WAV_HEAD] = "RIFF\0\0\0\0WAVEfmt \x10\0\0\0\1\0\1\0"
                                          "\x40\x1f\0\0\x40\x1f\0\0\1\0\x8\0data";
    char *p = mem_calloc(WAV_HEAD + WAV_SAMPLES, 1);

    memcpy(p, head, sizeof(head));
    for (int i = 0; i < 4; i++) {
        p[4 + i] = (char)((WAV_HEAD - 8 + WAV_SAMPLES) >> (8 * i));
        p[40 + i] = (char)(WAV_SAMPLES >> (8 * i));
    }
    for (int i = 0; i < WAV_SAMPLES; i++) {
        int phase = i % (WAV_RATE / 200);

        p[WAV_HEAD + i] = (char)(88 + 4 * (phase < 20 ? phase : 40 - phase));
    }
    o->owned = p;
    o->data = (const uint8_t *)p;
    o->size = WAV_HEAD + WAV_SAMPLES;
}

/* The watermarked copy: the same video with a box behind it that players skip, so that its bytes
 * are others. A made-up one is longer by as much. */
static void make_marked(struct object *o, const struct object *video)
{
    static const uint8_t box[16] = "\0\0\0\x10"
                                   "freemarked";
    char *p;

    o->size = video->size + sizeof(box);
    if (video->data == NULL)
        return;
    p = mem_calloc(o->size, 1);
    memcpy(p, video->data, video->size);
    memcpy(p + video->size, box, sizeof(box));
    o->owned = p;
    o->data = (const uint8_t *)p;
}

/* -- signed URLs -- */

static void sign_path(const struct sim_media *m, const char *path, size_t n, int64_t expires_s,
                      char out[2 * SHA256_LEN + 1])
{
    uint8_t mac[SHA256_LEN];
    autofree char *text = mem_printf("%.*s\n%lld", (int)n, path, (long long)expires_s);

    crypto_hmac_sha256(m->secret, sizeof(m->secret), text, strlen(text), mac);
    encode_hex(mac, sizeof(mac), out);
}

static struct slice query_value(struct slice query, const char *name)
{
    size_t len = strlen(name);

    while (query.n != 0) {
        const char *amp = memchr(query.p, '&', query.n);
        size_t n = amp != NULL ? (size_t)(amp - query.p) : query.n;

        if (n > len && query.p[len] == '=' && memcmp(query.p, name, len) == 0)
            return (struct slice){query.p + len + 1, n - len - 1};
        n += amp != NULL;
        query = (struct slice){query.p + n, query.n - n};
    }
    return (struct slice){"", 0};
}

/* NULL, or why this URL opens nothing. */
static const char *denied(const struct sim_media *m, const struct head *head)
{
    struct slice expires = query_value(head->query, "expires");
    struct slice given = query_value(head->query, "sig");
    char expected[2 * SHA256_LEN + 1];
    uint64_t expires_s;
    size_t n;

    if (!slice_is(head->method, "GET"))
        return "SignatureDoesNotMatch";
    if (head_field(head, "Authorization", &n) != NULL || n != 0)
        return "InvalidArgument";
    if (str_to_u64(expires.p, expires.n, INT64_MAX / 1000, &expires_s) != 0)
        return "AccessDenied";
    sign_path(m, head->path.p, head->path.n, (int64_t)expires_s, expected);
    if (!slice_is(given, expected))
        return "SignatureDoesNotMatch";
    return (int64_t)expires_s * 1000 < clock_wall_ms() ? "ExpiredToken" : NULL;
}

/* -- ranges -- */

/* "bytes=A-B", "bytes=A-" or "bytes=-N"; anything else asks for the whole. */
static struct range parse_range(struct slice s, uint64_t size)
{
    struct range whole = {200, 0, size};
    const char *dash;
    struct slice first;
    struct slice last;
    uint64_t a = 0;
    uint64_t b = size - 1;

    if (s.n < 7 || memcmp(s.p, "bytes=", 6) != 0)
        return whole;
    s = (struct slice){s.p + 6, s.n - 6};
    dash = memchr(s.p, '-', s.n);
    if (dash == NULL)
        return whole;
    first = (struct slice){s.p, (size_t)(dash - s.p)};
    last = (struct slice){dash + 1, s.n - first.n - 1};
    if ((first.n != 0 && str_to_u64(first.p, first.n, INT64_MAX, &a) != 0) ||
        (last.n != 0 && str_to_u64(last.p, last.n, INT64_MAX, &b) != 0) || first.n + last.n == 0 ||
        (first.n != 0 && last.n != 0 && b < a))
        return whole;
    if (first.n == 0) {
        if (b == 0)
            return (struct range){416, 0, 0};
        a = b < size ? size - b : 0;
        b = size - 1;
    }
    if (a >= size)
        return (struct range){416, 0, 0};
    return (struct range){206, a, (b < size ? b : size - 1) + 1};
}

static struct range range_of(const struct object *o, const struct head *head)
{
    size_t n;
    const struct head_field *range = head_field(head, "Range", &n);
    const struct head_field *condition = head_field(head, "If-Range", &n);

    if (range == NULL || (condition != NULL && !slice_is(condition->value, o->etag)))
        return (struct range){200, 0, o->size};
    return parse_range(range->value, o->size);
}

/* -- bodies on their way -- */

static void pump_free(struct pump *p)
{
    LIST_REMOVE(p, entry);
    event_free(p->timer);
    free(p);
}

static void pump_finish(struct pump *p)
{
    if (p->half)
        server_stream_abort(p->req);
    else
        server_stream_end(p->req);
    pump_free(p);
}

static void pump_write(struct pump *p, size_t most)
{
    uint8_t piece[PIECE];
    uint64_t left = p->end - p->at;
    size_t n = left < most ? (size_t)left : most;

    read_object(p->object, p->at, piece, n);
    server_stream_write(p->req, piece, n);
    p->at += n;
}

static void on_pump(evutil_socket_t fd, short what, void *ctx)
{
    struct pump *p = ctx;
    int64_t gap_ms = p->slow ? SLOW_GAP_MS : FAST_GAP_MS;
    struct timeval gap = {0, gap_ms * 1000};
    bool gone = server_request_gone(p->req);

    (void)fd;
    (void)what;
    if (p->slow && !gone)
        pump_write(p, SLOW_PIECE);
    while (!p->slow && !gone && p->at < p->end && server_stream_backlog(p->req) < MAX_BACKLOG)
        pump_write(p, PIECE);
    if (gone || p->at == p->end)
        pump_finish(p);
    else
        event_add(p->timer, &gap);
}

static void pump_start(struct sim_media *m, struct server_request *req, const struct object *o,
                       const struct range *range, bool half, bool slow)
{
    struct pump *p = mem_calloc(1, sizeof(*p));

    p->req = req;
    p->object = o;
    p->at = range->from;
    p->end = half ? range->from + (range->to - range->from) / 2 : range->to;
    p->half = half;
    p->slow = slow;
    p->timer = evtimer_new(m->base, on_pump, p);
    LIST_INSERT_HEAD(&m->pumps, p, entry);
    event_active(p->timer, EV_TIMEOUT, 0);
}

static void reply_denied(struct sim_media *m, struct server_request *req, const char *code)
{
    static const struct server_header headers[] = {{"Content-Type", "application/xml"},
                                                   {NULL, NULL}};
    const struct head *head = server_request_head(req);
    int status = str_eq(code, "InvalidArgument") ? 400 : 403;
    autofree char *body = mem_printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                                     "<Error><Code>%s</Code></Error>",
                                     code);

    sim_ledger_event(m->ledger, "media", LOG_B("path", head->path.p, head->path.n),
                     LOG_B("method", head->method.p, head->method.n), LOG_I("status", status),
                     LOG_S("reason", code));
    server_reply(req, status, headers, body, strlen(body));
}

static void reply_body(struct sim_media *m, struct server_request *req, const struct object *o,
                       const struct range *range, bool half, bool slow)
{
    char modified[30];
    autofree char *length = mem_printf("%llu", (unsigned long long)(range->to - range->from));
    autofree char *content_range =
        range->status == 416
            ? mem_printf("bytes */%llu", (unsigned long long)o->size)
            : mem_printf("bytes %llu-%llu/%llu", (unsigned long long)range->from,
                         (unsigned long long)range->to - 1, (unsigned long long)o->size);
    const struct server_header headers[] = {
        {"Content-Type", o->type},
        {"Accept-Ranges", "bytes"},
        {"ETag", o->etag},
        {"Last-Modified", modified},
        {"Content-Length", length},
        {range->status == 200 ? NULL : "Content-Range", content_range},
        {NULL, NULL},
    };
    const struct server_header beyond[] = {{"Content-Range", content_range}, {NULL, NULL}};

    clock_format_http(m->modified_ms, modified);
    if (range->status == 416) {
        server_reply(req, 416, beyond, NULL, 0);
        return;
    }
    server_stream_begin(req, range->status, headers);
    pump_start(m, req, o, range, half, slow);
}

int sim_media_new(struct event_base *base, const struct sim_options *opt, const char *address,
                  struct sim_ledger *ledger, struct sim_media **out, struct err *err)
{
    struct sim_media *m = mem_calloc(1, sizeof(*m));

    m->base = base;
    m->ledger = ledger;
    m->modified_ms = clock_wall_ms();
    snprintf(m->origin, sizeof(m->origin), "http://%s", address);
    crypto_random(m->secret, sizeof(m->secret));
    m->objects[SIM_VIDEO] = (struct object){.type = "video/mp4",
                                            .suffix = ".mp4",
                                            .lifetime_s = 86400,
                                            .data = sim_clip_mp4,
                                            .size = sim_clip_mp4_len};
    m->objects[SIM_SOUND] =
        (struct object){.type = "audio/wav", .suffix = ".wav", .lifetime_s = 86400};
    make_sound(&m->objects[SIM_SOUND]);
    m->objects[SIM_STILL] = (struct object){.type = "image/jpeg",
                                            .suffix = ".jpg",
                                            .lifetime_s = 3600,
                                            .data = sim_cover_jpg,
                                            .size = sim_cover_jpg_len};
    m->objects[SIM_MARKED] =
        (struct object){.type = "video/mp4", .suffix = "-marked.mp4", .lifetime_s = 86400};
    if (opt->media_size != 0) {
        m->objects[SIM_VIDEO].data = NULL;
        m->objects[SIM_VIDEO].size = opt->media_size;
    }
    if (load_object(&m->objects[SIM_VIDEO], opt->media_file, err) != 0 ||
        load_object(&m->objects[SIM_STILL], opt->cover_file, err) != 0) {
        sim_media_free(m);
        return -EIO;
    }
    make_marked(&m->objects[SIM_MARKED], &m->objects[SIM_VIDEO]);
    for (size_t i = 0; i < SIM_MEDIA_KINDS; i++)
        name_etag(&m->objects[i]);
    *out = m;
    return 0;
}

void sim_media_free(struct sim_media *m)
{
    if (m == NULL)
        return;
    while (!LIST_EMPTY(&m->pumps)) {
        server_stream_abort(LIST_FIRST(&m->pumps)->req);
        pump_free(LIST_FIRST(&m->pumps));
    }
    for (size_t i = 0; i < SIM_MEDIA_KINDS; i++)
        free(m->objects[i].owned);
    free(m);
}

void sim_media_url(const struct sim_media *m, const char *creation, enum sim_media_kind kind,
                   bool expired, struct buf *out)
{
    const struct object *o = &m->objects[kind];
    int64_t now_s = clock_wall_ms() / 1000;
    int64_t expires_s = expired ? now_s - EXPIRED_BY_S : now_s + o->lifetime_s;
    autofree char *path = mem_printf("/media/%s%s", creation, o->suffix);
    char sig[2 * SHA256_LEN + 1];

    sign_path(m, path, strlen(path), expires_s, sig);
    buf_addf(out,
             "%s%s?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=%d&expires=%lld"
             "&response-content-disposition=attachment%%3Bfilename%%3D%s%s&x-id=GetObject&sig=%s",
             m->origin, path, o->lifetime_s, (long long)expires_s, creation, o->suffix, sig);
}

bool sim_media_name(const struct sim_media *m, struct slice name, struct slice *creation,
                    enum sim_media_kind *kind)
{
    for (size_t i = SIM_MEDIA_KINDS; i-- > 0;) { /* -marked.mp4 before .mp4 */
        const char *suffix = m->objects[i].suffix;
        size_t n = strlen(suffix);

        if (name.n <= n || memcmp(name.p + name.n - n, suffix, n) != 0)
            continue;
        *creation = (struct slice){name.p, name.n - n};
        *kind = (enum sim_media_kind)i;
        return true;
    }
    return false;
}

bool sim_media_serve(struct sim_media *m, struct server_request *req, enum sim_media_kind kind,
                     bool half, bool slow)
{
    const struct object *o = &m->objects[kind];
    const struct head *head = server_request_head(req);
    const char *reason = denied(m, head);
    struct range range;

    if (reason != NULL) {
        reply_denied(m, req, reason);
        return false;
    }
    range = range_of(o, head);
    sim_ledger_event(m->ledger, "media", LOG_B("path", head->path.p, head->path.n),
                     LOG_B("method", head->method.p, head->method.n), LOG_I("status", range.status),
                     LOG_I("from", range.from), LOG_I("to", range.to),
                     LOG_I("half", half && range.status != 416));
    reply_body(m, req, o, &range, half, slow);
    return range.status != 416;
}
