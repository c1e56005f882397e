/* SPDX-License-Identifier: MIT */
#include "vidu/endpoint.h"

#include "vidu/endpoint_table.h"
#include "vidu/nearest.h"

#include <errno.h>
#include <string.h>

#define ID_MARK "{id}"

/* What stands for {id} in name, or the empty slice when the two do not fit. */
static struct slice parent_in(const char *pattern, const char *name)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const char *mark = strstr(pattern, ID_MARK);
    size_t head = mark != NULL ? (size_t)(mark - pattern) : 0;
    size_t n;

    if (mark == NULL || strncmp(name, pattern, head) != 0)
        return (struct slice){"", 0};
    n = strspn(name + head, good);
    return str_eq(name + head + n, mark + sizeof(ID_MARK) - 1) ? (struct slice){name + head, n}
                                                               : (struct slice){"", 0};
}

const struct endpoint *endpoint_find(const char *name)
{
    for (size_t i = 0; i < endpoint_table_len && name != NULL; i++)
        if (str_eq(endpoint_table[i].name, name) || parent_in(endpoint_table[i].name, name).n != 0)
            return &endpoint_table[i];
    return NULL;
}

struct slice endpoint_parent(const struct endpoint *e, const char *name)
{
    return parent_in(e->name, name);
}

const struct endpoint_field *endpoint_field_find(const struct endpoint *e, const char *name)
{
    for (const struct endpoint_field *f = e->fields; f->name != NULL; f++)
        if (str_eq(f->name, name))
            return f;
    return NULL;
}

size_t endpoint_count(void)
{
    return endpoint_table_len;
}

const struct endpoint *endpoint_at(size_t i)
{
    return i < endpoint_table_len ? &endpoint_table[i] : NULL;
}

const char *endpoint_suggest(const char *name)
{
    struct nearest nearest = NEAREST_INIT(name);

    for (size_t i = 0; i < endpoint_table_len; i++)
        nearest_offer(&nearest, endpoint_table[i].name);
    return nearest.best;
}

int endpoint_check_task(const char *name, struct err *err)
{
    const struct endpoint *e = endpoint_find(name);
    const char *near = e == NULL ? endpoint_suggest(name) : NULL;

    if (e == NULL && near != NULL)
        return err_set(err, -EINVAL, "unknown endpoint %s; did you mean %s?", name, near);
    if (e == NULL)
        return err_set(err, -EINVAL, "unknown endpoint %s; `viduhook help submit` lists them",
                       name);
    if (strchr(name, '{') != NULL)
        return err_set(err, -EINVAL, "%s: the id of a task belongs in the place of {id}", name);
    return e->query != ENDPOINT_QUERY_NONE ? 0 : err_set(err, -EINVAL, "%s makes no tasks", name);
}
