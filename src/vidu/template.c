/* SPDX-License-Identifier: MIT */
#include "vidu/template.h"

#include "vidu/nearest.h"
#include "vidu/percent.h"

#include <errno.h>
#include <string.h>

#define PATH_MAX_BYTES 120

const struct template_name template_names[] = {
    {"event", "VIDUHOOK_EVENT", "why the hook runs: success, failed, cancelled, processing, test"},
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
    {"task.credits", NULL, "what the provider charged"},
    {"url", "VIDUHOOK_URL", "address of the first result"},
    {"cover_url", "VIDUHOOK_COVER_URL", "address of its cover"},
    {"file.path", "VIDUHOOK_FILE", "the downloaded result"},
    {"file.cover", "VIDUHOOK_COVER_FILE", "the downloaded cover"},
    {"file.name", NULL, "the downloaded result without its folder"},
    {"hook", "VIDUHOOK_HOOK", "name of the hook"},
    {"run.id", "VIDUHOOK_RUN_ID", "number of the run, the same in every attempt"},
    {"run.attempt", "VIDUHOOK_ATTEMPT", "1 for the first attempt"},
    {"run.replay", "VIDUHOOK_REPLAY", "1 when an operator asked for the run again"},
    {"source", "VIDUHOOK_SOURCE", "how the news came: callback, poll, submit, operator"},
    {NULL, NULL, NULL},
};

static void add_raw(const char *value, struct buf *out)
{
    buf_adds(out, value);
}

static void add_json(const char *value, struct buf *out)
{
    buf_add_json(out, value, strlen(value));
}

static void add_url(const char *value, struct buf *out)
{
    percent_encode(value, strlen(value), out);
}

static void add_path(const char *value, struct buf *out)
{
    template_file_name(value, PATH_MAX_BYTES, out);
}

typedef void filter_fn(const char *value, struct buf *out);

static const struct filter {
    const char *name;
    filter_fn *add;
} filters[] = {{"raw", add_raw}, {"json", add_json}, {"url", add_url}, {"path", add_path}};

/* One step of a template: literal bytes, or a value through a filter. */
struct piece {
    struct slice literal;
    const char *name; /* NULL: literal */
    filter_fn *add;
};

static int unknown(const char *what, struct slice word, const char *nearest, struct err *err)
{
    int shown = word.n < 64 ? (int)word.n : 64;

    if (nearest != NULL)
        return err_set(err, -EINVAL, "unknown %s \"%.*s\"; did you mean \"%s\"?", what, shown,
                       word.p, nearest);
    return err_set(err, -EINVAL, "unknown %s \"%.*s\"", what, shown, word.p);
}

static int find_name(struct slice word, struct piece *piece, struct err *err)
{
    autofree char *text = mem_strndup(word.p, word.n);
    struct nearest nearest = NEAREST_INIT(text);

    for (const struct template_name *t = template_names; t->name != NULL; t++) {
        if (str_eq(t->name, text)) {
            piece->name = t->name;
            return 0;
        }
        nearest_offer(&nearest, t->name);
    }
    return unknown("placeholder", word, nearest.best, err);
}

static int find_filter(struct slice word, struct piece *piece, struct err *err)
{
    autofree char *text = mem_strndup(word.p, word.n);
    struct nearest nearest = NEAREST_INIT(text);

    for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
        if (str_eq(filters[i].name, text)) {
            piece->add = filters[i].add;
            return 0;
        }
        nearest_offer(&nearest, filters[i].name);
    }
    return unknown("filter", word, nearest.best, err);
}

/* *at is behind the opening brace. */
static int read_placeholder(const char **at, struct piece *piece, struct err *err)
{
    size_t n = strcspn(*at, "{}");
    const char *bar = memchr(*at, '|', n);
    struct slice name = {*at, bar != NULL ? (size_t)(bar - *at) : n};
    int rc;

    if ((*at)[n] != '}')
        return err_set(err, -EINVAL, "a { without its }; write {{ for a brace");
    piece->add = add_raw;
    rc = find_name(name, piece, err);
    if (rc == 0 && bar != NULL)
        rc = find_filter((struct slice){bar + 1, n - name.n - 1}, piece, err);
    *at += n + 1;
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

void template_fill(const char *text, template_lookup *lookup, void *ctx, struct buf *out)
{
    struct piece piece;

    while (next_piece(&text, &piece, NULL) > 0) {
        if (piece.name == NULL)
            buf_add(out, piece.literal.p, piece.literal.n);
        else
            piece.add(lookup(piece.name, ctx), out);
    }
}
