/* SPDX-License-Identifier: MIT */
#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define DISTANCE_MAX 63

struct slice slice_str(const char *s)
{
    return (struct slice){s != NULL ? s : "", s != NULL ? strlen(s) : 0};
}

bool slice_is(struct slice s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

bool slice_is_nocase(struct slice s, const char *text)
{
    return s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

bool str_eq(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool str_eq_nocase(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcasecmp(a, b) == 0;
}

bool str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *s, const char *suffix)
{
    size_t n = strlen(s);
    size_t m = strlen(suffix);

    return n >= m && memcmp(s + n - m, suffix, m) == 0;
}

bool str_empty(const char *s)
{
    return s == NULL || s[0] == '\0';
}

const char *str_or(const char *s, const char *fallback)
{
    return s != NULL ? s : fallback;
}

/* Rows of the Unicode standard's table 3-7: lead byte, length, range of the second byte. */
static const struct utf8_row {
    unsigned char lead_from, lead_to, len, second_from, second_to;
} utf8_rows[] = {
    {0x00, 0x7f, 1, 0, 0},       {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf},
    {0xe1, 0xec, 3, 0x80, 0xbf}, {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

static const struct utf8_row *utf8_row_of(unsigned char lead)
{
    for (size_t i = 0; i < ARRAY_LEN(utf8_rows); i++)
        if (lead >= utf8_rows[i].lead_from && lead <= utf8_rows[i].lead_to)
            return &utf8_rows[i];
    return NULL;
}

size_t str_utf8_step(const char *p, size_t n)
{
    const unsigned char *u = (const unsigned char *)p;
    const struct utf8_row *row = n != 0 ? utf8_row_of(u[0]) : NULL;

    if (row == NULL || row->len > n)
        return 0;
    if (row->len > 1 && (u[1] < row->second_from || u[1] > row->second_to))
        return 0;
    for (size_t i = 2; i < row->len; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    return row->len;
}

bool str_is_utf8(const char *p, size_t n)
{
    for (size_t i = 0; i < n;) {
        size_t step = str_utf8_step(p + i, n - i);

        if (step == 0)
            return false;
        i += step;
    }
    return true;
}

size_t str_utf8_cut(const char *p, size_t n, size_t max)
{
    if (n <= max)
        return n;
    while (max > 0 && ((unsigned char)p[max] & 0xc0) == 0x80)
        max--;
    return max;
}

uint32_t str_utf8_char(const char *p, size_t step)
{
    static const unsigned char lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = (unsigned char)p[0] & lead_mask[step];

    for (size_t i = 1; i < step; i++)
        c = c << 6 | ((unsigned char)p[i] & 0x3f);
    return c;
}

bool str_in_ranges(uint32_t c, const struct str_range *ranges, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (c >= ranges[i].from && c <= ranges[i].to)
            return true;
    return false;
}

bool str_is_hidden(uint32_t c)
{
    static const struct str_range hidden[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0x061c, 0x061c}, {0x200e, 0x200f},
        {0x2028, 0x202e}, {0x2066, 0x2069}, {0xfeff, 0xfeff},
    };

    return str_in_ranges(c, hidden, ARRAY_LEN(hidden));
}

bool str_glob(const char *pattern, const char *text)
{
    const char *star = NULL;
    const char *resume = NULL;

    while (*text != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == '?' || *pattern == *text) {
            pattern++;
            text++;
        } else if (star != NULL) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t str_distance(const char *a, const char *b)
{
    size_t n = strlen(a);
    size_t m = strlen(b);
    size_t rows[3][DISTANCE_MAX + 1]; /* the row of i, and the two before it, by turns */

    if (n > DISTANCE_MAX || m > DISTANCE_MAX)
        return SIZE_MAX;
    for (size_t j = 0; j <= m; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *swapped = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], swapped[j - 2] + 1);
        }
    }
    return rows[n % 3][m];
}

int str_to_u64(const char *s, size_t n, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;

    if (n == 0)
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -EINVAL;
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s[i] - '0'), &value))
            return -ERANGE;
    }
    if (value > max)
        return -ERANGE;
    *out = value;
    return 0;
}

struct unit {
    const char *suffix;
    uint64_t factor;
};

static const struct unit time_units[] = {
    {"", 1000}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000},
};

static const struct unit size_units[] = {
    {"", 1},           {"B", 1},          {"K", 1U << 10},
    {"KiB", 1U << 10}, {"M", 1U << 20},   {"MiB", 1U << 20},
    {"G", 1U << 30},   {"GiB", 1U << 30}, {"TiB", UINT64_C(1) << 40},
};

static int scaled(const char *s, const struct unit *units, size_t n_units, uint64_t *out)
{
    size_t digits = strspn(s, "0123456789");
    uint64_t value;
    int rc = str_to_u64(s, digits, INT64_MAX, &value);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n_units; i++) {
        if (strcmp(s + digits, units[i].suffix) != 0)
            continue;
        if (__builtin_mul_overflow(value, units[i].factor, &value) || value > INT64_MAX)
            return -ERANGE;
        *out = value;
        return 0;
    }
    return -EINVAL;
}

int str_to_ms(const char *s, int64_t *out_ms)
{
    uint64_t value;
    int rc = scaled(s, time_units, ARRAY_LEN(time_units), &value);

    if (rc == 0)
        *out_ms = (int64_t)value;
    return rc;
}

int str_to_bytes(const char *s, uint64_t *out)
{
    return scaled(s, size_units, ARRAY_LEN(size_units), out);
}

void str_from_bytes(uint64_t n, char out[16])
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = (double)n;
    size_t i = 0;

    while (value >= 1024 && i + 1 < ARRAY_LEN(names)) {
        value /= 1024;
        i++;
    }
    snprintf(out, 16, i == 0 ? "%.0f %s" : "%.1f %s", value, names[i]);
}

void str_from_ms(int64_t ms, char out[24])
{
    long long s = ms / 1000;

    if (ms < 1000)
        snprintf(out, 24, "%lldms", (long long)ms);
    else if (s < 60)
        snprintf(out, 24, "%lld.%llds", s, (long long)(ms % 1000) / 100);
    else if (s < 3600)
        snprintf(out, 24, "%lldm%02llds", s / 60, s % 60);
    else
        snprintf(out, 24, "%lldh%02lldm", s / 3600, s % 3600 / 60);
}
