/*
 * Help and version, made from the table of commands.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cli/commands.h"
#include "vidu/endpoint.h"

void help_overview(struct buf *out);
/* The first word of every command, one on a line, for shells and scripts. */
void help_names(struct buf *out);
/* Whether word is the first of the two words that name some commands. */
bool help_is_group(const char *word);
void help_group(const char *word, struct buf *out);
void help_command(const struct command *command, struct buf *out);
/* The fields of one endpoint, from the table that warnings come from. */
void help_endpoint(const struct endpoint *e, struct buf *out);
void help_version(struct buf *out);

#endif
