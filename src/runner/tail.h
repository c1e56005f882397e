/*
 * The last bytes of a stream of any length.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_TAIL_H
#define RUNNER_TAIL_H

#include "base/buf.h"

struct tail {
    char *ring; /* NULL until the first byte */
    size_t size;
    uint64_t total; /* bytes that went through */
};

#define TAIL_INIT(bytes) ((struct tail){.size = (bytes)})

void tail_add(struct tail *t, const char *p, size_t n);
/* Appends what was kept, in order, behind a line that counts what was not. What is no UTF-8, and
 * NUL, comes as '?'. */
void tail_text(const struct tail *t, struct buf *out);
/*
 * Appends at most max bytes from offset *from on, likewise; *from is moved to the oldest byte that
 * is kept. A character whose end is missing stays for the next time, unless over says that nothing
 * will come. Returns the offset behind what was taken.
 */
uint64_t tail_range(const struct tail *t, uint64_t *from, size_t max, bool over, struct buf *out);
void tail_free(struct tail *t);

#endif
