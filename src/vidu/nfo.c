/* SPDX-License-Identifier: MIT */
#include "vidu/nfo.h"

#include <ctype.h>
#include <string.h>

#define TITLE_MAX 120
#define PLOT_MAX  (16U << 10)
#define TAG_MAX   256
#define TAGS_MAX  64

/*
 * What may not stand between tags as it is. Quotes may, and do: MiniDLNA 1.3.0 shows entities as
 * they are written, and quotes are frequent.
 */
static const struct escape {
    char byte;
    const char *text;
} escapes[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}};

static void add_byte(char c, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
        if (escapes[i].byte == c) {
            buf_adds(out, escapes[i].text);
            return;
        }
    }
    buf_addc(out, c);
}

/* Two and three bytes that are well-formed UTF-8 and yet not for XML: U+0080-9F, U+FFFE, U+FFFF. */
static bool is_forbidden(const char *p, size_t step)
{
    return (step == 2 && p[0] == '\xc2' && (unsigned char)p[1] < 0xa0) ||
           (step == 3 && p[0] == '\xef' && p[1] == '\xbf' && (unsigned char)p[2] >= 0xbe);
}

/* Runs of blanks become one, at the start none; a plot keeps its lines. */
static void add_space(char c, bool one_line, size_t start, struct buf *out)
{
    if (c == '\n' && !one_line)
        buf_addc(out, '\n');
    else if (out->len > start && out->data[out->len - 1] != ' ')
        buf_addc(out, ' ');
}

static void add_text(const char *text, size_t n, bool one_line, struct buf *out)
{
    size_t start = out->len;

    for (size_t i = 0, step; i < n; i += step != 0 ? step : 1) {
        step = str_utf8_step(text + i, n - i);
        if (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r'))
            add_space(text[i], one_line, start, out);
        else if (step > 1 && !is_forbidden(text + i, step))
            buf_add(out, text + i, step);
        else if (step == 1 && text[i] >= 0x20 && text[i] != 0x7f)
            add_byte(text[i], out);
    }
}

static void add_cut(const char *text, size_t max, bool one_line, struct buf *out)
{
    add_text(text, str_utf8_cut(text, strlen(text), max), one_line, out);
}

static void add_element(const char *name, const char *text, size_t max, struct buf *out)
{
    if (*text == '\0')
        return;
    buf_addf(out, "  <%s>", name);
    add_cut(text, max, !str_eq(name, "plot"), out);
    buf_addf(out, "</%s>\n", name);
}

static void add_title(const struct nfo *nfo, struct buf *out)
{
    buf_adds(out, "  <title>");
    add_cut(nfo->title, TITLE_MAX, true, out);
    if (nfo->number > 1)
        buf_addf(out, " (%zu)", nfo->number);
    buf_adds(out, "</title>\n");
}

/* The day or, for dateadded, the second of a time. */
static void add_time(const char *name, const char *at, bool whole, struct buf *out)
{
    static const char form[] = "0000-00-00T00:00:00";

    for (size_t i = 0; form[i] != '\0'; i++)
        if (form[i] == '0' ? !isdigit((unsigned char)at[i]) : at[i] != form[i])
            return;
    buf_addf(out, "  <%s>%.10s", name, at);
    if (whole)
        buf_addf(out, " %.8s", at + 11);
    buf_addf(out, "</%s>\n", name);
}

void nfo_write(const struct nfo *nfo, struct buf *out)
{
    buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<movie>\n");
    add_title(nfo, out);
    add_element("plot", nfo->plot, PLOT_MAX, out);
    add_time("premiered", nfo->created_at, false, out);
    add_time("dateadded", nfo->finished_at, true, out);
    buf_adds(out, "  <studio>Vidu</studio>\n  <genre>AI video</genre>\n");
    for (size_t i = 0; i < nfo->n_tags && i < TAGS_MAX; i++)
        add_element("tag", nfo->tags[i], TAG_MAX, out);
    if (*nfo->task_id != '\0') {
        buf_adds(out, "  <uniqueid type=\"vidu\" default=\"true\">");
        add_cut(nfo->task_id, TAG_MAX, true, out);
        buf_adds(out, "</uniqueid>\n");
    }
    buf_adds(out, "  <lockdata>true</lockdata>\n</movie>\n");
}
