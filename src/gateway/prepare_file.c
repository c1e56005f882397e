/*
 * The file of a form: a client hands over its descriptor, and the form is built around it.
 *
 * SPDX-License-Identifier: MIT
 */
#include "gateway/prepare.h"
#include "vidu/form.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC_BYTES 64
#define BOUNDARY    "boundary="

/* Its type, or NULL with err. */
static const char *look_at(int fd, uint64_t *size, struct err *err)
{
    char magic[MAGIC_BYTES];
    struct stat st;
    const char *type = NULL;
    ssize_t n;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        err_set(err, -EINVAL, "the file is no regular file");
    else if (st.st_size > (off_t)REQUEST_MAX_IMAGE)
        err_set(err, -EFBIG, "the file has %lld bytes, and an image at most %u",
                (long long)st.st_size, REQUEST_MAX_IMAGE);
    else if ((n = pread(fd, magic, sizeof(magic), 0)) < 0)
        err_sys(err, -errno, "the file");
    else if ((type = request_media_type(MEDIA_IMAGE, magic, (size_t)n)) == NULL)
        err_set(err, -EINVAL, "the file is no PNG, JPEG or WebP image");
    else
        *size = (uint64_t)st.st_size;
    return type;
}

/* In the place of the text of a field stands what the file was; false when there is such a text. */
static bool note_file(struct prepared *p, const char *field, const char *type, uint64_t size)
{
    json_t *summary = json_loads(p->summary, 0, NULL);
    bool fresh = json_object_get(summary, field) == NULL;

    if (fresh) {
        json_object_set_new(summary, field,
                            json_sprintf("[%s %llu bytes]", type, (unsigned long long)size));
        free(p->summary);
        p->summary = json_dumps(summary, JSON_COMPACT);
    }
    json_decref(summary);
    return fresh;
}

int prepared_add_file(struct prepared *p, int fd, struct err *err)
{
    const struct endpoint *e = endpoint_find(p->endpoint);
    const char *boundary = p->content_type != NULL ? strstr(p->content_type, BOUNDARY) : NULL;
    const char *type;
    uint64_t size;
    size_t at;
    int copy;

    if (e == NULL || e->form != ENDPOINT_MULTIPART || e->image == NULL || boundary == NULL)
        return err_set(err, -EINVAL, "%s takes no file", p->endpoint);
    type = look_at(fd, &size, err);
    if (type == NULL)
        return -EINVAL;
    if (!note_file(p, e->image, type, size))
        return err_set(err, -EINVAL, "%s is there twice: as a file, and as a field", e->image);
    copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (copy < 0)
        return err_sys(err, -errno, "the file");
    at = form_make_room(&p->body, boundary + strlen(BOUNDARY), e->image, type);
    p->file = (struct client_file){.fd = copy,
                                   .size = size,
                                   .head = {p->body.data, at},
                                   .tail = {p->body.data + at, p->body.len - at}};
    return buf_ok(&p->body) ? 0 : err_set(err, -E2BIG, "the form is too large");
}
