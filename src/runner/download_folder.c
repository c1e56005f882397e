/* SPDX-License-Identifier: MIT */
#include "runner/download_folder.h"

#include "base/fs.h"
#include "runner/download_plan.h"
#include "vidu/library.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define DIR_MODE 0755 /* of the configured directory and what leads to it */

/* The i-th folder below the root; false behind the last. */
static bool folder_name(const json_t *action, const json_t *context, size_t creation, size_t i,
                        struct buf *out)
{
    const char *layout = download_layout(action);
    char month[8];

    if (library_layout_kind(layout) == LAYOUT_TEMPLATE)
        return i + 1 < library_count(layout) && download_component(layout, i, context, out);
    if (i > 0)
        return false;
    buf_reset(out);
    if (library_layout_kind(layout) == LAYOUT_FOLDER)
        return download_stem(action, context, creation, PART_MAIN, out);
    download_month(context, month);
    buf_adds(out, month);
    return true;
}

static mode_t folder_mode(mode_t files)
{
    return files | (files & 0444) >> 2 | 0300;
}

/* One step down, never through a link. */
static int enter(struct download_folder *f, const char *name, mode_t mode)
{
    autofree char *path = fs_join(f->path, name);
    bool made = mkdirat(f->fd, name, mode) == 0;
    int fd;

    if (!made && errno != EEXIST)
        return -errno;
    fd = openat(f->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (made && (fchmod(fd, mode) < 0 || fsync(f->fd) < 0)) { /* past the umask */
        int rc = -errno;

        close(fd);
        return rc;
    }
    fs_close_slot(&f->fd);
    f->fd = fd;
    f->made = made;
    mem_replace(&f->path, path);
    return 0;
}

static int open_root(const json_t *action, struct download_folder *f, struct err *err)
{
    const char *root = str_or(json_string_value(json_object_get(action, "dir")), "");
    int rc;

    if (root[0] != '/')
        return err_set(err, -EINVAL, "%s: not an absolute directory", root);
    rc = fs_mkdirs(root, DIR_MODE, err);
    if (rc < 0)
        return rc;
    f->path = mem_strdup(root);
    f->fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return f->fd < 0 ? err_sys(err, -errno, "%s", root) : 0;
}

int download_folder_open(const json_t *action, const json_t *context, size_t creation,
                         mode_t files_mode, struct download_folder *folder, struct err *err)
{
    autobuf struct buf name = BUF_INIT(1024);
    int rc;

    *folder = (struct download_folder){.fd = -1};
    rc = open_root(action, folder, err);
    for (size_t i = 0; rc == 0 && folder_name(action, context, creation, i, &name); i++) {
        rc = enter(folder, buf_text(&name), folder_mode(files_mode));
        if (rc < 0)
            err_sys(err, rc, "%s/%s", folder->path, buf_text(&name));
    }
    if (library_layout_kind(download_layout(action)) != LAYOUT_FOLDER)
        folder->made = false; /* others may be on their way into it */
    return rc;
}

void download_folder_close(struct download_folder *folder)
{
    if (folder->made && folder->path != NULL)
        (void)rmdir(folder->path); /* refused when there is anything in it */
    fs_close_slot(&folder->fd);
    free(folder->path);
    *folder = (struct download_folder){.fd = -1};
}
