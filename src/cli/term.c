/* SPDX-License-Identifier: MIT */
#include "cli/term.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* Letters that nobody sees, which can spell a text inside another one. */
static const struct str_range tags[] = {{0xe0000, 0xe007f}};

static const struct str_range wide[] = {
    {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
    {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xac00, 0xd7a3},   {0xf900, 0xfaff},
    {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
    {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
};

static const struct str_range narrow[] = {
    /* no column of their own */
    {0x0300, 0x036f}, {0x200b, 0x200d}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
};

static void add_hidden(struct buf *out, uint32_t c)
{
    if (c > 0xffff) /* a surrogate pair, as in JSON */
        buf_addf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                 0xdc00 + ((c - 0x10000) & 0x3ff));
    else
        buf_addf(out, "\\u%04x", c);
}

void term_escape(struct buf *out, const char *p, size_t n, bool lines)
{
    for (size_t i = 0; i < n;) {
        size_t step = str_utf8_step(p + i, n - i);
        uint32_t c = str_utf8_char(p + i, step);

        if (step == 0)
            buf_addf(out, "\\x%02x", (unsigned char)p[i]);
        else if (lines && (c == '\n' || c == '\t'))
            buf_addc(out, p[i]);
        else if (str_is_hidden(c) || str_in_ranges(c, tags, ARRAY_LEN(tags)))
            add_hidden(out, c);
        else
            buf_add(out, p + i, step);
        i += step != 0 ? step : 1;
    }
}

void term_adds(struct buf *out, const char *s)
{
    if (s != NULL)
        term_escape(out, s, strlen(s), false);
}

static size_t char_columns(const char *p, size_t step)
{
    uint32_t c = str_utf8_char(p, step);

    if (str_in_ranges(c, narrow, ARRAY_LEN(narrow)))
        return 0;
    return str_in_ranges(c, wide, ARRAY_LEN(wide)) ? 2 : 1;
}

/* Bytes of s that fit into so many columns; *used says how many those take. */
static size_t fit(const char *s, size_t columns, size_t *used)
{
    size_t n = strlen(s);
    size_t i = 0;

    *used = 0;
    while (i < n) {
        size_t step = str_utf8_step(s + i, n - i);
        size_t width = step != 0 ? char_columns(s + i, step) : 1;

        if (*used + width > columns)
            break;
        *used += width;
        i += step != 0 ? step : 1;
    }
    return i;
}

size_t term_columns(const char *s)
{
    size_t used;

    (void)fit(s, SIZE_MAX, &used);
    return used;
}

void term_add_cut(struct buf *out, const char *s, size_t columns)
{
    size_t used;
    size_t n = fit(s, columns, &used);

    if (s[n] == '\0') {
        buf_add(out, s, n);
    } else if (columns > 0) {
        n = fit(s, columns - 1, &used);
        buf_add(out, s, n);
        buf_adds(out, "\xe2\x80\xa6");
    }
}

static const struct state_color {
    const char *state, *color;
} state_colors[] = {
    {"registered", "36"}, {"submitted", "36"}, {"queued", "36"},   {"processing", "34"},
    {"success", "32"},    {"failed", "31"},    {"rejected", "31"}, {"cancelled", "33"},
    {"ambiguous", "33"},  {"lost", "35"},      {"running", "34"},  {"ready", "36"},
    {"waiting", "36"},    {"done", "32"},      {"dead", "31"},
};

const char *term_state_color(const char *state)
{
    for (size_t i = 0; i < ARRAY_LEN(state_colors); i++)
        if (str_eq(state_colors[i].state, state))
            return state_colors[i].color;
    return "";
}

void term_add_colored(struct buf *out, const char *color, const char *s)
{
    if (color[0] == '\0')
        buf_adds(out, s);
    else
        buf_addf(out, "\033[%sm%s\033[0m", color, s);
}

size_t term_window(int fd)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size;
    uint64_t n;

    if (columns != NULL && str_to_u64(columns, strlen(columns), 10000, &n) == 0 && n >= 20)
        return (size_t)n;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20)
        return size.ws_col;
    return 80;
}
