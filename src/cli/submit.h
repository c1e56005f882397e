/*
 * What `viduhook submit` is made of: submit.c builds and sends, submit_wait.c waits for the task
 * and saves its result.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_SUBMIT_H
#define CLI_SUBMIT_H

#include "cli/follow.h"
#include "cli/media_file.h"
#include "cli/save.h"

struct submission {
    struct cli *cli;
    const struct options *o;
    const struct endpoint *endpoint;        /* NULL: not known here, and forced */
    const struct provider_profile *profile; /* of what is here, or built in */
    struct provider_profile speech;         /* the configured one, when there is one */
    const char *base_url;
    bool called_back; /* the daemon puts its callback_url into the request */
    json_t *tags, *body;
    char *text; /* the body as it is sent */
    size_t len;
    struct media_files files; /* that the body names */
    int beside_fd;            /* of the one that goes beside it, -1: none */
    struct save save;         /* with --output */
};

/* The id of the task on stdout, at once. */
void submit_print_id(const json_t *answer);
/* Until the task is over, and its file saved; returns an exit status. */
int submit_await(struct submission *s, struct follow *follow, json_t *answer);

#endif
