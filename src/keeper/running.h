/*
 * The runs under way: which runner has which, since when, and until when it may; and those that
 * begin as soon as one of these ends.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_RUNNING_H
#define KEEPER_RUNNING_H

#include "store/store.h"

struct running {
    int64_t run;
    int64_t task;
    char task_id[TASK_ID_SIZE];
    char *hook;
    unsigned room;
    int attempt;
    int64_t lease_ms; /* monotonic */
    uint64_t done, total;
    bool held;     /* claimed ahead: it waits here for a place */
    bool counted;  /* held, and the attempt is on the disk: it may begin at any time */
    bool suspect;  /* its last attempt ended with the runner's life */
    bool lost;     /* ended, but its outcome is not in the store */
    bool settling; /* its end is in the open batch, which frees it or makes it lost */
    char *text;    /* until it has been handed over */
};

/* Oldest claim first. Rows are valid until they are taken out; taking out moves others. */
struct running_table {
    struct running **rows;
    size_t n, cap;
};

struct running *running_add(struct running_table *t, const struct store_run *run);
void running_remove(struct running_table *t, struct running *r);
struct running *running_find(const struct running_table *t, int64_t run);
/* How many of this hook (NULL: of all hooks) hold a place. One whose end is in the open batch
 * does not: the next run is claimed in the same commit. */
size_t running_count(const struct running_table *t, const char *hook);
/* Whether one that is suspect has a place. */
bool running_suspect(const struct running_table *t);
size_t running_held(const struct running_table *t, const char *hook);
void running_clear(struct running_table *t);

#endif
