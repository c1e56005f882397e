/*
 * Downloading a result into a file that the user named.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_SAVE_H
#define CLI_SAVE_H

#include "conf/conf.h"
#include "http/fetch.h"

struct save {
    int dir_fd; /* -1: nothing is open */
    char *name; /* the last component of the path */
    const char *path;
    bool force;
};

/* Opens the directory and refuses a name that is taken (unless force). path is borrowed. */
MUST_CHECK int save_open(struct save *s, const char *path, bool force, struct err *err);
void save_close(struct save *s);

/* Where URLs that a provider named may lead: public addresses, and what the configuration (NULL:
 * none) allows. Borrows from it. */
struct client_policy save_policy(const struct conf *conf);

/*
 * Fetches url, which came from a provider: only public addresses and what the configuration
 * allows. conf may be NULL. Shows a bar on a terminal. *out is filled in any case but -EINVAL
 * (the URL cannot be used at all). endpoint made it; "" when it is not known. The file that was
 * there is replaced with force only.
 */
MUST_CHECK int save_fetch(struct save *s, const struct conf *conf, const char *endpoint,
                          const char *url, struct fetch_outcome *out, struct err *err);

#endif
