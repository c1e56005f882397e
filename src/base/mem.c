/* SPDX-License-Identifier: MIT */
#include "base/mem.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void *checked(void *p)
{
    if (p == NULL) {
        fputs("out of memory\n", stderr);
        abort();
    }
    return p;
}

void *mem_calloc(size_t n, size_t size)
{
    return checked(calloc(n != 0 ? n : 1, size != 0 ? size : 1));
}

void *mem_realloc(void *p, size_t n, size_t size)
{
    size_t total;

    if (__builtin_mul_overflow(n, size, &total))
        abort();
    return checked(realloc(p, total != 0 ? total : 1));
}

char *mem_strdup(const char *s)
{
    return s != NULL ? checked(strdup(s)) : NULL;
}

char *mem_strndup(const char *p, size_t n)
{
    char *copy = mem_calloc(n + 1, 1);

    if (n != 0)
        memcpy(copy, p, n);
    return copy;
}

char *mem_printf(const char *fmt, ...)
{
    va_list ap;
    char *text = NULL;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    return checked(n < 0 ? NULL : text);
}

void mem_wipe_free(void *p, size_t n)
{
    if (p == NULL)
        return;
    explicit_bzero(p, n);
    free(p);
}

void mem_replace(char **slot, const char *s)
{
    char *copy = mem_strdup(s);

    free(*slot);
    *slot = copy;
}

void mem_copy_text(char *field, size_t size, const char *text)
{
    size_t n = strnlen(text, size - 1);

    memcpy(field, text, n);
    field[n] = '\0';
}

void mem_return_large(void)
{
    mallopt(M_MMAP_THRESHOLD, 256 << 10);
}
