/* SPDX-License-Identifier: MIT */
#include "runner/quota.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *text_at(const json_t *object, const char *member)
{
    return str_or(json_string_value(json_object_get(object, member)), "");
}

static uint64_t number_at(const json_t *object, const char *member)
{
    json_int_t n = json_integer_value(json_object_get(object, member));

    return n > 0 ? (uint64_t)n : 0;
}

bool quota_allows(const json_t *action, struct buf *why)
{
    const json_t *quota = json_object_get(action, "quota");
    uint64_t used = number_at(quota, "used");
    uint64_t most = number_at(quota, "max_total");
    char have[16], may[16];

    if (quota == NULL || json_object_get(quota, "oldest") != NULL || used < most)
        return true;
    str_from_bytes(used, have);
    str_from_bytes(most, may);
    buf_addf(why,
             "%s: its files take %s of %s; delete some and run `viduhook files --verify`, raise "
             "max_total, or set prune: yes",
             text_at(action, "dir"), have, may);
    return false;
}

/* ---- deleting ---- */

/* The folder of a path below root, opened step by step; *name points to the last component. */
static int open_parent(const char *root, const char *path, const char **name)
{
    const char *rest = path + strlen(root);
    int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    const char *slash;

    for (rest += strspn(rest, "/"); fd >= 0 && (slash = strchr(rest, '/')) != NULL;
         rest = slash + strspn(slash, "/")) {
        autofree char *step = mem_strndup(rest, (size_t)(slash - rest));
        int next = openat(fd, step, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        close(fd);
        fd = next;
    }
    *name = rest;
    return fd;
}

/* Whether it is gone now; what is not what was stored is somebody else's. */
static bool delete_file(const char *root, const char *path, uint64_t bytes)
{
    const char *name;
    autoclose int fd = open_parent(root, path, &name);
    struct stat st;

    if (fd < 0)
        return errno == ENOENT;
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT;
    return S_ISREG(st.st_mode) && (uint64_t)st.st_size == bytes && unlinkat(fd, name, 0) == 0;
}

/* Folders above a deleted file, as far as they are empty and not the root. */
static void delete_folders(const char *root, const char *path)
{
    autofree char *folder = fs_dirname(path);
    const char *name;

    while (strlen(folder) > strlen(root)) {
        autoclose int fd = open_parent(root, folder, &name);
        char *above;

        if (fd < 0 || unlinkat(fd, name, AT_REMOVEDIR) < 0)
            return;
        above = fs_dirname(folder);
        free(folder);
        folder = above;
    }
}

static bool is_below(const char *root, const char *path)
{
    size_t n = strlen(root);

    return strncmp(path, root, n) == 0 && path[n] == '/' && strstr(path, "/../") == NULL;
}

/* A link of a cover takes no room of its own. */
static uint64_t room_of(const json_t *file)
{
    const char *kind = text_at(file, "kind");

    return str_eq(kind, "poster") || str_eq(kind, "thumb") ? 0 : number_at(file, "bytes");
}

struct prune {
    char *root; /* without a slash at the end */
    const json_t *oldest;
    json_t *files;
    size_t n;
    uint64_t freed;
};

/* Everything of one task that is listed. */
static void delete_task(struct prune *p, const char *task)
{
    const json_t *file;
    size_t i;

    json_array_foreach (p->oldest, i, file) {
        const char *path = text_at(file, "path");

        if (!str_eq(text_at(file, "task"), task) || !is_below(p->root, path) ||
            !delete_file(p->root, path, number_at(file, "bytes")))
            continue;
        delete_folders(p->root, path);
        json_array_append_new(p->files, json_pack("{s:s, s:b}", "path", path, "removed", 1));
        p->freed += room_of(file);
        p->n++;
    }
}

/* Whether this is the first file of its task in the list. */
static bool begins_task(const json_t *oldest, size_t at)
{
    const char *task = text_at(json_array_get(oldest, at), "task");

    for (size_t i = 0; i < at; i++)
        if (str_eq(text_at(json_array_get(oldest, i), "task"), task))
            return false;
    return true;
}

static char *plain_dir(const char *dir)
{
    size_t n = strlen(dir);

    while (n > 1 && dir[n - 1] == '/')
        n--;
    return mem_strndup(dir, n);
}

void quota_prune(const json_t *action, uint64_t added, json_t *files, struct buf *notes)
{
    const json_t *quota = json_object_get(action, "quota");
    struct prune p = {.oldest = json_object_get(quota, "oldest"), .files = files};
    uint64_t all = number_at(quota, "used") + added;
    uint64_t most = number_at(quota, "max_total");
    char size[16];

    if (p.oldest == NULL)
        return;
    p.root = plain_dir(text_at(action, "dir"));
    for (size_t i = 0; i < json_array_size(p.oldest) && all > most + p.freed; i++)
        if (begins_task(p.oldest, i))
            delete_task(&p, text_at(json_array_get(p.oldest, i), "task"));
    free(p.root);
    str_from_bytes(p.freed, size);
    if (p.n > 0)
        buf_addf(notes, "; %zu old file%s, %s deleted", p.n, p.n == 1 ? "" : "s", size);
    if (all > most + p.freed)
        buf_adds(notes, "; there is more than max_total, and nothing older to delete");
}
