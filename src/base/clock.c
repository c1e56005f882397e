/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

static int64_t frozen_mono_ms = -1;
static int64_t frozen_wall_ms = -1;

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
    return frozen_mono_ms >= 0 ? frozen_mono_ms : read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
    return frozen_wall_ms >= 0 ? frozen_wall_ms : read_clock(CLOCK_REALTIME);
}

void clock_freeze(int64_t mono_ms, int64_t wall_ms)
{
    frozen_mono_ms = mono_ms;
    frozen_wall_ms = wall_ms;
}

static void split(int64_t wall_ms, struct tm *tm)
{
    time_t seconds = (time_t)(wall_ms / 1000);

    gmtime_r(&seconds, tm);
}

void clock_format_rfc3339(int64_t wall_ms, char out[25])
{
    struct tm tm;
    char text[80];

    split(wall_ms, &tm);
    snprintf(text, sizeof(text), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)(wall_ms % 1000));
    memcpy(out, text, 24);
    out[24] = '\0';
}

void clock_format_http(int64_t wall_ms, char out[30])
{
    struct tm tm;
    char text[80];

    split(wall_ms, &tm);
    snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT", days[tm.tm_wday],
             tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
    memcpy(out, text, 29);
    out[29] = '\0';
}

/* Two or four digits as a number; -1 when one is not a digit. */
static int digits(const char *s, size_t n)
{
    int value = 0;

    for (size_t i = 0; i < n; i++) {
        if (s[i] < '0' || s[i] > '9')
            return -1;
        value = value * 10 + (s[i] - '0');
    }
    return value;
}

static int month_of(const char *s)
{
    for (int i = 0; i < 12; i++)
        if (memcmp(s, months[i], 3) == 0)
            return i;
    return -1;
}

/*
 * Parsing is the inverse of formatting: read the fields from their fixed places, then format
 * the result and compare. What is not byte for byte the canonical form fails there.
 */
int clock_parse_http(const char *s, size_t n, int64_t *wall_ms)
{
    struct tm tm = {0};
    char again[30];
    time_t seconds;

    if (n != 29)
        return -EINVAL;
    tm.tm_mday = digits(s + 5, 2);
    tm.tm_mon = month_of(s + 8);
    tm.tm_year = digits(s + 12, 4) - 1900;
    tm.tm_hour = digits(s + 17, 2);
    tm.tm_min = digits(s + 20, 2);
    tm.tm_sec = digits(s + 23, 2);
    if (tm.tm_mday < 1 || tm.tm_mon < 0 || tm.tm_year < 70 || tm.tm_hour < 0 || tm.tm_min < 0 ||
        tm.tm_sec < 0)
        return -EINVAL;
    seconds = timegm(&tm);
    clock_format_http((int64_t)seconds * 1000, again);
    if (memcmp(s, again, 29) != 0)
        return -EINVAL;
    *wall_ms = (int64_t)seconds * 1000;
    return 0;
}
