/* SPDX-License-Identifier: MIT */
#include "runner/spawn_settings.h"

#include "base/mem.h"

#include <sys/resource.h>

#define CPU_GRACE_S 5 /* from XCPU to KILL */

static const struct {
    const char *name;
    int resource;
    int64_t unit, grace;
} limits[] = {
    {"memory", RLIMIT_DATA, 1, 0},     {"cpu_ms", RLIMIT_CPU, 1000, CPU_GRACE_S},
    {"files", RLIMIT_NOFILE, 1, 0},    {"file_size", RLIMIT_FSIZE, 1, 0},
    {"processes", RLIMIT_NPROC, 1, 0},
};

static void read_limits(const json_t *said, struct child_plan *out)
{
    for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
        int64_t value = json_integer_value(json_object_get(said, limits[i].name));
        uint64_t rounded = (uint64_t)((value + limits[i].unit - 1) / limits[i].unit);

        if (value > 0)
            out->limits[out->n_limits++] =
                (struct child_limit){.resource = limits[i].resource,
                                     .soft = rounded,
                                     .hard = rounded + (uint64_t)limits[i].grace};
    }
}

static void read_user(const json_t *said, struct child_plan *out)
{
    const json_t *groups = json_object_get(said, "groups");

    out->switch_user = json_is_object(said);
    out->uid = (uid_t)json_integer_value(json_object_get(said, "uid"));
    out->gid = (gid_t)json_integer_value(json_object_get(said, "gid"));
    for (size_t i = 0; i < json_array_size(groups) && i < CHILD_MAX_GROUPS; i++)
        out->groups[out->n_groups++] = (gid_t)json_integer_value(json_array_get(groups, i));
}

void spawn_settings_read(const json_t *action, struct child_plan *out)
{
    const char *cwd = json_string_value(json_object_get(action, "cwd"));
    const json_t *mask = json_object_get(action, "umask");

    *out = (struct child_plan){.cwd = cwd != NULL ? cwd : "/",
                               .umask =
                                   json_is_integer(mask) ? (mode_t)json_integer_value(mask) : 022};
    read_limits(json_object_get(action, "limits"), out);
    read_user(json_object_get(action, "user"), out);
}
