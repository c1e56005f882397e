/*
 * Deliveries that send the results of a task to one address, each in a request of its own: as the
 * body, or as the file of a form (multipart/form-data, RFC 7578) with fields beside it. The file
 * itself is streamed; here only what stands around it is made.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RUNNER_DELIVER_FORM_H
#define RUNNER_DELIVER_FORM_H

#include "runner/deliver_recipe.h"

int deliver_form_prepare(const struct deliver_exchange *x, struct deliver_request *r,
                         struct err *err);
int deliver_form_accept(struct deliver_exchange *x, const struct deliver_answer *a,
                        struct err *err);

#endif
