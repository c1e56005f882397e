/*
 * The table of commands: everything that `viduhook` can do, with every option, on one page.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

struct command {
    const char *name;    /* one word, or two: "config show" */
    const char *usage;   /* what follows the name */
    const char *summary; /* one line */
    const char *help;    /* paragraphs; NULL: the summary says it all */
    const struct option_row *options;
    size_t least_words, most_words; /* besides the name */
    /* Returns an exit status. NULL: the command reads argv itself (sim). */
    int (*run)(struct cli *cli, const struct options *o);
};

extern const struct option_row global_options[];
/* Ends with a NULL name. */
extern const struct command commands[];

int command_submit(struct cli *cli, const struct options *o);
int command_list(struct cli *cli, const struct options *o);
int command_show(struct cli *cli, const struct options *o);
int command_explain(struct cli *cli, const struct options *o);
int command_watch(struct cli *cli, const struct options *o);
int command_runs(struct cli *cli, const struct options *o);
int command_files(struct cli *cli, const struct options *o);
int command_retry(struct cli *cli, const struct options *o);
int command_tail(struct cli *cli, const struct options *o);
int command_cancel_run(struct cli *cli, const struct options *o);
int command_replay(struct cli *cli, const struct options *o);
int command_pause(struct cli *cli, const struct options *o);
int command_resume(struct cli *cli, const struct options *o);
int command_trigger(struct cli *cli, const struct options *o);
int command_adopt(struct cli *cli, const struct options *o);
int command_sign(struct cli *cli, const struct options *o);
int command_verify(struct cli *cli, const struct options *o);
int command_status(struct cli *cli, const struct options *o);
int command_credits(struct cli *cli, const struct options *o);
int command_cancel(struct cli *cli, const struct options *o);
int command_import(struct cli *cli, const struct options *o);
int command_spend(struct cli *cli, const struct options *o);
int command_reload(struct cli *cli, const struct options *o);
int command_doctor(struct cli *cli, const struct options *o);
int command_config_show(struct cli *cli, const struct options *o);
int command_config_options(struct cli *cli, const struct options *o);
int command_config_placeholders(struct cli *cli, const struct options *o);
int command_config_check(struct cli *cli, const struct options *o);
int command_init(struct cli *cli, const struct options *o);

#endif
