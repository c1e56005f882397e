/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include "store/store_sqlite.h"

#include <errno.h>
#include <string.h>

static const char *const source_names[] = {
    [SOURCE_SUBMIT] = "submit", [SOURCE_CALLBACK] = "callback", [SOURCE_POLL] = "poll",
    [SOURCE_HOOK] = "hook",     [SOURCE_OPERATOR] = "operator",
};

static const char *const run_state_names[] = {
    [RUN_WAITING] = "waiting", [RUN_READY] = "ready", [RUN_RUNNING] = "running",
    [RUN_DONE] = "done",       [RUN_DEAD] = "dead",   [RUN_CANCELLED] = "cancelled",
    [RUN_MISSED] = "failed",
};

static const struct {
    const char *scheme;
    int (*open)(const char *where, bool read_only, struct store **out, struct err *err);
} backends[] = {
    {"sqlite:", store_sqlite_open},
};

const char *store_source_name(enum store_source s)
{
    return (size_t)s < ARRAY_LEN(source_names) ? source_names[s] : "unknown";
}

const char *run_state_name(enum run_state s)
{
    return (size_t)s < ARRAY_LEN(run_state_names) ? run_state_names[s] : "unknown";
}

bool run_state_from_name(const char *name, enum run_state *out)
{
    for (size_t i = 0; i < ARRAY_LEN(run_state_names); i++) {
        if (str_eq(name, run_state_names[i])) {
            *out = (enum run_state)i;
            return true;
        }
    }
    return false;
}

int store_open(const char *url, bool read_only, struct store **out, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(backends); i++) {
        const char *where = url + strlen(backends[i].scheme);

        if (str_starts(url, backends[i].scheme) && *where != '\0')
            return backends[i].open(where, read_only, out, err);
    }
    return err_set(err, -EINVAL, "%s: not a store; write sqlite:/path/to/file.db", url);
}

void store_close(struct store *s)
{
    if (s != NULL)
        s->ops->close(s);
}
