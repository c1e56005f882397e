/*
 * Images that do not fit into a request are uploaded before it (vidu-api.md 8.5). The daemon asks
 * the provider, with its key, for an address and for the name of what was put there; the bytes go
 * from here to that address, from the disk.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_UPLOAD_H
#define CLI_UPLOAD_H

#include "cli/cli.h"
#include "cli/media_file.h"

/* Uploads what is marked and sets its uri. provider may be NULL: the first one. EXIT_OK, or an
 * exit status, and the reason has been said. */
int upload_files(struct cli *cli, const char *provider, struct media_files *files);

#endif
