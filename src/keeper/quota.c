/* SPDX-License-Identifier: MIT */
#include "keeper/quota.h"

#include "base/log.h"

#include <jansson.h>
#include <string.h>

#define OLDEST_MAX 256 /* files that one run may delete */

static int on_oldest(const struct store_file *f, void *ctx)
{
    return json_array_append_new(ctx, json_pack("{s:s, s:s, s:s, s:I}", "path", f->path, "task",
                                                f->task_id, "kind", f->kind, "bytes",
                                                (json_int_t)f->bytes));
}

/* As paths begin that were stored below it. */
static char *plain_dir(const char *dir)
{
    size_t n = strlen(dir);

    while (n > 1 && dir[n - 1] == '/')
        n--;
    return mem_strndup(dir, n);
}

json_t *quota_make(struct keeper *k, const struct conf_hook *h, const struct store_run *run)
{
    autofree char *dir = plain_dir(h->download.dir);
    json_t *oldest = json_array();
    int64_t used = 0;
    json_t *quota;
    int rc = k->store->ops->file_total(k->store, dir, &used);

    if (rc == 0 && h->download.prune)
        rc = k->store->ops->file_oldest(k->store, dir, run->task, OLDEST_MAX, on_oldest, oldest);
    if (rc < 0) {
        log_warn("quota.unknown", LOG_S("hook", h->name), LOG_S("why", strerror(-rc)));
        json_decref(oldest);
        return NULL;
    }
    quota = json_pack("{s:I, s:I}", "max_total", (json_int_t)h->download.max_total, "used",
                      (json_int_t)used);
    if (h->download.prune)
        json_object_set(quota, "oldest", oldest);
    json_decref(oldest);
    return json_pack("{s:o}", "quota", quota);
}
