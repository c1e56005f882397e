/*
 * Following tasks as they change, over reloads and restarts of the daemon.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "cli/cli.h"
#include "vidu/state.h"

struct follow {
    struct cli *cli;
    struct control *watch;
    const char *task;    /* only events of this one; NULL: all. Borrowed; may be set later */
    int64_t run;         /* whose output is wanted too; 0: none. Set before it is opened */
    int64_t deadline_ms; /* monotonic; -1: none */
};

/* Subscribes; from here on no event is missed. timeout_ms -1: no end. */
MUST_CHECK int follow_open(struct follow *f, struct cli *cli, int64_t timeout_ms, struct err *err);
/* The events of one run's task, and that run's output; task is borrowed. */
MUST_CHECK int follow_open_run(struct follow *f, struct cli *cli, const char *task, int64_t run,
                               struct err *err);
void follow_close(struct follow *f);

/*
 * Waits up to a second. 0: *event is owned by the caller, or NULL when nothing happened. *renewed:
 * the connection was lost and is there again, so events may have been missed. -ETIMEDOUT: the
 * deadline has passed. -EPIPE: the daemon is gone and did not come back.
 */
MUST_CHECK int follow_next(struct follow *f, json_t **event, bool *renewed, struct err *err);

/* Success, failed, cancelled, rejected, lost: nothing is worth waiting for. */
bool follow_is_over(const char *state);
/* What the daemon knows of a task (the answer to show); as cli_ask. */
int follow_look(struct cli *cli, const char *task, json_t **answer);

#endif
