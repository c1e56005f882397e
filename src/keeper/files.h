/*
 * The command `files`: what the store knows of the files that downloads left, in pages.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_FILES_H
#define KEEPER_FILES_H

#include "keeper/query.h"

/*
 * {"after": row, "task": id or absent}: {"files": [...], "next": row}; next is what `after` has to
 * be for the next page, absent when this was the last.
 */
void files_question(struct keeper *k, const struct question *q);

#endif
