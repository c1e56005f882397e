/* SPDX-License-Identifier: MIT */
#include "runner/download_beside.h"

#include "base/encode.h"
#include "base/fs.h"
#include "vidu/crypto.h"
#include "vidu/library.h"
#include "vidu/nfo.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIDECAR_MAX (1U << 20)
#define TAGS_MAX    64

static const char *text_at(const json_t *object, const char *member)
{
    return str_or(json_string_value(json_object_get(object, member)), "");
}

static void add_file(const struct download_folder *folder, const char *name, const char *kind,
                     json_int_t bytes, const char *sha256, json_t *files)
{
    autofree char *path = fs_join(folder->path, name);
    json_t *file = json_pack("{s:s, s:s, s:I, s:s}", "path", path, "kind", kind, "bytes", bytes,
                             "sha256", sha256);

    if (file == NULL || json_array_append_new(files, file) < 0)
        abort();
}

/* ---- a small file of ours ---- */

static bool holds(int dir_fd, const char *name, const struct buf *content)
{
    autoclose int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    autofree char *found = NULL;
    size_t n;

    return fd >= 0 && fs_read_fd(fd, content->max, &found, &n) == 0 && n == content->len &&
           memcmp(found, buf_text(content), n) == 0;
}

static int write_synced(int dir_fd, const char *temp, const struct buf *content, mode_t mode)
{
    autoclose int fd =
        openat(dir_fd, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int rc;

    if (fd < 0)
        return -errno;
    rc = fs_write_all(fd, content->data, content->len);
    return rc == 0 && (fchmod(fd, mode) < 0 || fsync(fd) < 0) ? -errno : rc;
}

/* -EEXIST: another content stands under that name and stays. */
static int write_new(int dir_fd, const char *name, const struct buf *content, mode_t mode)
{
    autofree char *temp = mem_printf(".%s.part", name);
    int rc;

    if (holds(dir_fd, name, content))
        return 0;
    if (unlinkat(dir_fd, temp, 0) < 0 && errno != ENOENT) /* of an attempt that was cut off */
        return -errno;
    rc = write_synced(dir_fd, temp, content, mode);
    if (rc == 0)
        rc = fs_take_name(dir_fd, temp, name);
    if (rc < 0)
        unlinkat(dir_fd, temp, 0);
    return rc;
}

static void note(struct buf *notes, const char *name, int rc)
{
    if (rc == -EEXIST)
        buf_addf(notes, "; %s: another one is there and stays", name);
    else if (rc < 0)
        buf_addf(notes, "; no %s: %s", name, strerror(-rc));
}

static void add_written(const struct download_folder *folder, const char *name, const char *kind,
                        const struct buf *content, json_t *files)
{
    uint8_t digest[SHA256_LEN];
    char sha256[SHA256_HEX_LEN + 1];

    crypto_sha256(content->data, content->len, digest);
    encode_hex(digest, sizeof(digest), sha256);
    add_file(folder, name, kind, (json_int_t)content->len, sha256, files);
}

static void write_beside(const struct download_folder *folder, const json_t *action,
                         const char *name, const char *kind, const struct buf *content,
                         json_t *files, struct buf *notes)
{
    int rc = buf_ok(content) ? write_new(folder->fd, name, content, download_mode(action)) : -EFBIG;

    note(notes, name, rc);
    if (rc == 0)
        add_written(folder, name, kind, content, files);
}

/* ---- description and sidecar ---- */

struct tag_list {
    const char *v[TAGS_MAX];
    char *owned[TAGS_MAX];
    size_t n;
};

/* The model, then "album=x" or, without a value, "album". */
static void collect_tags(const json_t *task, struct tag_list *tags)
{
    const char *name;
    json_t *value;

    if (*text_at(task, "model") != '\0')
        tags->v[tags->n++] = text_at(task, "model");
    json_object_foreach (json_object_get(task, "tags"), name, value) {
        const char *text = str_or(json_string_value(value), "");

        if (tags->n == TAGS_MAX)
            break;
        tags->owned[tags->n] = mem_printf("%s%s%s", name, *text != '\0' ? "=" : "", text);
        tags->v[tags->n] = tags->owned[tags->n];
        tags->n++;
    }
}

static void describe(const json_t *context, size_t creation, struct buf *out)
{
    const json_t *task = json_object_get(context, "task");
    const char *prompt = text_at(task, "prompt");
    struct tag_list tags = {.n = 0};
    struct nfo nfo = {.title = *prompt != '\0' ? prompt : text_at(task, "endpoint"),
                      .plot = prompt,
                      .created_at = text_at(task, "created_at"),
                      .finished_at = text_at(task, "finished_at"),
                      .task_id = text_at(task, "id"),
                      .tags = tags.v,
                      .number = creation + 1};

    collect_tags(task, &tags);
    nfo.n_tags = tags.n;
    nfo_write(&nfo, out);
    for (size_t i = 0; i < tags.n; i++)
        free(tags.owned[i]);
}

/* The addresses are left out: they are secrets for a day and worthless afterwards. */
static void sidecar(const json_t *context, size_t creation, struct buf *out)
{
    const json_t *result = json_array_get(json_object_get(context, "result"), creation);
    json_t *all =
        json_pack("{s:O, s:{s:s, s:I}}", "task", json_object_get(context, "task"), "creation", "id",
                  text_at(result, "id"), "number", (json_int_t)creation + 1);
    autofree char *text = json_dumps(all, JSON_INDENT(2));

    buf_adds(out, str_or(text, "{}"));
    buf_addc(out, '\n');
    json_decref(all);
}

void download_describe(const struct download_folder *folder, const json_t *action,
                       const json_t *context, size_t creation, const char *name, json_t *files,
                       struct buf *notes)
{
    autofree char *stem = download_strip_extension(name);
    autofree char *nfo = mem_printf("%s.nfo", stem);
    autofree char *json = mem_printf("%s.json", stem);
    autobuf struct buf nfo_text = BUF_INIT(NFO_MAX);
    autobuf struct buf json_text = BUF_INIT(SIDECAR_MAX);

    if (json_is_true(json_object_get(action, "nfo")) && str_ends(name, ".mp4")) {
        describe(context, creation, &nfo_text);
        write_beside(folder, action, nfo, "nfo", &nfo_text, files, notes);
    }
    if (json_is_true(json_object_get(action, "sidecar"))) {
        sidecar(context, creation, &json_text);
        write_beside(folder, action, json, "sidecar", &json_text, files, notes);
    }
}

/* ---- posters ---- */

static int link_one(int dir_fd, const char *from, const char *to)
{
    struct stat a, b;

    if (linkat(dir_fd, from, dir_fd, to, 0) == 0)
        return 0;
    if (errno != EEXIST)
        return -errno;
    return fstatat(dir_fd, from, &a, AT_SYMLINK_NOFOLLOW) == 0 &&
                   fstatat(dir_fd, to, &b, AT_SYMLINK_NOFOLLOW) == 0 && a.st_ino == b.st_ino &&
                   a.st_dev == b.st_dev
               ? 0
               : -EEXIST;
}

void download_link_posters(const struct download_folder *folder, const json_t *action,
                           const json_t *cover, json_t *files, struct buf *notes)
{
    const char *path = text_at(cover, "path");
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    autofree char *stem = download_strip_extension(name);
    const char *ext = name + strlen(stem);
    char *names[] = {mem_printf("%s-poster%s", stem, ext), mem_printf("%s-thumb%s", stem, ext),
                     mem_printf("poster%s", ext)};
    bool own_folder = library_layout_kind(download_layout(action)) == LAYOUT_FOLDER;

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        int rc = i < 2 || own_folder ? link_one(folder->fd, name, names[i]) : -ENOENT;

        if (i < 2 || own_folder)
            note(notes, names[i], rc);
        if (rc == 0)
            add_file(folder, names[i], i == 1 ? "thumb" : "poster",
                     json_integer_value(json_object_get(cover, "bytes")), text_at(cover, "sha256"),
                     files);
        free(names[i]);
    }
    if (fsync(folder->fd) < 0)
        note(notes, "poster", -errno);
}
