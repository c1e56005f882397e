/* SPDX-License-Identifier: MIT */
#include "keeper/running.h"

#include <string.h>

struct running *running_add(struct running_table *t, const struct store_run *run)
{
    struct running *r = mem_calloc(1, sizeof(*r));

    if (t->n == t->cap) {
        t->cap = t->cap != 0 ? t->cap * 2 : 16;
        t->rows = mem_realloc(t->rows, t->cap, sizeof(struct running *));
    }
    t->rows[t->n++] = r;
    r->run = run->row;
    r->task = run->task;
    r->attempt = run->attempt;
    r->suspect = run->losses > 0;
    r->hook = mem_strdup(run->hook);
    memcpy(r->task_id, run->task_id, sizeof(r->task_id));
    return r;
}

void running_remove(struct running_table *t, struct running *r)
{
    size_t i = 0;

    while (i < t->n && t->rows[i] != r)
        i++;
    for (t->n -= i < t->n; i < t->n; i++)
        t->rows[i] = t->rows[i + 1];
    free(r->hook);
    free(r->text);
    free(r);
}

struct running *running_find(const struct running_table *t, int64_t run)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i]->run == run)
            return t->rows[i];
    return NULL;
}

size_t running_count(const struct running_table *t, const char *hook)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++)
        n += !t->rows[i]->settling && !t->rows[i]->held &&
             (hook == NULL || str_eq(t->rows[i]->hook, hook));
    return n;
}

size_t running_held(const struct running_table *t, const char *hook)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n; i++)
        n += t->rows[i]->held && (hook == NULL || str_eq(t->rows[i]->hook, hook));
    return n;
}

bool running_suspect(const struct running_table *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->rows[i]->suspect && !t->rows[i]->settling && !t->rows[i]->held)
            return true;
    return false;
}

void running_clear(struct running_table *t)
{
    while (t->n > 0)
        running_remove(t, t->rows[t->n - 1]);
    free(t->rows);
    *t = (struct running_table){0};
}
