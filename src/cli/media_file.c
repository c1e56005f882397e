/* SPDX-License-Identifier: MIT */
#include "cli/media_file.h"

#include "base/encode.h"
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC_BYTES   64
#define DATA_URI_HEAD 64 /* room for data:video/quicktime;base64, */

static const struct kind {
    const char *option, *formats;
    uint64_t most; /* bytes of a file */
} kinds[] = {
    [MEDIA_IMAGE] = {"image", "PNG, JPEG or WebP", REQUEST_MAX_IMAGE},
    [MEDIA_VIDEO] = {"video", "MP4, MOV or AVI", REQUEST_MAX_BODY / 4 * 3},
    [MEDIA_AUDIO] = {"audio", "MP3, M4A or WAV", REQUEST_MAX_BODY / 4 * 3},
};

const char *media_option(enum media_kind kind)
{
    return kinds[kind].option;
}

/* -- what there is -- */

static struct media_file *find(const struct media_files *files, const char *name)
{
    for (size_t i = 0; i < files->n; i++)
        if (str_eq(files->v[i].name, name))
            return &files->v[i];
    return NULL;
}

static int too_big(enum media_kind kind, const char *name, uint64_t size, struct err *err)
{
    char have[16], most[16];

    if (kind == MEDIA_IMAGE)
        return err_set(err, -EFBIG, "%s: an image may have at most %u MiB", name,
                       REQUEST_MAX_IMAGE >> 20);
    str_from_bytes(size, have);
    str_from_bytes(kinds[kind].most, most);
    return err_set(err, -EFBIG,
                   "%s has %s; a request of at most %u MiB, in base64, has room for %s: put it on "
                   "a server and give its URL",
                   name, have, REQUEST_MAX_BODY >> 20, most);
}

static int list_file(struct media_files *files, enum media_kind kind, const char *name,
                     struct err *err)
{
    struct media_file *known = find(files, name);
    struct stat st;

    if (known != NULL) {
        known->times++;
        return 0;
    }
    if (stat(name, &st) < 0)
        return err_sys(err, -errno, "%s", name);
    if (S_ISREG(st.st_mode) && (uint64_t)st.st_size > kinds[kind].most)
        return too_big(kind, name, (uint64_t)st.st_size, err);
    files->v = mem_realloc(files->v, files->n + 1, sizeof(*files->v));
    files->v[files->n++] = (struct media_file){
        .name = mem_strdup(name), .kind = kind, .size = (uint64_t)st.st_size, .times = 1};
    return 0;
}

int media_file_list_beside(struct media_files *files, enum media_kind kind, const char *name,
                           struct err *err)
{
    int rc = list_file(files, kind, name, err);

    if (rc == 0)
        find(files, name)->beside = true;
    return rc;
}

const struct media_file *media_files_beside(const struct media_files *files)
{
    for (size_t i = 0; i < files->n; i++)
        if (files->v[i].beside)
            return &files->v[i];
    return NULL;
}

static int not_one(enum media_kind kind, const char *name, struct err *err)
{
    return err_set(err, -EINVAL, "%s: this is no %s %s", name, kinds[kind].formats,
                   kind == MEDIA_AUDIO ? "sound" : kinds[kind].option);
}

int media_file_open(const struct media_file *f, int *fd, const char **type, struct err *err)
{
    autoclose int opened = open(f->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char magic[MAGIC_BYTES];
    ssize_t n = opened >= 0 ? pread(opened, magic, sizeof(magic), 0) : -1;

    if (n < 0)
        return err_sys(err, -errno, "%s", f->name);
    *type = request_media_type(f->kind, magic, (size_t)n);
    if (*type == NULL)
        return not_one(f->kind, f->name, err);
    *fd = opened;
    opened = -1;
    return 0;
}

/* -- which way it goes -- */

static uint64_t inline_size(const struct media_file *f)
{
    return f->beside ? 0 : f->times * (BASE64_LEN(f->size) + DATA_URI_HEAD);
}

static bool may_upload(const struct media_file *f, const struct provider_profile *profile)
{
    return profile->upload != NULL && f->kind == MEDIA_IMAGE && !f->upload &&
           f->size <= REQUEST_MAX_UPLOAD;
}

/* The largest one that can be uploaded and is not yet going to be. */
static struct media_file *next_to_upload(const struct media_files *files,
                                         const struct provider_profile *profile)
{
    struct media_file *largest = NULL;

    for (size_t i = 0; i < files->n; i++)
        if (may_upload(&files->v[i], profile) &&
            (largest == NULL || files->v[i].size > largest->size))
            largest = &files->v[i];
    return largest;
}

static int does_not_fit(uint64_t total, const struct provider_profile *profile, struct err *err)
{
    char have[16];
    autofree char *other =
        profile->upload != NULL
            ? mem_printf("only images of up to %u MiB can be uploaded", REQUEST_MAX_UPLOAD >> 20)
            : mem_printf("%s has no way to upload one", profile->name);

    str_from_bytes(total, have);
    return err_set(err, -EFBIG,
                   "the request would have %s (%llu bytes) and a provider takes at most %u MiB "
                   "(%u bytes); base64 adds a third to every file, and %s: use smaller ones, or "
                   "URLs",
                   have, (unsigned long long)total, REQUEST_MAX_BODY >> 20, REQUEST_MAX_BODY,
                   other);
}

int media_files_choose(struct media_files *files, size_t rest,
                       const struct provider_profile *profile, struct err *err)
{
    uint64_t total = rest;

    for (size_t i = 0; i < files->n; i++)
        total += inline_size(&files->v[i]);
    while (total > REQUEST_MAX_BODY) {
        struct media_file *f = next_to_upload(files, profile);

        if (f == NULL)
            return does_not_fit(total, profile, err);
        f->upload = true;
        total -= inline_size(f);
    }
    return 0;
}

size_t media_files_to_upload(const struct media_files *files)
{
    size_t n = 0;

    for (size_t i = 0; i < files->n; i++)
        n += files->v[i].upload && files->v[i].uri == NULL;
    return n;
}

void media_files_clear(struct media_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        free(files->v[i].name);
        free(files->v[i].uri);
    }
    free(files->v);
    *files = (struct media_files){0};
}

/* -- what stands in the request -- */

static int read_file(enum media_kind kind, const char *name, json_t **out, struct err *err)
{
    const struct kind *k = &kinds[kind];
    autofree char *bytes = NULL;
    autobuf struct buf uri = BUF_INIT(BASE64_LEN((size_t)REQUEST_MAX_IMAGE) + DATA_URI_HEAD);
    size_t len;
    int rc = fs_read_file(name, k->most, &bytes, &len, err);

    if (rc == -EFBIG)
        return too_big(kind, name, k->most + 1, err);
    if (rc < 0)
        return rc;
    if (request_media_uri(kind, bytes, len, &uri) < 0)
        return not_one(kind, name, err);
    *out = json_stringn(buf_text(&uri), uri.len);
    return 0;
}

int media_file_value(struct media_files *files, enum media_kind kind, const char *name,
                     json_t **out, struct err *err)
{
    const struct media_file *f = NULL;
    int rc;

    if (request_is_media_reference(name)) {
        *out = json_string(name);
        return 0;
    }
    if (files->listing) {
        rc = list_file(files, kind, name, err);
        if (rc == 0)
            *out = json_string("");
        return rc;
    }
    f = find(files, name);
    if (f == NULL || !f->upload)
        return read_file(kind, name, out, err);
    *out = f->uri != NULL ? json_string(f->uri)
                          : json_sprintf("[%s, %llu bytes, uploaded beforehand]", name,
                                         (unsigned long long)f->size);
    return 0;
}
