/* SPDX-License-Identifier: MIT */
#include "vidu/names.h"

#include <errno.h>
#include <string.h>

#define MAX_STEPS 8
#define STEP_MAX  64

bool names_path_is_good(const char *path)
{
    static const char good[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    size_t steps = 0;

    if (strnlen(path, NAMES_PATH_MAX + 1) > NAMES_PATH_MAX)
        return false;
    for (;; path++) {
        size_t n = strspn(path, good);

        if (n == 0 || n >= STEP_MAX || ++steps > MAX_STEPS)
            return false;
        path += n;
        if (*path == '\0')
            return true;
        if (*path != '.')
            return false;
    }
}

static bool is_place(struct slice step)
{
    uint64_t place;

    return str_to_u64(step.p, step.n, SIZE_MAX, &place) == 0;
}

static json_t *step_into(const json_t *at, struct slice step)
{
    char name[STEP_MAX];
    uint64_t place;

    if (step.n >= sizeof(name))
        return NULL;
    mem_copy_text(name, step.n + 1, step.p);
    if (json_is_array(at))
        return str_to_u64(step.p, step.n, SIZE_MAX, &place) == 0 ? json_array_get(at, (size_t)place)
                                                                 : NULL;
    return json_object_get(at, name);
}

json_t *names_find(const json_t *root, const char *path)
{
    const json_t *at = root;

    while (at != NULL) {
        size_t n = strcspn(path, ".");
        json_t *next = step_into(at, (struct slice){path, n});

        if (path[n] == '\0')
            return next;
        at = next;
        path += n + 1;
    }
    return NULL;
}

/* What the step leads to, made when it is not there; NULL: it cannot be. */
static json_t *way_into(json_t *at, struct slice step)
{
    autofree char *name = mem_strndup(step.p, step.n);
    json_t *next = json_object_get(at, name);

    if (next == NULL && !is_place(step)) {
        next = json_object();
        (void)json_object_set_new(at, name, next);
    }
    return json_is_object(next) ? next : NULL;
}

int names_put(json_t *root, const char *path, json_t *value)
{
    json_t *at = root;
    const char *dot;

    for (; (dot = strchr(path, '.')) != NULL && at != NULL; path = dot + 1)
        at = way_into(at, (struct slice){path, (size_t)(dot - path)});
    if (at == NULL || is_place(slice_str(path)) || json_object_get(at, path) != NULL) {
        json_decref(value);
        return -EINVAL;
    }
    return json_object_set_new(at, path, value) == 0 ? 0 : -EINVAL;
}

static bool has_one(const json_t *object, const char *const *keys, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_object_get(object, keys[i]);

        if (json_is_integer(v) || document_text(v).n != 0)
            return true;
    }
    return false;
}

const json_t *names_unwrap(const json_t *root, const char *const *keys, size_t n)
{
    const json_t *data = json_object_get(root, "data");

    return !has_one(root, keys, n) && has_one(data, keys, n) ? data : root;
}
