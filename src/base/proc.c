/* SPDX-License-Identifier: MIT */
#include "base/proc.h"

#include "base/fs.h"
#include "base/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#define DESCENDANTS_MAX 65536
#define CHILDREN_MAX    (1U << 20) /* bytes of the list */
#define STAT_MAX        4096
#define BIRTH_FIELD     19 /* of the fields behind the name; the first of them is the state */

void pids_free(struct pids *p)
{
    free(p->list);
}

static void add_pid(struct pids *p, pid_t pid)
{
    if (p->n == p->room) {
        p->room = p->room * 2 + 32;
        p->list = mem_realloc(p->list, p->room, sizeof(*p->list));
    }
    p->list[p->n++] = pid;
}

static void add_children_of_thread(const char *task_dir, const char *thread, struct pids *out)
{
    autofree char *path = mem_printf("%s/%s/children", task_dir, thread);
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    autofree char *text = NULL;
    uint64_t pid;
    size_t n;

    if (fd < 0 || fs_read_fd(fd, CHILDREN_MAX, &text, &n) < 0)
        return;
    for (const char *at = text; at < text + n; at += strcspn(at, " ") + 1)
        if (str_to_u64(at, strcspn(at, " "), INT32_MAX, &pid) == 0 && pid > 1)
            add_pid(out, (pid_t)pid);
}

void proc_children(pid_t parent, struct pids *out)
{
    autofree char *task_dir = mem_printf("/proc/%d/task", (int)parent);
    DIR *d = opendir(task_dir);
    const struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL)
        if (e->d_name[0] != '.')
            add_children_of_thread(task_dir, e->d_name, out);
    if (d != NULL)
        closedir(d);
}

void proc_descendants(pid_t parent, struct pids *out)
{
    size_t i = out->n;

    proc_children(parent, out);
    for (; i < out->n && out->n < DESCENDANTS_MAX; i++)
        proc_children(out->list[i], out);
}

uint64_t proc_birth(pid_t pid)
{
    autofree char *path = mem_printf("/proc/%d/stat", (int)pid);
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
    autofree char *text = NULL;
    const char *at;
    uint64_t birth;
    size_t n;

    if (fd < 0 || fs_read_fd(fd, STAT_MAX, &text, &n) < 0)
        return 0;
    at = strrchr(text, ')'); /* a name may hold anything, brackets and spaces as well */
    if (at == NULL || strncmp(at, ") Z", 3) == 0 || strncmp(at, ") X", 3) == 0)
        return 0;
    at += 2;
    for (int i = 0; i < BIRTH_FIELD && at != NULL; i++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL && str_to_u64(at, strcspn(at, " "), INT64_MAX, &birth) == 0 ? birth : 0;
}
