/* SPDX-License-Identifier: MIT */
#include "cli/when.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Digits at fixed places of the text; the other characters must be these. */
static const char form[] = "dddd-dd-ddTdd:dd:dd";

static bool has_form(const char *text)
{
    for (size_t i = 0; form[i] != '\0'; i++)
        if (form[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    return true;
}

static int number(const char *p, size_t n)
{
    int value = 0;

    while (n-- > 0)
        value = value * 10 + (*p++ - '0');
    return value;
}

/* timegm makes the 2nd of March of a 30th of February, and a day of a month 99. */
static bool is_on_the_calendar(const struct tm *tm)
{
    struct tm same = *tm;

    (void)timegm(&same);
    return same.tm_mon == tm->tm_mon && same.tm_mday == tm->tm_mday &&
           same.tm_hour == tm->tm_hour && same.tm_min == tm->tm_min && same.tm_sec == tm->tm_sec;
}

int when_parse(const char *text, int64_t *wall_ms)
{
    struct tm tm;
    const char *rest;
    int ms = 0;

    if (!has_form(text))
        return -EINVAL;
    rest = text + strlen(form);
    if (rest[0] == '.' && strspn(rest + 1, "0123456789") == 3) {
        ms = number(rest + 1, 3);
        rest += 4;
    }
    if (!str_eq(rest, "Z"))
        return -EINVAL;
    tm = (struct tm){.tm_year = number(text, 4) - 1900,
                     .tm_mon = number(text + 5, 2) - 1,
                     .tm_mday = number(text + 8, 2),
                     .tm_hour = number(text + 11, 2),
                     .tm_min = number(text + 14, 2),
                     .tm_sec = number(text + 17, 2)};
    if (!is_on_the_calendar(&tm))
        return -EINVAL;
    *wall_ms = (int64_t)timegm(&tm) * 1000 + ms;
    return 0;
}

int when_since(const char *text, int64_t now_ms, int64_t *wall_ms, struct err *err)
{
    autofree char *day = mem_printf("%sT00:00:00Z", text);
    int64_t ms;

    if (when_parse(text, wall_ms) == 0 || when_parse(day, wall_ms) == 0)
        return 0;
    if (str_to_ms(text, &ms) < 0)
        return err_set(err, -EINVAL,
                       "--since %s: write a duration such as 12h or 7d, or a day such as "
                       "2026-11-20",
                       text);
    *wall_ms = ms < now_ms ? now_ms - ms : 0;
    return 0;
}

void when_age(int64_t ms, char out[24])
{
    static const struct {
        int64_t from, unit;
        char letter;
    } steps[] = {{172800, 86400, 'd'}, {7200, 3600, 'h'}, {120, 60, 'm'}, {0, 1, 's'}};
    int64_t s = ms > 0 ? ms / 1000 : 0;
    size_t i = 0;

    while (s < steps[i].from)
        i++;
    snprintf(out, 24, "%lld%c", (long long)(s / steps[i].unit), steps[i].letter);
}

void when_relative(int64_t at_ms, int64_t now_ms, char out[32])
{
    char age[24];

    when_age(at_ms < now_ms ? now_ms - at_ms : at_ms - now_ms, age);
    if (str_eq(age, "0s"))
        snprintf(out, 32, "now");
    else
        snprintf(out, 32, at_ms < now_ms ? "%s ago" : "in %s", age);
}

void when_local(int64_t at_ms, char out[16])
{
    time_t t = (time_t)(at_ms / 1000);
    struct tm tm;

    if (localtime_r(&t, &tm) == NULL || strftime(out, 16, "%H:%M:%S", &tm) == 0)
        snprintf(out, 16, "-");
}
