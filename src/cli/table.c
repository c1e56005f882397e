/* SPDX-License-Identifier: MIT */
#include "cli/table.h"

#include "cli/term.h"

#include <stdio.h>

#define CELL_MAX   (64U << 10)
#define GAP        2
#define LAST_LEAST 8 /* columns the last cell keeps however narrow the window is */

struct cell {
    char *text;
    size_t columns;
    const char *color;
};

struct table {
    const char *const *titles;
    size_t n_columns;
    struct cell *cells;
    size_t n_cells;
};

struct table *table_new(const char *const *titles)
{
    struct table *t = mem_calloc(1, sizeof(*t));

    t->titles = titles;
    while (titles[t->n_columns] != NULL)
        t->n_columns++;
    return t;
}

void table_free(struct table *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i].text);
    free(t->cells);
    free(t);
}

void table_cell(struct table *t, const char *text, const char *color)
{
    struct buf b = BUF_INIT(CELL_MAX);
    struct cell *cell;

    term_adds(&b, text);
    t->cells = mem_realloc(t->cells, t->n_cells + 1, sizeof(*t->cells));
    cell = &t->cells[t->n_cells++];
    cell->text = buf_take(&b);
    cell->columns = term_columns(cell->text);
    cell->color = color;
}

void table_cellf(struct table *t, const char *fmt, ...)
{
    autobuf struct buf b = BUF_INIT(CELL_MAX);
    va_list ap;

    va_start(ap, fmt);
    buf_vaddf(&b, fmt, ap);
    va_end(ap);
    table_cell(t, buf_text(&b), "");
}

static const char *title_text(const char *title)
{
    return title[0] == '>' ? title + 1 : title;
}

static void measure(const struct table *t, size_t *widths)
{
    for (size_t c = 0; c < t->n_columns; c++)
        widths[c] = term_columns(title_text(t->titles[c]));
    for (size_t i = 0; i < t->n_cells; i++)
        if (t->cells[i].columns > widths[i % t->n_columns])
            widths[i % t->n_columns] = t->cells[i].columns;
}

/* What is left for the last column. */
static size_t last_width(const struct table *t, const size_t *widths, size_t width)
{
    size_t before = 0;

    if (width == 0)
        return SIZE_MAX;
    for (size_t c = 0; c + 1 < t->n_columns; c++)
        before += widths[c] + GAP;
    return before + LAST_LEAST < width ? width - before : LAST_LEAST;
}

static void add_spaces(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_addc(out, ' ');
}

static void render_row(const struct table *t, const struct cell *row, const size_t *widths,
                       bool color, size_t last, struct buf *out)
{
    for (size_t c = 0; c < t->n_columns; c++) {
        bool is_last = c + 1 == t->n_columns;
        size_t pad = widths[c] > row[c].columns ? widths[c] - row[c].columns : 0;
        autobuf struct buf text = BUF_INIT(CELL_MAX);

        term_add_cut(&text, row[c].text, is_last ? last : SIZE_MAX);
        if (t->titles[c][0] == '>')
            add_spaces(out, pad);
        term_add_colored(out, color ? row[c].color : "", buf_text(&text));
        if (t->titles[c][0] != '>' && !is_last)
            add_spaces(out, pad);
        if (!is_last)
            add_spaces(out, GAP);
    }
    buf_addc(out, '\n');
}

static void render_titles(const struct table *t, const size_t *widths, bool color, size_t last,
                          struct buf *out)
{
    struct cell *row = mem_calloc(t->n_columns, sizeof(*row));

    for (size_t c = 0; c < t->n_columns; c++) {
        row[c].text = (char *)(uintptr_t)title_text(t->titles[c]); /* only read */
        row[c].columns = term_columns(row[c].text);
        row[c].color = "1";
    }
    render_row(t, row, widths, color, last, out);
    free(row);
}

void table_render(const struct table *t, size_t width, bool color, struct buf *out)
{
    autofree size_t *widths = mem_calloc(t->n_columns, sizeof(*widths));
    size_t last;

    measure(t, widths);
    last = last_width(t, widths, width);
    render_titles(t, widths, color, last, out);
    for (size_t i = 0; i + t->n_columns <= t->n_cells; i += t->n_columns)
        render_row(t, &t->cells[i], widths, color, last, out);
}
