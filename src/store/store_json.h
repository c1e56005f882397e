/*
 * Rows of the store as the JSON that people and programs see, with the daemon and without it.
 * Texts that are not UTF-8 are empty; times are RFC 3339, "" for none.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef STORE_STORE_JSON_H
#define STORE_STORE_JSON_H

#include "store/store.h"

#include <jansson.h>

json_t *store_json_task(const struct store_task *t);
/* With request, result, payload and what is pending. */
json_t *store_json_whole_task(const struct store_task *t);
json_t *store_json_run(const struct store_run *r);
/* entry: its number in the timeline, from 1. */
json_t *store_json_event(const struct store_event *e, size_t entry);
json_t *store_json_file(const struct store_file *f);

#endif
