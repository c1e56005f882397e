/*
 * How a provider is spoken with, where that differs from its profile: the scheme of Authorization,
 * the prefix of its paths, where tasks are looked up, and what its answers call things.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_SPEECH_H
#define CONF_CONF_SPEECH_H

#include "conf/conf_table.h"

/* All are texts of struct conf_provider. */
extern const struct conf_type conf_type_auth;   /* Bearer */
extern const struct conf_type conf_type_prefix; /* /v1, or / for none */
extern const struct conf_type conf_type_query;  /* /v1/video/generations/{id} */
extern const struct conf_type conf_type_answer; /* data.task_id */

#endif
