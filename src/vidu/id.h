/*
 * Names for tasks: 12 characters of lower-case base32 (60 random bits) after a `t`, short enough
 * to read out, random from the first character on so that a few of them already name one task.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_ID_H
#define VIDU_ID_H

#include "base/str.h"

#define TASK_ID_LEN  13
#define TASK_ID_SIZE (TASK_ID_LEN + 1)

void id_new_task(char out[TASK_ID_SIZE]);
/* Whether text may stand for a task or a prefix of one: `t` and base32 digits, 1 to 13 bytes. */
bool id_is_task_prefix(const char *text);
/*
 * A remote id as providers use them: 1 to 64 of [A-Za-z0-9_.:-], at least one of them a letter or a
 * digit, so that it can stand in a path.
 */
bool id_is_remote(const char *p, size_t n);

#endif
