/*
 * Allocation that cannot fail, and release at the end of a scope.
 *
 * Running out of memory aborts the process: every size that a stranger chooses is limited
 * before it gets here, so a failure means the machine is out of memory, and the store makes
 * a restart harmless. What these return is released with free().
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>

#define MUST_CHECK             __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define ARRAY_LEN(a)           (sizeof(a) / sizeof((a)[0]))

/* Zeroed memory for n objects of the given size; aborts on overflow too. */
void *mem_calloc(size_t n, size_t size) __attribute__((malloc, alloc_size(1, 2), returns_nonnull));
/* As realloc for n objects; the bytes added are not initialised. */
void *mem_realloc(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
/* A copy of a string; NULL gives NULL. */
char *mem_strdup(const char *s) __attribute__((malloc));
/* A NUL-terminated copy of n bytes, which may themselves hold NUL. */
char *mem_strndup(const char *p, size_t n) __attribute__((malloc, returns_nonnull));
/* A formatted string. */
char *mem_printf(const char *fmt, ...) __attribute__((malloc, returns_nonnull)) PRINTF_LIKE(1, 2);
/* Overwrites n bytes in a way the compiler keeps, then frees; NULL is fine. For secrets. */
void mem_wipe_free(void *p, size_t n);

/* Replaces the owned string *slot by a copy of s. */
void mem_replace(char **slot, const char *s);

/* A copy of text into a fixed field, cut when it is longer, always terminated. */
void mem_copy_text(char *field, size_t size, const char *text);

/*
 * From now on memory of 256 KiB and more goes back to the system as soon as it is released. For a
 * process whose large objects come and go; the C library would keep up to 32 MiB of each.
 */
void mem_return_large(void);

/* `autofree char *p` is freed when p goes out of scope. */
static inline void mem_free_slot(void *slot)
{
    free(*(void **)slot);
}
#define autofree __attribute__((cleanup(mem_free_slot)))

#endif
