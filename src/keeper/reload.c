/* SPDX-License-Identifier: MIT */
#include "keeper/reload.h"

#include "base/log.h"
#include "keeper/plan.h"

#include <errno.h>
#include <string.h>

#define FINDINGS_MAX (64U << 10)

struct reload {
    struct keeper *k;
    struct conf *next;
    struct buf findings;
    reload_on_done *on_done;
    void *ctx;
};

static void swap_text(char **a, char **b)
{
    char *kept = *a;

    *a = *b;
    *b = kept;
}

/* What a running daemon cannot change stays in force, and so the configuration in force says so. */
static void keep_fixed(struct conf *old, struct conf *next)
{
    struct conf other = *old;

    memcpy(old->listen, next->listen, sizeof(old->listen));
    memcpy(next->listen, other.listen, sizeof(next->listen));
    old->n_listen = next->n_listen;
    next->n_listen = other.n_listen;
    memcpy(&old->gateway.listen, &next->gateway.listen, sizeof(old->gateway.listen));
    memcpy(&next->gateway.listen, &other.gateway.listen, sizeof(next->gateway.listen));
    if (next->gateway.token.value == NULL) {
        memcpy(&next->gateway.token, &other.gateway.token, sizeof(next->gateway.token));
        old->gateway.token = (struct conf_secret){0};
    }
    swap_text(&old->store, &next->store);
    swap_text(&old->control, &next->control);
}

static void finish(struct reload *r, bool ok, const char *error)
{
    struct keeper *k = r->k;

    if (ok && r->next != NULL) {
        keep_fixed(k->conf, r->next);
        conf_free(k->conf);
        k->conf = r->next;
        r->next = NULL;
        log_open("keeper", k->conf->log_json, (enum log_level)k->conf->log_level);
    }
    r->on_done(k, ok, error, buf_text(&r->findings), r->ctx);
    conf_free(r->next);
    buf_free(&r->findings);
    free(r);
}

static void on_started(bool ok, const char *error, void *ctx)
{
    finish(ctx, ok, error);
}

static void on_finding(const char *file, int line, int column, const char *text, void *ctx)
{
    struct reload *r = ctx;

    if (line > 0) {
        buf_addf(&r->findings, "%s:%d:%d: %s\n", file, line, column, text);
        log_error("config.error", LOG_S("file", file), LOG_I("line", line), LOG_I("column", column),
                  LOG_S("error", text));
    } else {
        buf_addf(&r->findings, "%s: %s\n", file, text);
        log_error("config.error", LOG_S("file", file), LOG_S("error", text));
    }
}

static bool same_listeners(const struct conf *a, const struct conf *b)
{
    if (a->n_listen != b->n_listen)
        return false;
    for (size_t i = 0; i < a->n_listen; i++)
        if (!str_eq(a->listen[i].text, b->listen[i].text))
            return false;
    return true;
}

/* What a running daemon cannot change: it keeps what it has, and says so. */
static void note_fixed(struct reload *r)
{
    const struct conf *old = r->k->conf;
    const struct {
        const char *name;
        bool same;
    } fixed[] = {
        {"listen", same_listeners(old, r->next)},
        {"gateway.listen", str_eq(old->gateway.listen.text, r->next->gateway.listen.text)},
        {"store", str_eq(old->store, r->next->store)},
        {"control", str_eq(old->control, r->next->control)},
    };

    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        if (fixed[i].same)
            continue;
        buf_addf(&r->findings, "%s: changed, takes effect when the daemon is restarted\n",
                 fixed[i].name);
        log_warn("config.needs_restart", LOG_S("option", fixed[i].name));
    }
}

static void start_rooms(struct reload *r, const struct conf *c)
{
    struct room_plan plans[PLAN_MAX];
    size_t n = plan_rooms(r->k, c, plans);

    if (supervise_start(r->k->supervise, plans, n, on_started, r) < 0)
        finish(r, false, "another reload or the stop is under way");
}

static struct reload *new_reload(struct keeper *k, reload_on_done *on_done, void *ctx)
{
    struct reload *r = mem_calloc(1, sizeof(*r));

    *r = (struct reload){.k = k, .on_done = on_done, .ctx = ctx};
    r->findings = BUF_INIT(FINDINGS_MAX);
    return r;
}

void reload_begin(struct keeper *k, reload_on_done *on_done, void *ctx)
{
    struct reload *r = new_reload(k, on_done, ctx);

    if (conf_load_checked(k->options.conf_path, k->options.check_pair, on_finding, r, &r->next) <
        0) {
        finish(r, false, "the configuration has errors; the old one stays in force");
        return;
    }
    note_fixed(r);
    start_rooms(r, r->next);
}

void reload_first(struct keeper *k, reload_on_done *on_done, void *ctx)
{
    start_rooms(new_reload(k, on_done, ctx), k->conf);
}
