/* SPDX-License-Identifier: MIT */
#include "cli/progress.h"

#include "cli/term.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define BAR_MOST       40
#define BAR_LEAST      4
#define NAME_MOST      32

static void add_bar(struct buf *out, size_t cells, uint64_t done, uint64_t total)
{
    size_t filled = (size_t)((double)done / (double)total * (double)cells);

    buf_addc(out, '[');
    for (size_t i = 0; i < cells; i++)
        buf_addc(out, i < filled ? '#' : '.');
    buf_addc(out, ']');
}

void progress_text(struct buf *out, const char *name, uint64_t done, uint64_t total, size_t width)
{
    autobuf struct buf head = BUF_INIT(LINE_MAX_BYTES);
    autobuf struct buf safe = BUF_INIT(LINE_MAX_BYTES);
    autobuf struct buf tail = BUF_INIT(64);
    autobuf struct buf line = BUF_INIT(LINE_MAX_BYTES);
    char have[16], all[16];
    size_t used;

    term_adds(&safe, name);
    term_add_cut(&head, buf_text(&safe), NAME_MOST);
    if (done > total && total != 0) /* the other end said too little */
        total = done;
    str_from_bytes(done, have);
    str_from_bytes(total, all);
    if (total != 0)
        buf_addf(&tail, " %3u%% %s of %s", (unsigned)((double)done / (double)total * 100), have,
                 all);
    else
        buf_addf(&tail, " %s", have);
    used = term_columns(buf_text(&head)) + tail.len + 3;
    buf_adds(&line, buf_text(&head));
    if (total != 0 && used + BAR_LEAST <= width) {
        buf_addc(&line, ' ');
        add_bar(&line, width - used < BAR_MOST ? width - used : BAR_MOST, done, total);
    }
    buf_adds(&line, buf_text(&tail));
    term_add_cut(out, buf_text(&line), width);
}

struct live live_new(void)
{
    bool on = isatty(STDERR_FILENO) == 1 && !str_eq(getenv("TERM"), "dumb");

    return (struct live){.on = on, .width = term_window(STDERR_FILENO)};
}

void live_show(struct live *l, const char *text)
{
    autobuf struct buf line = BUF_INIT(LINE_MAX_BYTES);

    if (!l->on)
        return;
    term_add_cut(&line, text, l->width - 1);
    fprintf(stderr, "\r%s\033[K", buf_text(&line));
    fflush(stderr);
    l->shown = true;
}

void live_clear(struct live *l)
{
    if (l->shown)
        fputs("\r\033[K", stderr);
    l->shown = false;
}
