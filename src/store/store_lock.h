/*
 * One process per store: a lock on a file beside it, which falls when the process dies.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_STORE_LOCK_H
#define STORE_STORE_LOCK_H

#include "base/err.h"

#include <stdbool.h>

/*
 * Locks `<store>.lock`, writes our pid and name into it and gives the descriptor that holds the
 * lock. -EBUSY: another process has it, the text says which. Without `create` a missing lock file
 * is no error: nobody has ever had the store open, and *fd is -1.
 */
MUST_CHECK int store_lock_take(const char *store, bool create, int *fd, struct err *err);
/* -1 is fine. */
void store_lock_drop(int fd);

#endif
