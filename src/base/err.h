/*
 * The text of an error on its way up.
 *
 * A function that can fail returns 0 or -errno and takes `struct err *` as its last argument.
 * It fills the text where the failure is known best; callers put context in front; whoever
 * decides what happens next logs it once. On success the struct is left alone. A NULL err is
 * allowed everywhere.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include "base/mem.h"

struct err {
    char text[1024]; /* always terminated; cut when longer */
};

/* Sets the text and returns code, so that `return err_set(err, -EINVAL, ...)` reads well. */
int err_set(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* As err_set with ": " and the text of -code (an errno) behind. */
int err_sys(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* Puts "context: " in front of the present text; returns code. */
int err_wrap(struct err *err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
