/*
 * Deliveries that bring the files themselves: webdav and s3. Every file of the task, under its own
 * name, and none that is there already.
 *
 *   webdav: MKCOL folder, and those above it that are missing, then for each file HEAD name, PUT
 * .name.tmp, MOVE .name.tmp -> name s3:     for each file HEAD key, PUT key
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_DELIVER_UPLOAD_H
#define RUNNER_DELIVER_UPLOAD_H

#include "runner/deliver_recipe.h"

/* Media type of a file's name, by its extension. */
const char *deliver_type_of(const char *name);

int deliver_webdav_prepare(const struct deliver_exchange *x, struct deliver_request *r,
                           struct err *err);
int deliver_webdav_accept(struct deliver_exchange *x, const struct deliver_answer *a,
                          struct err *err);
bool deliver_webdav_expects(const struct deliver_exchange *x, int status);

int deliver_s3_prepare(const struct deliver_exchange *x, struct deliver_request *r,
                       struct err *err);
int deliver_s3_accept(struct deliver_exchange *x, const struct deliver_answer *a, struct err *err);
bool deliver_s3_expects(const struct deliver_exchange *x, int status);

#endif
