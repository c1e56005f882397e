/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A text that was cut ends with a whole character, so that it can stand in JSON. */
static void end_whole(struct err *err)
{
    size_t n = strlen(err->text);
    size_t last = n;

    if (n + 1 < sizeof(err->text))
        return;
    while (last > 0 && ((unsigned char)err->text[last - 1] & 0xc0) == 0x80)
        last--;
    if (last > 0 && str_utf8_step(err->text + last - 1, n - last + 1) == 0)
        err->text[last - 1] = '\0';
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
    va_list ap;

    if (err == NULL)
        return code;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    end_whole(err);
    return code;
}

int err_sys(struct err *err, int code, const char *fmt, ...)
{
    va_list ap;
    size_t n;

    if (err == NULL)
        return code;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    n = strlen(err->text);
    snprintf(err->text + n, sizeof(err->text) - n, ": %s", strerror(-code));
    end_whole(err);
    return code;
}

int err_wrap(struct err *err, int code, const char *fmt, ...)
{
    va_list ap;
    char inner[sizeof(err->text)];
    size_t n;

    if (err == NULL)
        return code;
    memcpy(inner, err->text, sizeof(inner));
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof(err->text), fmt, ap);
    va_end(ap);
    n = strlen(err->text);
    snprintf(err->text + n, sizeof(err->text) - n, ": %s", inner);
    end_whole(err);
    return code;
}
