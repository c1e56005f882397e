/* SPDX-License-Identifier: MIT */
#include "wire/path_map.h"

#include <string.h>

bool path_is_in(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    while (n > 0 && folder[n - 1] == '/')
        n--;
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

char *path_map_apply(const json_t *map, const char *path)
{
    const char *ours = NULL, *theirs = NULL;
    const char *rest;

    for (size_t i = 0; i < json_array_size(map); i++) {
        const json_t *pair = json_array_get(map, i);
        const char *folder = str_or(json_string_value(json_array_get(pair, 0)), "");

        if (!path_is_in(path, folder) || (ours != NULL && strlen(folder) <= strlen(ours)))
            continue;
        ours = folder;
        theirs = str_or(json_string_value(json_array_get(pair, 1)), "");
    }
    if (ours == NULL)
        return mem_strdup(path);
    rest = path + strlen(ours);
    while (*rest == '/')
        rest++;
    return mem_printf("%s%s%s", theirs, *rest == '\0' || str_ends(theirs, "/") ? "" : "/", rest);
}
