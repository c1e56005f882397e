/* SPDX-License-Identifier: MIT */
#include "vidu/template.h"

#include "vidu/compose.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define SAMPLE "sample"

/* Endings, digits behind them apart, after which media servers do not show a file. */
static const char *const hidden_endings[] = {
    "-clip",    "-short",     "-scene",   "-other",        "-extra",      "-sample",
    "-trailer", "-interview", "-deleted", "-deletedscene", "-featurette", "-behindthescenes",
};

/* Endings, with a number or a to d behind them, that make a file one part of a larger one. */
static const char *const part_endings[] = {"cd", "dvd", "part", "pt", "disc", "disk"};

/* False beyond either end: the place before the first byte is SIZE_MAX. */
static bool is_word_byte(const char *text, size_t n, size_t i)
{
    return i < n && isalnum((unsigned char)text[i]) != 0;
}

static bool ends_with(const char *text, size_t n, const char *ending)
{
    size_t m = strlen(ending);

    return n >= m && strncasecmp(text + n - m, ending, m) == 0;
}

static size_t without_digits(const char *text, size_t n)
{
    while (n > 0 && isdigit((unsigned char)text[n - 1]))
        n--;
    return n;
}

static bool is_part_number(const char *text, size_t n, size_t stem)
{
    return stem < n || (n > 0 && strchr("abcdABCD", text[n - 1]) != NULL);
}

static bool has_hidden_ending(const char *text, size_t n)
{
    size_t stem = without_digits(text, n);
    size_t part = stem < n ? stem : n - (n > 0);

    for (size_t i = 0; i < ARRAY_LEN(hidden_endings); i++)
        if (ends_with(text, stem, hidden_endings[i]))
            return true;
    while (part > 0 && strchr(" _.-", text[part - 1]) != NULL)
        part--;
    for (size_t i = 0; is_part_number(text, n, stem) && i < ARRAY_LEN(part_endings); i++)
        if (ends_with(text, part, part_endings[i]) &&
            !is_word_byte(text, part, part - strlen(part_endings[i]) - 1))
            return true;
    return ends_with(text, n, SAMPLE) && !is_word_byte(text, n, n - sizeof(SAMPLE));
}

/* White space of any kind becomes one blank; what is hidden or no file system likes,
 * and bad UTF-8 (hidden, as NUL is), goes. */
static void add_clean(const char *text, struct buf *out)
{
    size_t n = strlen(text);

    for (size_t i = 0, step; i < n; i += step != 0 ? step : 1) {
        bool blank = text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r');

        step = str_utf8_step(text + i, n - i);
        if (blank && (out->len == 0 || out->data[out->len - 1] == ' '))
            continue;
        if (blank)
            buf_addc(out, ' ');
        else if (!str_is_hidden(str_utf8_char(text + i, step)) &&
                 (step > 1 || strchr("/\\:*?\"<>|", text[i]) == NULL))
            buf_add(out, text + i, step);
    }
}

/* The word "sample" gets an underscore in the middle; the rest is copied. */
static void add_defused(const char *text, size_t n, struct buf *out)
{
    const size_t m = sizeof(SAMPLE) - 1;

    for (size_t i = 0; i < n;) {
        bool word = n - i >= m && strncasecmp(text + i, SAMPLE, m) == 0 &&
                    !is_word_byte(text, n, i - 1) && !is_word_byte(text, n, i + m);

        if (word) {
            buf_add(out, text + i, m / 2);
            buf_addc(out, '_');
            buf_add(out, text + i + m / 2, m - m / 2);
            i += m;
        } else {
            buf_addc(out, text[i++]);
        }
    }
}

static size_t trimmed_end(const char *text, size_t n)
{
    while (n > 0 && (text[n - 1] == '.' || text[n - 1] == ' '))
        n--;
    return n;
}

void template_file_name(const char *text, size_t max, struct buf *out)
{
    autobuf struct buf composed = BUF_INIT(strlen(text));
    autobuf struct buf clean = BUF_INIT(strlen(text));
    autobuf struct buf name = BUF_INIT(2 * strlen(text));
    size_t lead;
    size_t n;

    compose_add(text, &composed);
    add_clean(buf_text(&composed), &clean);
    lead = strspn(buf_text(&clean), ". ");
    add_defused(buf_text(&clean) + lead, clean.len - lead, &name);
    n = trimmed_end(buf_text(&name), str_utf8_cut(buf_text(&name), name.len, max));
    if (!has_hidden_ending(buf_text(&name), n)) {
        buf_add(out, buf_text(&name), n);
        return;
    }
    buf_add(out, buf_text(&name), str_utf8_cut(buf_text(&name), n, max - 1));
    buf_addc(out, '_');
}
