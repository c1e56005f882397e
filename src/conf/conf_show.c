/* SPDX-License-Identifier: MIT */
#include "conf/conf_http.h"
#include "conf/conf_table.h"
#include "conf/conf_type.h"

#include <string.h>

/* The lines of one scope at an indentation; groups get a heading before their first option. */
struct writer {
    struct buf *out;
    const char *indent;
    const char *first; /* before the first line: a list's dash */
    char group[32];
};

static void start_line(struct writer *w, bool inner)
{
    buf_adds(w->out, w->first != NULL ? w->first : w->indent);
    w->first = NULL;
    buf_adds(w->out, inner ? "  " : "");
}

static void write_row(struct writer *w, const struct conf_row *row, const char *value)
{
    size_t n = strcspn(row->key, ".");
    bool inner = row->key[n] == '.';
    autofree char *group = mem_strndup(row->key, n);

    if (inner && !str_eq(group, w->group)) {
        mem_copy_text(w->group, sizeof(w->group), group);
        start_line(w, false);
        buf_addf(w->out, "%s:\n", w->group);
    }
    start_line(w, inner);
    buf_addf(w->out, "%s: %s\n", row->key + (inner ? n + 1 : 0), value);
}

static void write_scope(struct writer *w, enum conf_scope scope, const void *object,
                        bool (*fits)(const struct conf_row *row, const void *object))
{
    for (size_t i = 0; i < conf_n_rows; i++) {
        const struct conf_row *row = &conf_rows[i];
        autobuf struct buf value = BUF_INIT(w->out->max);

        if (row->scope == scope && row->type->show != NULL && (fits == NULL || fits(row, object)) &&
            row->type->show(row, object, &value))
            write_row(w, row, buf_text(&value));
    }
}

static void show_providers(const struct conf *c, struct buf *out)
{
    buf_adds(out, "providers:\n");
    for (size_t i = 0; i < c->n_providers; i++) {
        struct writer w = {.out = out, .indent = "    "};

        buf_addf(out, "  %s:\n", c->providers[i].name);
        write_scope(&w, SCOPE_PROVIDER, &c->providers[i], NULL);
    }
}

static bool is_of_commands(const char *key)
{
    static const char *const keys[] = {"cwd", "umask", "env", "user"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (str_eq(key, keys[i]))
            return true;
    return str_starts(key, "limits.");
}

/* Of the actions only the hook's own, and of that what means something. */
static bool fits_action(const struct conf_row *row, const void *object)
{
    static const char *const keys[] = {
        [ACTION_EXEC] = "exec", [ACTION_DOWNLOAD] = "download.", [ACTION_HTTP] = "http."};
    const struct conf_hook *hook = object;

    if (is_of_commands(row->key))
        return hook->action == ACTION_EXEC;
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (str_starts(row->key, keys[i]))
            return i == hook->action &&
                   (i != ACTION_HTTP || conf_http_takes(hook, row->key + strlen(keys[i])));
    return true;
}

static void show_hooks(const struct conf *c, struct buf *out)
{
    if (c->n_hooks != 0)
        buf_adds(out, "hooks:\n");
    for (size_t i = 0; i < c->n_hooks; i++) {
        struct writer w = {.out = out, .indent = "    ", .first = "  - "};

        write_scope(&w, SCOPE_HOOK, &c->hooks[i], fits_action);
    }
}

void conf_show(const struct conf *c, struct buf *out)
{
    struct writer w = {.out = out, .indent = ""};

    write_scope(&w, SCOPE_FILE, c, NULL);
    show_providers(c, out);
    show_hooks(c, out);
}
