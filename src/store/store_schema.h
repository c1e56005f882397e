/*
 * The tables of the store as text, and the steps that bring older ones up to date.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_STORE_SCHEMA_H
#define STORE_STORE_SCHEMA_H

#include <stddef.h>

/* "vhk1", in the file's header: tells our databases from those of others. */
#define SCHEMA_APPLICATION_ID 1986554673

/* From version `from` to the next; its last statement sets PRAGMA user_version. */
struct schema_step {
    int from;
    const char *sql;
};

struct schema {
    int version;
    const char *create; /* everything at once, for a new file */
    const struct schema_step *steps;
    size_t n_steps;
};

extern const struct schema schema_current;

#endif
