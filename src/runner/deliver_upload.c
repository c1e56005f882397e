/* SPDX-License-Identifier: MIT */
#include "runner/deliver_upload.h"

#include "vidu/document.h"
#include "vidu/percent.h"
#include "vidu/s3_sign.h"

#include <errno.h>
#include <string.h>

#define URL_MAX 8192

/* The first is 0: where every exchange begins. FOLDER goes up until one can be made, DOWN makes the
 * others below it. */
enum phase { PHASE_FOLDER, PHASE_DOWN, PHASE_LOOK, PHASE_PUT, PHASE_MOVE };
#define FOLDERS_MAX 16

static const json_t *file_of(const struct deliver_exchange *x)
{
    return json_array_get(json_object_get(x->local, "files"), x->file);
}

static const char *name_of(const struct deliver_exchange *x)
{
    const char *path = document_member(file_of(x), "path");
    const char *slash = strrchr(path, '/');

    return slash != NULL ? slash + 1 : path;
}

/* Media servers go by this; the extension is ours. */
const char *deliver_type_of(const char *name)
{
    static const char *const types[][2] = {{".mp4", "video/mp4"},   {".jpg", "image/jpeg"},
                                           {".png", "image/png"},   {".webp", "image/webp"},
                                           {".gif", "image/gif"},   {".mp3", "audio/mpeg"},
                                           {".wav", "audio/wav"},   {".m4a", "audio/mp4"},
                                           {".flac", "audio/flac"}, {".ogg", "audio/ogg"}};

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (str_ends(name, types[i][0]))
            return types[i][1];
    return "application/octet-stream";
}

static bool is_folder(const struct deliver_exchange *x)
{
    return x->phase == PHASE_FOLDER || x->phase == PHASE_DOWN;
}

/* How much of a folder's URL is that of the folder so many above it; 0: there is none. */
static size_t cut_folders(const char *url, size_t n, size_t up)
{
    const char *path = strchr(url + strcspn(url, ":") + strlen("://"), '/');
    size_t least = path != NULL ? (size_t)(path - url) + 1 : n;

    while (n > least && url[n - 1] == '/')
        n--;
    while (up-- > 0) {
        while (n > least && url[n - 1] != '/')
            n--;
        while (n > least && url[n - 1] == '/')
            n--;
    }
    return n > least ? n : 0;
}

/* The configured folder, one slash, prefix, the file's name, suffix. */
static void add_url(const struct deliver_exchange *x, const char *prefix, const char *suffix,
                    struct buf *out)
{
    autobuf struct buf folder = BUF_INIT(URL_MAX);
    size_t n;

    deliver_url(x->action, x->context, &folder);
    out->overflow = out->overflow || !buf_ok(&folder); /* what is left of it is another place */
    n = folder.len;
    while (n > 0 && buf_text(&folder)[n - 1] == '/')
        n--;
    if (is_folder(x) && x->up != 0)
        n = cut_folders(buf_text(&folder), n, x->up);
    buf_add(out, buf_text(&folder), n);
    buf_addc(out, '/');
    if (is_folder(x))
        return;
    buf_adds(out, prefix);
    percent_encode(name_of(x), strlen(name_of(x)), out);
    buf_adds(out, suffix);
}

static void prepare_file(const struct deliver_exchange *x, struct deliver_request *r)
{
    r->upload = document_member(file_of(x), "path");
    deliver_add_type(r, deliver_type_of(name_of(x)));
}

static int next_file(struct deliver_exchange *x)
{
    x->file++;
    x->phase = PHASE_LOOK;
    return x->file < json_array_size(json_object_get(x->local, "files"));
}

/* Something of this name is there: from an attempt whose answer was lost, or not ours. */
static int compare(struct deliver_exchange *x, const char *length, struct err *err)
{
    json_int_t bytes = json_integer_value(json_object_get(file_of(x), "bytes"));
    uint64_t there = 0;

    if (length == NULL || str_to_u64(length, strlen(length), INT64_MAX, &there) < 0 ||
        (json_int_t)there != bytes)
        return err_set(err, -ENOENT, "another file named %s is there already; it is left alone",
                       name_of(x));
    return next_file(x);
}

static int accept_look(struct deliver_exchange *x, const struct deliver_answer *a, struct err *err)
{
    if (a->status / 100 == 2)
        return compare(x, a->length, err);
    x->phase = PHASE_PUT;
    return 1;
}

/* ---- webdav ---- */

static const struct {
    const char *method, *prefix, *suffix;
} requests[] = {
    [PHASE_FOLDER] = {"MKCOL", "", ""},   [PHASE_DOWN] = {"MKCOL", "", ""},
    [PHASE_LOOK] = {"HEAD", "", ""},      [PHASE_PUT] = {"PUT", ".", ".tmp"},
    [PHASE_MOVE] = {"MOVE", ".", ".tmp"},
};

int deliver_webdav_prepare(const struct deliver_exchange *x, struct deliver_request *r,
                           struct err *err)
{
    autobuf struct buf target = BUF_INIT(URL_MAX);

    r->method = requests[x->phase].method;
    r->url = BUF_INIT(URL_MAX);
    add_url(x, requests[x->phase].prefix, requests[x->phase].suffix, &r->url);
    deliver_headers(x->action, x->context, r);
    if (x->phase == PHASE_PUT)
        prepare_file(x, r);
    if (x->phase == PHASE_MOVE) {
        add_url(x, "", "", &target);
        deliver_add_line(r, "Destination: %s", buf_text(&target));
        deliver_add_line(r, "Overwrite: F");
    }
    return buf_ok(&r->url) ? 0 : err_set(err, -EINVAL, "the URL is too long");
}

/* The one above is missing: 409 by RFC 4918 9.3.1, 404 of some servers. */
static bool may_go_up(const struct deliver_exchange *x, int status)
{
    autobuf struct buf folder = BUF_INIT(URL_MAX);

    if (x->phase != PHASE_FOLDER || (status != 409 && status != 404) || x->up == FOLDERS_MAX)
        return false;
    deliver_url(x->action, x->context, &folder);
    return cut_folders(buf_text(&folder), folder.len, x->up + 1) != 0;
}

bool deliver_webdav_expects(const struct deliver_exchange *x, int status)
{
    return (is_folder(x) && status == 405) || /* it is there */
           may_go_up(x, status) || (x->phase == PHASE_LOOK && status == 404) ||
           (x->phase == PHASE_MOVE && status == 412);
}

int deliver_webdav_accept(struct deliver_exchange *x, const struct deliver_answer *a,
                          struct err *err)
{
    switch ((enum phase)x->phase) {
    case PHASE_FOLDER:
    case PHASE_DOWN:
        if (may_go_up(x, a->status)) {
            x->up++;
            return 1;
        }
        x->phase = x->up > 0 ? PHASE_DOWN : PHASE_LOOK;
        x->up -= x->up > 0;
        return 1;
    case PHASE_LOOK:
        return accept_look(x, a, err);
    case PHASE_PUT:
        x->phase = PHASE_MOVE;
        return 1;
    default:
        if (a->status == 412)
            return err_set(err, -EEXIST, "%s has come there in the meantime", name_of(x));
        return next_file(x);
    }
}

/* ---- s3 ---- */

static void sign(const struct deliver_exchange *x, const char *payload, struct deliver_request *r)
{
    struct s3_request request = {.access_key = document_member(x->action, "user"),
                                 .secret_key = document_member(x->action, "token"),
                                 .region = document_member(x->action, "region"),
                                 .method = r->method,
                                 .url = buf_text(&r->url),
                                 .payload = payload,
                                 .now_s = x->now_s};
    char *lines[S3_LINES];

    s3_sign(&request, lines);
    for (size_t i = 0; i < S3_LINES; i++) {
        deliver_add_line(r, "%s", lines[i]);
        free(lines[i]);
    }
}

/* There are no folders to be made. */
static bool is_put(const struct deliver_exchange *x)
{
    return x->phase == PHASE_PUT;
}

int deliver_s3_prepare(const struct deliver_exchange *x, struct deliver_request *r, struct err *err)
{
    struct deliver_exchange at = *x;

    if (at.phase == PHASE_FOLDER)
        at.phase = PHASE_LOOK;
    r->method = requests[at.phase].method;
    r->url = BUF_INIT(URL_MAX);
    add_url(&at, "", "", &r->url);
    deliver_headers(x->action, x->context, r);
    if (is_put(x))
        prepare_file(x, r);
    sign(x, is_put(x) ? document_member(file_of(x), "sha256") : S3_NO_PAYLOAD, r);
    return buf_ok(&r->url) ? 0 : err_set(err, -EINVAL, "the URL is too long");
}

/* Who may only write is told 403 of what is not there. */
bool deliver_s3_expects(const struct deliver_exchange *x, int status)
{
    return !is_put(x) && (status == 404 || status == 403);
}

int deliver_s3_accept(struct deliver_exchange *x, const struct deliver_answer *a, struct err *err)
{
    return is_put(x) ? next_file(x) : accept_look(x, a, err);
}
