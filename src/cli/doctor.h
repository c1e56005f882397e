/*
 * doctor --hooks: whether hooks could do what they are for, found out without doing it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "conf/conf.h"

/* Appends what was found of an http hook, one line for people; true: it is well. No secret is in
 * it. The server is asked, and waited for. */
bool doctor_http(const struct conf *c, const struct conf_hook *h, struct buf *found);

/* The download that a hook comes after, however far above; NULL: none. */
const struct conf_hook *doctor_source(const struct conf *c, const struct conf_hook *h);

#endif
