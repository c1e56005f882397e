/* SPDX-License-Identifier: MIT */
#include "keeper/files.h"

#include "store/store_json.h"
#include "wire/command.h"

#define PAGE 1000

struct page {
    json_t *files;
    int64_t last;
};

static int on_file(const struct store_file *f, void *ctx)
{
    struct page *page = ctx;

    page->last = f->row;
    return json_array_append_new(page->files, store_json_file(f));
}

void files_question(struct keeper *k, const struct question *q)
{
    int64_t after = json_integer_value(json_object_get(q->args, "after"));
    bool one = query_text(q, "task") != NULL;
    struct page page = {.last = 0};
    struct store_task task;
    json_t *answer;
    int rc;

    if (one && !query_task(k, q, &task))
        return;
    page.files = json_array();
    answer = json_pack("{s:o}", "files", page.files);
    rc = one ? k->store->ops->file_list(k->store, task.row, on_file, &page)
             : k->store->ops->file_all(k->store, after, PAGE, on_file, &page);
    if (rc < 0) {
        json_decref(answer);
        query_refuse(k, q, EXIT_FAILED, "the store cannot be read");
        return;
    }
    if (!one && json_array_size(page.files) == PAGE)
        json_object_set_new(answer, "next", json_integer(page.last));
    query_answer(k, q, answer);
}
