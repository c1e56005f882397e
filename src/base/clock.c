/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
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

/* Days since 1970-01-01 in the Gregorian calendar; month counts from 0. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = month < 2 ? year - 1 : year; /* years that begin in March */
    int64_t m = (month + 10) % 12;

    return y * 365 + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
}

static int month_length(int year, int month)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

    return lengths[month] + (month == 1 && leap);
}

int clock_parse_http(const char *s, size_t n, int64_t *wall_ms)
{
    int day, month, year, hour, minute, second;
    int64_t since;

    if (n != 29 || memcmp(s + 3, ", ", 2) != 0 || s[7] != ' ' || s[11] != ' ' || s[16] != ' ' ||
        s[19] != ':' || s[22] != ':' || memcmp(s + 25, " GMT", 4) != 0)
        return -EINVAL;
    day = digits(s + 5, 2);
    month = month_of(s + 8);
    year = digits(s + 12, 4);
    hour = digits(s + 17, 2);
    minute = digits(s + 20, 2);
    second = digits(s + 23, 2);
    if (month < 0 || year < 1970 || day < 1 || day > month_length(year, month) || hour < 0 ||
        hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return -EINVAL;
    since = days_from_civil(year, month, day);
    if (memcmp(s, days[(since + 4) % 7], 3) != 0)
        return -EINVAL;
    *wall_ms = (((since * 24 + hour) * 60 + minute) * 60 + second) * 1000;
    return 0;
}
