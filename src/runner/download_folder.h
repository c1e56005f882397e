/*
 * The folder a result goes to, below the directory of the configuration (vidu/library.h).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_DOWNLOAD_FOLDER_H
#define RUNNER_DOWNLOAD_FOLDER_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct download_folder {
    char *path; /* as the configuration spells it; owned */
    int fd;
    bool made; /* for this creation alone, and just now */
};

/*
 * Opens the folder of a creation (from 0), making what is missing. dir itself may be a link, what
 * is below it may not. files_mode: what folders made here get, with x where there is r. folder is
 * released by download_folder_close, also after a failure.
 */
MUST_CHECK int download_folder_open(const json_t *action, const json_t *context, size_t creation,
                                    mode_t files_mode, struct download_folder *folder,
                                    struct err *err);
/* One that was made for nothing goes again. */
void download_folder_close(struct download_folder *folder);

#endif
