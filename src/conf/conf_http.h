/*
 * The options of an http hook, and what they must be together.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CONF_CONF_HTTP_H
#define CONF_CONF_HTTP_H

#include "conf/conf_table.h"

extern const struct conf_type conf_type_http_url;
extern const struct conf_type conf_type_template; /* char *, checked with template_check */
extern const struct conf_type conf_type_http_headers;
extern const struct conf_type conf_type_http_secrets;
extern const struct conf_type conf_type_http_path_map;
extern const struct conf_type conf_type_http_batch;
extern const struct conf_type conf_type_http_form;
extern const struct conf_type conf_type_http_file_field; /* char *, what a form may call it */

/* Shared by the options of http that are maps. False after a finding: no map, or too long. */
bool conf_http_want_map(const struct conf_fill *fill, const struct conf_row *row,
                        const struct conf_node *node, size_t max);
void conf_http_show_pair(const char *name, const char *value, bool first, struct buf *out);

/* Whether an option of http ("method") means something beside the hook's preset and body. */
bool conf_http_takes(const struct conf_hook *hook, const char *option);

/* What the hook has until its options say otherwise. node: under `http`. */
void conf_http_begin(const struct conf_node *node, struct conf_hook *hook);

/* The timeout of such a hook that names none. */
int64_t conf_http_timeout_ms(const struct conf_node *node);

/* node is the map under `http`. */
void conf_http_check(const struct conf_fill *fill, const struct conf_node *node,
                     const struct conf_hook *hook);

#endif
