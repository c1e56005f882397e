/* SPDX-License-Identifier: MIT */
#include "vidu/names.h"

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
