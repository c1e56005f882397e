/*
 * One line of a terminal that is written again and again: progress bars and the state of a task.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "base/buf.h"

/* "clip.mp4 [######......]  52%  12.4 MiB of 23.8 MiB"; total 0: unknown. At most width columns. */
void progress_text(struct buf *out, const char *name, uint64_t done, uint64_t total, size_t width);

/* The line itself, on stderr. */
struct live {
    bool on; /* stderr is a terminal */
    size_t width;
    bool shown;
};

struct live live_new(void);
/* Replaces what the line shows; nothing unless it is a terminal. The text is escaped already. */
void live_show(struct live *l, const char *text);
/* Wipes the line, before something else is printed. */
void live_clear(struct live *l);

#endif
