/*
 * Options: one parser over tables of rows.
 *
 * Every use is kept in the order it was given. Forms: --name VALUE, --name=VALUE, -nVALUE,
 * -n VALUE, -ab for flags; `--` ends the options; `-` alone is a word. Everything must be UTF-8,
 * since most of it ends up in JSON.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT, /* the last one given counts */
    OPTION_LIST, /* may be given again; all count */
    OPTION_DURATION,
    OPTION_NUMBER,
};

struct option_row {   /* tables end with a NULL name */
    const char *name; /* without dashes */
    char letter;      /* 0: none */
    enum option_kind kind;
    const char *argument; /* FILE, as help shows it; NULL for flags */
    const char *help;
};

struct option_use {
    const struct option_row *row;
    const char *value; /* NULL for flags; borrowed from argv */
};

struct options {
    struct option_use *uses;
    size_t n_uses;
    const char **words; /* everything that is no option; borrowed from argv */
    size_t n_words;
};

/*
 * Adds what argv holds. tables: a NULL-terminated list of tables. With stop_at_word the first word
 * ends the reading and is not taken. Returns how many arguments were read, or -EINVAL with a text
 * that names the argument and, when it is misspelt, the nearest row.
 */
MUST_CHECK int options_parse(struct options *o, const struct option_row *const *tables, int argc,
                             char **argv, bool stop_at_word, struct err *err);
void options_clear(struct options *o);

/* Questions by name; the value of the last use. */
bool options_has(const struct options *o, const char *name);
const char *options_text(const struct options *o, const char *name); /* NULL: not given */
int64_t options_ms(const struct options *o, const char *name, int64_t fallback);
int64_t options_number(const struct options *o, const char *name, int64_t fallback);
/* The uses of a name in order: starts with *at = 0; NULL at the end. */
const char *options_next(const struct options *o, const char *name, size_t *at);

#endif
