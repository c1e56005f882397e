/* SPDX-License-Identifier: MIT */
#include "keeper/pauses.h"

#include "base/buf.h"
#include "base/log.h"
#include "keeper/batch.h"
#include "keeper/schedule.h"

#include <errno.h>
#include <string.h>

#define NAME     "paused_hooks" /* in meta: names, each ended by a line end */
#define TEXT_MAX 16384

struct pauses {
    char text[TEXT_MAX + 1];
};

/* Where the line of this hook is, or NULL. */
static const char *find(const char *text, const char *hook)
{
    size_t n = strlen(hook);

    for (; *text != '\0'; text += strcspn(text, "\n") + 1)
        if (strncmp(text, hook, n) == 0 && text[n] == '\n')
            return text;
    return NULL;
}

static void on_written(struct keeper *k, bool ok, void *ctx)
{
    struct pauses *next = ctx;

    if (!ok) {
        free(next);
        return;
    }
    free(k->pauses);
    k->pauses = next;
    schedule_look(k);
    if (batch_begin(k) < 0) /* else its end claims what may begin now */
        log_debug("schedule.waits", LOG_S("for", "the store"));
}

/* The text with a line more, or less. */
static int change(const struct pauses *p, const char *hook, bool paused, struct pauses *out,
                  struct err *err)
{
    autobuf struct buf text = BUF_INIT(TEXT_MAX);
    const char *line = find(p->text, hook);

    if (line != NULL)
        buf_add(&text, p->text, (size_t)(line - p->text));
    else
        buf_adds(&text, p->text);
    if (line != NULL)
        buf_adds(&text, line + strlen(hook) + 1);
    if (paused) {
        buf_adds(&text, hook);
        buf_addc(&text, '\n');
    }
    if (!buf_ok(&text))
        return err_set(err, -ENOSPC, "too many hooks are paused");
    mem_copy_text(out->text, sizeof(out->text), buf_text(&text));
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

json_t *pauses_list(const struct pauses *p)
{
    json_t *names = json_array();
    size_t n;

    for (const char *at = p->text; *at != '\0'; at += n + 1) {
        n = strcspn(at, "\n");
        json_array_append_new(names, json_stringn(at, n));
    }
    return names;
}

int pauses_set(struct keeper *k, const char *hook, bool paused, struct err *err)
{
    struct pauses *next = mem_calloc(1, sizeof(*next));
    int rc = change(k->pauses, hook, paused, next, err);

    if (rc == 0)
        rc = k->store->ops->meta_set(k->store, NAME, next->text, strlen(next->text), err);
    if (rc < 0) {
        free(next);
        return rc;
    }
    log_info(paused ? "hook.paused" : "hook.resumed", LOG_S("hook", hook));
    batch_then(k, on_written, next);
    return 0;
}
