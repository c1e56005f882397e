/* SPDX-License-Identifier: MIT */
#include "base/encode.h"

#include <errno.h>
#include <string.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base32_digits[] = "abcdefghijklmnopqrstuvwxyz234567";

/* Place of c in an alphabet, -1 when it is not there (NUL included). */
static int digit_of(const char *alphabet, char c)
{
    const char *at = c != '\0' ? strchr(alphabet, c) : NULL;

    return at != NULL ? (int)(at - alphabet) : -1;
}

void encode_hex(const uint8_t *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i++) {
        out[2 * i] = hex_digits[p[i] >> 4];
        out[2 * i + 1] = hex_digits[p[i] & 15];
    }
    out[2 * n] = '\0';
}

static int hex_value(char c)
{
    return digit_of(hex_digits, c >= 'A' && c <= 'F' ? (char)(c + 32) : c);
}

int decode_hex(const char *s, size_t n, uint8_t *out, size_t out_len)
{
    if (n != 2 * out_len)
        return -EINVAL;
    for (size_t i = 0; i < out_len; i++) {
        int high = hex_value(s[2 * i]);
        int low = hex_value(s[2 * i + 1]);

        if (high < 0 || low < 0)
            return -EINVAL;
        out[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}

static void encode_base64_group(const uint8_t *p, size_t n, char out[4])
{
    uint32_t bits = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);

    out[0] = base64_digits[bits >> 18];
    out[1] = base64_digits[bits >> 12 & 63];
    out[2] = n > 1 ? base64_digits[bits >> 6 & 63] : '=';
    out[3] = n > 2 ? base64_digits[bits & 63] : '=';
}

void encode_base64(const uint8_t *p, size_t n, char *out)
{
    for (size_t i = 0; i < n; i += 3, out += 4)
        encode_base64_group(p + i, n - i < 3 ? n - i : 3, out);
    *out = '\0';
}

void encode_base64_buf(const uint8_t *p, size_t n, struct buf *out)
{
    char chunk[4096 + 1];
    size_t step = 4096 / 4 * 3;

    for (size_t i = 0; i < n; i += step) {
        encode_base64(p + i, n - i < step ? n - i : step, chunk);
        buf_adds(out, chunk);
    }
}

/* One more than what a digit stands for; 0: no digit. Megabytes go through this. */
static const uint8_t base64_values[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['+'] = 63, ['/'] = 64,
};

/* The value of one group of four; -1 when a digit is wrong. pad is the number of '='. */
static int32_t decode_base64_group(const char *s, size_t pad)
{
    int32_t bits = 0;

    for (size_t i = 0; i < 4; i++) {
        int digit = i < 4 - pad ? base64_values[(uint8_t)s[i]] - 1 : 0;

        if (digit < 0)
            return -1;
        bits = bits << 6 | digit;
    }
    return bits;
}

int decode_base64(const char *s, size_t n, uint8_t *out, size_t out_max, size_t *out_len)
{
    size_t pad = n >= 4 ? (size_t)(s[n - 1] == '=') + (s[n - 1] == '=' && s[n - 2] == '=') : 0;
    size_t total = n / 4 * 3 - pad;
    size_t done = 0;

    if (n % 4 != 0 || total > out_max)
        return -EINVAL;
    for (size_t i = 0; i < n; i += 4) {
        size_t here = i + 4 == n ? pad : 0;
        int32_t bits = decode_base64_group(s + i, here);

        if (bits < 0 || (bits & ((1 << (8 * here)) - 1)) != 0)
            return -EINVAL;
        for (size_t k = 0; k < 3 - here; k++)
            out[done++] = (uint8_t)(bits >> (16 - 8 * k));
    }
    *out_len = total;
    return 0;
}

void encode_base32(const uint8_t *p, size_t n, char *out)
{
    uint32_t bits = 0;
    unsigned have = 0;

    for (size_t i = 0; i < n; i++) {
        bits = bits << 8 | p[i];
        for (have += 8; have >= 5; have -= 5)
            *out++ = base32_digits[bits >> (have - 5) & 31];
    }
    if (have > 0)
        *out++ = base32_digits[bits << (5 - have) & 31];
    *out = '\0';
}

int decode_base32(const char *s, size_t n, uint8_t *out, size_t out_len)
{
    uint32_t bits = 0;
    unsigned have = 0;
    size_t done = 0;

    if (n != BASE32_LEN(out_len))
        return -EINVAL;
    for (size_t i = 0; i < n; i++) {
        int digit = digit_of(base32_digits, s[i]);

        if (digit < 0)
            return -EINVAL;
        bits = bits << 5 | (uint32_t)digit;
        have += 5;
        if (have >= 8) {
            have -= 8;
            out[done++] = (uint8_t)(bits >> have);
        }
    }
    return (bits & ((1U << have) - 1)) == 0 ? 0 : -EINVAL;
}
