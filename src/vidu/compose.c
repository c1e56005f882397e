/* SPDX-License-Identifier: MIT */
#include "vidu/compose.h"

#include "vidu/compose_data.h"

#include <stdlib.h>
#include <string.h>

/* Hangul syllables are arithmetic: a lead, a vowel and at most one tail (Unicode 3.12). */
#define LEAD      0x1100U
#define N_LEADS   19U
#define VOWEL     0x1161U
#define N_VOWELS  21U
#define TAIL      0x11a7U /* the one before the first */
#define N_TAILS   28U
#define SYLLABLES 0xac00U

/* Of a well-formed character. */
static uint32_t decode(const char *p, size_t step)
{
    static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (unsigned char)p[0] & masks[step];

    for (size_t i = 1; i < step; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3f);
    return c;
}

static void encode(uint32_t c, struct buf *out)
{
    if (c < 0x80) {
        buf_addc(out, (char)c);
        return;
    }
    if (c < 0x800) {
        buf_addc(out, (char)(0xc0 | c >> 6));
    } else {
        buf_addc(out, (char)(0xe0 | c >> 12));
        buf_addc(out, (char)(0x80 | (c >> 6 & 0x3f)));
    }
    buf_addc(out, (char)(0x80 | (c & 0x3f)));
}

static int by_pair(const void *key, const void *row)
{
    const struct compose_pair *a = key;
    const struct compose_pair *b = row;

    return a->first != b->first ? a->first - b->first : a->mark - b->mark;
}

static uint32_t find_pair(uint32_t a, uint32_t b)
{
    const struct compose_pair key = {.first = (uint16_t)a, .mark = (uint16_t)b};
    const struct compose_pair *found;

    if (a > UINT16_MAX || b > UINT16_MAX)
        return 0;
    found = bsearch(&key, compose_pairs, ARRAY_LEN(compose_pairs), sizeof(key), by_pair);
    return found != NULL ? found->both : 0;
}

/* What both are together, or 0. Differences below zero are large numbers. */
static uint32_t join(uint32_t a, uint32_t b)
{
    uint32_t syllable = a - SYLLABLES;

    if (a - LEAD < N_LEADS && b - VOWEL < N_VOWELS)
        return SYLLABLES + ((a - LEAD) * N_VOWELS + (b - VOWEL)) * N_TAILS;
    if (syllable < N_LEADS * N_VOWELS * N_TAILS && syllable % N_TAILS == 0 &&
        b - TAIL - 1 < N_TAILS - 1)
        return a + (b - TAIL);
    return find_pair(a, b);
}

void compose_add(const char *text, struct buf *out)
{
    size_t n = strlen(text);
    size_t start = 0; /* of the last character, in out */
    uint32_t last = 0;

    for (size_t i = 0, step; i < n; i += step != 0 ? step : 1) {
        uint32_t c, both;

        step = str_utf8_step(text + i, n - i);
        c = step != 0 ? decode(text + i, step) : 0;
        both = join(last, c);
        if (both != 0) {
            out->len = start;
            encode(both, out);
            last = both;
            continue;
        }
        start = out->len;
        buf_add(out, text + i, step != 0 ? step : 1);
        last = c;
    }
}
