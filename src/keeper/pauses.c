/* SPDX-License-Identifier: MIT */
#include "keeper/pauses.h"

#include "base/buf.h"
#include "base/log.h"
#include "keeper/batch.h"
#include "keeper/schedule.h"

#include <errno.h>
#include <string.h>

#define NAME     "paused_hooks" /* in meta: lines of a name and, behind a tab, why */
#define TEXT_MAX 24576          /* CONF_MAX_HOOKS of the longest lines */
#define WHY_MAX  256

struct pauses {
    char text[TEXT_MAX + 1];    /* as committed */
    char pending[TEXT_MAX + 1]; /* as it will be after the open batch */
};

/* Where the line of this hook is, or NULL. */
static const char *find(const char *text, const char *hook)
{
    size_t n = strlen(hook);

    for (; *text != '\0'; text += strcspn(text, "\n") + 1)
        if (strncmp(text, hook, n) == 0 && (text[n] == '\n' || text[n] == '\t'))
            return text;
    return NULL;
}

static void on_written(struct keeper *k, bool ok, void *ctx)
{
    struct pauses *p = ctx;

    mem_copy_text(ok ? p->text : p->pending, TEXT_MAX + 1, ok ? p->pending : p->text);
    if (!ok)
        return;
    schedule_look(k);
    if (batch_begin(k) < 0) /* else its end claims what may begin now */
        log_debug("schedule.waits", LOG_S("for", "the store"));
}

/* One line, whatever a stranger's server has said. */
static void add_why(const char *why, struct buf *out)
{
    size_t n = str_utf8_cut(why, strlen(why), WHY_MAX);

    if (n != 0)
        buf_addc(out, '\t');
    for (size_t i = 0; i < n; i++)
        buf_addc(out, (unsigned char)why[i] < 0x20 ? ' ' : why[i]);
}

/* The pending text with a line more, or less. */
static int change(struct pauses *p, const char *hook, bool paused, const char *why, struct err *err)
{
    autobuf struct buf text = BUF_INIT(TEXT_MAX);
    const char *line = find(p->pending, hook);

    if (line != NULL) {
        buf_add(&text, p->pending, (size_t)(line - p->pending));
        buf_adds(&text, line + strcspn(line, "\n") + 1);
    } else {
        buf_adds(&text, p->pending);
    }
    if (paused) {
        buf_adds(&text, hook);
        add_why(why, &text);
        buf_addc(&text, '\n');
    }
    if (!buf_ok(&text))
        return err_set(err, -ENOSPC, "too many hooks are paused");
    mem_copy_text(p->pending, sizeof(p->pending), buf_text(&text));
    return 0;
}

int pauses_load(struct store *s, struct pauses **out, struct err *err)
{
    struct pauses *p = mem_calloc(1, sizeof(*p));
    size_t n = 0;
    int rc = s->ops->meta_get(s, NAME, (uint8_t *)p->text, TEXT_MAX, &n);

    if (rc < 0 && rc != -ENOENT) {
        free(p);
        return err_set(err, rc, "the names of paused hooks cannot be read");
    }
    mem_copy_text(p->pending, sizeof(p->pending), p->text);
    *out = p;
    return 0;
}

void pauses_free(struct pauses *p)
{
    free(p);
}

bool pauses_has(const struct pauses *p, const char *hook)
{
    return find(p->text, hook) != NULL;
}

/* Whatever becomes of the batch, on_written hears of it: what is pending must not stay so. */
static int write_down(struct keeper *k, struct err *err)
{
    const char *text = k->pauses->pending;

    batch_then(k, on_written, k->pauses);
    return k->store->ops->meta_set(k->store, NAME, text, strlen(text), err);
}

json_t *pauses_list(const struct pauses *p)
{
    json_t *names = json_array();

    for (const char *at = p->text; *at != '\0'; at += strcspn(at, "\n") + 1)
        json_array_append_new(names, json_stringn(at, strcspn(at, "\t\n")));
    return names;
}

json_t *pauses_reasons(const struct pauses *p)
{
    json_t *reasons = json_object();
    size_t n;

    for (const char *at = p->text; *at != '\0'; at += strcspn(at, "\n") + 1) {
        autofree char *name = mem_strndup(at, n = strcspn(at, "\t\n"));

        if (at[n] == '\t')
            json_object_set_new(reasons, name, json_stringn(at + n + 1, strcspn(at + n + 1, "\n")));
    }
    return reasons;
}

int pauses_set(struct keeper *k, const char *hook, bool paused, struct err *err)
{
    int rc = change(k->pauses, hook, paused, "", err);

    if (rc == 0)
        rc = write_down(k, err);
    if (rc == 0)
        log_info(paused ? "hook.paused" : "hook.resumed", LOG_S("hook", hook));
    return rc;
}

int pauses_switch_off(struct keeper *k, const char *hook, const char *why, struct err *err)
{
    int rc;

    if (find(k->pauses->pending, hook) != NULL)
        return 0;
    rc = change(k->pauses, hook, true, why, err);
    if (rc == 0)
        rc = write_down(k, err);
    if (rc == 0)
        log_warn("hook.switched_off", LOG_S("hook", hook), LOG_S("why", why));
    return rc;
}
