/* SPDX-License-Identifier: MIT */
#include "vidu/template.h"

#include "vidu/nearest.h"
#include "vidu/tag.h"
#include "vidu/template_filter.h"

#include <errno.h>
#include <string.h>

#define MAX_FILTERS    4
#define NAME_MAX_BYTES 80
#define TAG_PREFIX     "task.tags."

const struct template_name template_names[] = {
    {"event", "VIDUHOOK_EVENT", "why the hook runs: success, failed, ..., dead"},
    {"details", "VIDUHOOK_DETAILS", "what happened, as JSON, when it is no change of a task"},
    {"task.id", "VIDUHOOK_TASK_ID", "our name of the task"},
    {"task.remote_id", "VIDUHOOK_REMOTE_ID", "the provider's name of the task"},
    {"task.provider", "VIDUHOOK_PROVIDER", "vidu, octopusx, ..."},
    {"task.endpoint", "VIDUHOOK_ENDPOINT", "img2video, ..."},
    {"task.model", "VIDUHOOK_MODEL", "the model that was asked for"},
    {"task.state", "VIDUHOOK_STATE", "state of the task"},
    {"task.err_code", "VIDUHOOK_ERR_CODE", "the provider's reason for a failure"},
    {"task.err_msg", NULL, "the same for people"},
    {"task.prompt", "VIDUHOOK_PROMPT", "the prompt; the variable is cut at 4 KiB"},
    {"task.payload", NULL, "the payload of the request"},
    {"task.tags", "VIDUHOOK_TAGS", "the tags of the task"},
    {"task.tags.NAME", NULL, "one of them"},
    {"task.credits", NULL, "what the provider charged"},
    {"task.created_at", NULL, "when it was submitted, as 2026-11-20T17:05:27.123Z"},
    {"task.finished_at", NULL, "when it ended; empty before that"},
    {"url", "VIDUHOOK_URL", "address of the first result"},
    {"cover_url", "VIDUHOOK_COVER_URL", "address of its cover"},
    {"file.path", "VIDUHOOK_FILE", "the downloaded result"},
    {"file.cover", "VIDUHOOK_COVER_FILE", "the downloaded cover"},
    {"file.name", NULL, "the downloaded result without its folder"},
    {"hook", "VIDUHOOK_HOOK", "name of the hook"},
    {"run.id", "VIDUHOOK_RUN_ID", "number of the run, the same in every attempt"},
    {"run.attempt", "VIDUHOOK_ATTEMPT", "1 for the first attempt"},
    {"after.hook", "VIDUHOOK_AFTER_HOOK", "the hook that it comes after"},
    {"after.state", "VIDUHOOK_AFTER_STATE", "how the run of that hook ended: done or dead"},
    {"after.exit_code", "VIDUHOOK_AFTER_EXIT_CODE", "exit status of its command"},
    {"after.detail", "VIDUHOOK_AFTER_DETAIL", "its end in words"},
    {"run.replay", "VIDUHOOK_REPLAY", "1 when an operator asked for the run again"},
    {"source", "VIDUHOOK_SOURCE", "how the news came: callback, poll, submit, operator"},
    {NULL, NULL, NULL},
};

/* One step of a template: literal bytes, or a value through filters. */
struct piece {
    struct slice literal;
    bool value;
    char name[NAME_MAX_BYTES];
    struct template_filter filters[MAX_FILTERS + 1]; /* and the place's */
    size_t n_filters;
};

/* task.tags.album: the tag's own name is the user's. */
static bool is_tag(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const char *tag = name + strlen(TAG_PREFIX);

    return str_starts(name, TAG_PREFIX) && *tag != '\0' && strlen(tag) <= TAG_NAME_MAX &&
           tag[strspn(tag, letters)] == '\0';
}

static int find_name(struct slice word, struct piece *piece, struct err *err)
{
    autofree char *text = mem_strndup(word.p, word.n);
    struct nearest nearest = NEAREST_INIT(text);
    bool known = is_tag(text);

    for (const struct template_name *t = template_names; !known && t->name != NULL; t++) {
        known = str_eq(t->name, text);
        nearest_offer(&nearest, t->name);
    }
    if (!known && nearest.best == NULL)
        return err_set(err, -EINVAL,
                       "unknown placeholder \"%.64s\"; `viduhook config placeholders` lists them, "
                       "and a brace itself is written {{",
                       text);
    if (!known)
        return nearest_unknown(&nearest, "placeholder", err);
    mem_copy_text(piece->name, sizeof(piece->name), text);
    return 0;
}

/* Up to the next bar or the end; what is taken is taken off rest. */
static struct slice next_word(struct slice *rest)
{
    const char *bar = memchr(rest->p, '|', rest->n);
    struct slice word = {rest->p, bar != NULL ? (size_t)(bar - rest->p) : rest->n};
    size_t used = word.n + (bar != NULL);

    *rest = (struct slice){bar != NULL ? rest->p + used : NULL, rest->n - used};
    return word;
}

/* *at is behind the opening brace. */
static int read_placeholder(const char **at, struct piece *piece, struct err *err)
{
    size_t n = strcspn(*at, "{}");
    struct slice rest = {*at, n};
    int rc;

    if ((*at)[n] != '}')
        return err_set(err, -EINVAL, "a { without its }; write {{ for a brace");
    *at += n + 1;
    piece->value = true;
    rc = find_name(next_word(&rest), piece, err);
    while (rc == 0 && rest.p != NULL) {
        if (piece->n_filters == MAX_FILTERS)
            return err_set(err, -EINVAL, "more than %d filters in one placeholder", MAX_FILTERS);
        rc = template_filter_find(next_word(&rest), &piece->filters[piece->n_filters++], err);
    }
    return rc;
}

/* 1 and *piece, 0 at the end, -EINVAL. */
static int next_piece(const char **at, struct piece *piece, struct err *err)
{
    size_t n = strcspn(*at, "{}");

    *piece = (struct piece){.literal = {*at, n}};
    if (n == 0 && **at == '\0')
        return 0;
    if (n == 0 && (*at)[0] == (*at)[1]) {
        piece->literal.n = 1;
        *at += 2;
        return 1;
    }
    if (n == 0 && **at == '}')
        return err_set(err, -EINVAL, "a } without its {; write }} for a brace");
    *at += n != 0 ? n : 1;
    if (n != 0)
        return 1;
    return read_placeholder(at, piece, err) < 0 ? -EINVAL : 1;
}

int template_check(const char *text, struct err *err)
{
    struct piece piece;
    int rc;

    while ((rc = next_piece(&text, &piece, err)) > 0)
        ;
    return rc;
}

/* All filters but the last write aside; one that gives more than may be kept spoils the whole. */
static void add_value(const struct piece *piece, const char *value, struct buf *out)
{
    struct buf aside[2] = {BUF_INIT(out->max), BUF_INIT(out->max)};

    for (size_t i = 0; i < piece->n_filters; i++) {
        const struct template_filter *f = &piece->filters[i];
        struct buf *to = i + 1 == piece->n_filters ? out : &aside[i % 2];

        buf_reset(&aside[i % 2]);
        f->apply(value, f->argument, to);
        if (!buf_ok(to))
            out->overflow = true;
        value = buf_text(&aside[i % 2]);
    }
    if (piece->n_filters == 0)
        buf_adds(out, value);
    buf_free(&aside[0]);
    buf_free(&aside[1]);
}

/* A value that no filter of its own made safe for the place is made so by the place's. What must be
 * one line is one whatever it went through. */
static void end_with_place(struct piece *piece, enum template_place place)
{
    struct template_filter *last = &piece->filters[piece->n_filters];

    for (size_t i = 0; i < piece->n_filters; i++)
        if (piece->filters[i].escapes && place != TEMPLATE_LINE)
            return;
    if (template_filter_of_place(place, last))
        piece->n_filters++;
}

void template_fill_at(const char *text, enum template_place place, template_lookup *lookup,
                      void *ctx, struct buf *out)
{
    struct piece piece;

    while (next_piece(&text, &piece, NULL) > 0) {
        if (!piece.value) {
            buf_add(out, piece.literal.p, piece.literal.n);
            continue;
        }
        end_with_place(&piece, place);
        add_value(&piece, lookup(piece.name, ctx), out);
    }
}

void template_fill(const char *text, template_lookup *lookup, void *ctx, struct buf *out)
{
    template_fill_at(text, TEMPLATE_PLAIN, lookup, ctx, out);
}
