/* SPDX-License-Identifier: MIT */
#include "runner/sweep.h"

#include "base/clock.h"
#include "http/fetch.h"

#include <sys/stat.h>

#define PART_LIFE_MS (INT64_C(7) * 24 * 3600 * 1000)
#define EVERY_MS     (INT64_C(3600) * 1000)

/* The entry of this directory, or the one to use for it. */
static struct sweep_dir *find_dir(struct sweep *s, const struct stat *st, bool *known)
{
    struct sweep_dir *oldest = &s->dirs[0];

    for (size_t i = 0; i < s->n; i++) {
        struct sweep_dir *d = &s->dirs[i];

        *known = d->dev == st->st_dev && d->ino == st->st_ino;
        if (*known)
            return d;
        if (d->at_ms < oldest->at_ms)
            oldest = d;
    }
    *known = false;
    return s->n < SWEEP_DIRS ? &s->dirs[s->n++] : oldest;
}

bool sweep_dir(struct sweep *s, int dir_fd)
{
    int64_t now_ms = clock_mono_ms();
    struct sweep_dir *d;
    struct stat st;
    bool known;

    if (fstat(dir_fd, &st) < 0)
        return false;
    d = find_dir(s, &st, &known);
    if (known && now_ms - d->at_ms < EVERY_MS)
        return false;
    *d = (struct sweep_dir){.dev = st.st_dev, .ino = st.st_ino, .at_ms = now_ms};
    fetch_sweep(dir_fd, PART_LIFE_MS);
    return true;
}
