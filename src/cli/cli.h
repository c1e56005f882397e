/*
 * What every command of `viduhook` works with: the global options, the configuration, the
 * daemon, and how results and errors are shown.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "cli/control.h"
#include "cli/options.h"
#include "conf/conf.h"
#include "wire/command.h"

#include <stdio.h>

struct cli {
    const char *config; /* -c, or NULL */
    const char *socket; /* --socket, or NULL */
    bool json;
    bool json_lines;  /* each thing that is printed is one line of JSON, errors too */
    json_t *document; /* borrowed, or NULL: what errors become members of, not documents */
    const char *task; /* that exists by now: named in the JSON of errors; or NULL */
    bool color;       /* stdout */
    size_t width;     /* of stdout; 0: not a terminal, nothing is cut */
    struct conf *conf;
    bool conf_tried;
    char *conf_problem; /* why there is no conf: the first finding */
    char *control_path; /* used without one */
    int (*sim)(int argc, char **argv);
};

/* The whole program; sim is the command of that name. Returns the exit status. */
int cli_main(int argc, char **argv, int (*sim)(int argc, char **argv));

/* The configuration, or NULL when it cannot be read here (which is no error for most). */
const struct conf *cli_conf(struct cli *cli);
/* Where the daemon listens, as far as can be known here. */
const char *cli_control_path(struct cli *cli);
MUST_CHECK int cli_connect(struct cli *cli, struct control **out, struct err *err);

/* A line on stderr, escaped. */
void cli_note(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* Says what went wrong; returns status. */
int cli_fail(const struct cli *cli, int status, const struct err *err);
/* The exit status for an error of control_open and control_ask. */
int cli_status_of(int code);
/* For an answer whose exit is not 0: says so, releases it, returns its exit. */
int cli_refused(const struct cli *cli, struct control_answer *answer);

/*
 * Connects, asks, closes. EXIT_OK and *answer, owned by the caller; or an exit status, and the
 * reason has been said. args is taken.
 */
int cli_ask(struct cli *cli, const char *command, json_t *args, json_t **answer);
/* The same with bytes beside the question, and so much time for the answer. */
int cli_ask_with(struct cli *cli, const char *command, json_t *args, struct slice blob,
                 int64_t timeout_ms, json_t **answer);
/* The same over a connection that is there. */
int cli_ask_on(struct cli *cli, struct control *c, const char *command, json_t *args,
               json_t **answer);

/*
 * To stdout. The first failure of writing is said, unless the reader has gone away, and makes the
 * exit status 1 at the end of the program.
 */
void cli_print_json(const json_t *json);
void cli_print_json_line(const json_t *json); /* and shows it */
void cli_print(const struct buf *text);
void cli_flush(void); /* shows what has been printed */

#endif
