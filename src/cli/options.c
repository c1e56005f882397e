/* SPDX-License-Identifier: MIT */
#include "cli/options.h"

#include "base/str.h"
#include "cli/suggest.h"

#include <errno.h>
#include <string.h>

#define NUMBER_MAX 9999 /* rows; the daemon lists no more at once */

/* The rest of argv and where it is read into. */
struct reader {
    struct options *o;
    const struct option_row *const *tables;
    int argc;
    char **argv;
    int at; /* next argument */
    struct err *err;
};

static const struct option_row *row_by_name(const struct option_row *const *tables,
                                            struct slice name)
{
    for (; *tables != NULL; tables++)
        for (const struct option_row *row = *tables; row->name != NULL; row++)
            if (slice_is(name, row->name))
                return row;
    return NULL;
}

static const struct option_row *row_by_letter(const struct option_row *const *tables, char letter)
{
    for (; *tables != NULL; tables++)
        for (const struct option_row *row = *tables; row->name != NULL; row++)
            if (row->letter == letter)
                return row;
    return NULL;
}

static int unknown_name(struct reader *r, struct slice name)
{
    autofree char *word = mem_strndup(name.p, name.n);
    struct suggestion near = {.word = word};

    for (const struct option_row *const *t = r->tables; *t != NULL; t++)
        for (const struct option_row *row = *t; row->name != NULL; row++)
            suggest_consider(&near, row->name);
    if (near.best != NULL)
        return err_set(r->err, -EINVAL, "unknown option --%s; did you mean --%s?", word, near.best);
    return err_set(r->err, -EINVAL, "unknown option --%s", word);
}

static int check_value(const struct option_row *row, const char *value, struct err *err)
{
    int64_t ms;
    uint64_t number;

    if (row->kind == OPTION_DURATION && str_to_ms(value, &ms) < 0)
        return err_set(err, -EINVAL, "--%s %s: not a duration such as 90s, 5m or 2h", row->name,
                       value);
    if (row->kind == OPTION_NUMBER &&
        (str_to_u64(value, strlen(value), NUMBER_MAX, &number) < 0 || number == 0))
        return err_set(err, -EINVAL, "--%s %s: not a whole number of 1 to %d", row->name, value,
                       NUMBER_MAX);
    return 0;
}

static int add_use(struct reader *r, const struct option_row *row, const char *value)
{
    struct options *o = r->o;
    int rc = value != NULL ? check_value(row, value, r->err) : 0;

    if (rc < 0)
        return rc;
    o->uses = mem_realloc(o->uses, o->n_uses + 1, sizeof(*o->uses));
    o->uses[o->n_uses++] = (struct option_use){row, value};
    return 0;
}

/* A row whose value was not in the same argument. */
static int add_with_next(struct reader *r, const struct option_row *row)
{
    if (row->kind == OPTION_FLAG)
        return add_use(r, row, NULL);
    if (r->at == r->argc)
        return err_set(r->err, -EINVAL, "--%s needs %s", row->name, row->argument);
    if (!str_is_utf8(r->argv[r->at], strlen(r->argv[r->at])))
        return err_set(r->err, -EINVAL, "the value of --%s is not UTF-8", row->name);
    return add_use(r, row, r->argv[r->at++]);
}

static int read_long(struct reader *r, const char *text)
{
    const char *equals = strchr(text, '=');
    struct slice name = {text, equals != NULL ? (size_t)(equals - text) : strlen(text)};
    const struct option_row *row = row_by_name(r->tables, name);

    if (row == NULL)
        return unknown_name(r, name);
    if (equals == NULL)
        return add_with_next(r, row);
    if (row->kind == OPTION_FLAG)
        return err_set(r->err, -EINVAL, "--%s takes no value", row->name);
    return add_use(r, row, equals + 1);
}

static int read_letters(struct reader *r, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        const struct option_row *row = row_by_letter(r->tables, *letters);
        int rc;

        if (row == NULL)
            return err_set(r->err, -EINVAL, "unknown option -%c", *letters);
        if (row->kind != OPTION_FLAG && letters[1] != '\0')
            return add_use(r, row, letters + 1);
        rc = add_with_next(r, row);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static void add_word(struct options *o, const char *word)
{
    o->words = mem_realloc(o->words, o->n_words + 1, sizeof(*o->words));
    o->words[o->n_words++] = word;
}

int options_parse(struct options *o, const struct option_row *const *tables, int argc, char **argv,
                  bool stop_at_word, struct err *err)
{
    struct reader r = {.o = o, .tables = tables, .argc = argc, .argv = argv, .err = err};
    bool ended = false;

    while (r.at < argc) {
        const char *arg = argv[r.at];
        int rc = 0;

        if (!str_is_utf8(arg, strlen(arg)))
            return err_set(r.err, -EINVAL, "argument %d is not UTF-8", r.at + 1);
        if (ended || arg[0] != '-' || arg[1] == '\0') {
            if (stop_at_word)
                break;
            add_word(o, arg);
            r.at++;
            continue;
        }
        r.at++;
        if (str_eq(arg, "--"))
            ended = true;
        else
            rc = arg[1] == '-' ? read_long(&r, arg + 2) : read_letters(&r, arg + 1);
        if (rc < 0)
            return rc;
    }
    return r.at;
}

void options_clear(struct options *o)
{
    free(o->uses);
    free(o->words);
    *o = (struct options){0};
}

static const struct option_use *last_use(const struct options *o, const char *name)
{
    for (size_t i = o->n_uses; i-- > 0;)
        if (str_eq(o->uses[i].row->name, name))
            return &o->uses[i];
    return NULL;
}

bool options_has(const struct options *o, const char *name)
{
    return last_use(o, name) != NULL;
}

const char *options_text(const struct options *o, const char *name)
{
    const struct option_use *use = last_use(o, name);

    return use != NULL ? use->value : NULL;
}

int64_t options_ms(const struct options *o, const char *name, int64_t fallback)
{
    const char *text = options_text(o, name);
    int64_t ms;

    return text != NULL && str_to_ms(text, &ms) == 0 ? ms : fallback;
}

int64_t options_number(const struct options *o, const char *name, int64_t fallback)
{
    const char *text = options_text(o, name);
    uint64_t number;

    if (text == NULL || str_to_u64(text, strlen(text), INT64_MAX, &number) < 0)
        return fallback;
    return (int64_t)number;
}

const char *options_next(const struct options *o, const char *name, size_t *at)
{
    while (*at < o->n_uses) {
        const struct option_use *use = &o->uses[(*at)++];

        if (str_eq(use->row->name, name))
            return use->value;
    }
    return NULL;
}
