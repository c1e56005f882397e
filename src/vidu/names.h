/*
 * Where an answer has its id, its state and its result, when a provider calls them by names of its
 * own: paths such as data.task_id or output.videos.0.url. A number is a place in an array.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_NAMES_H
#define VIDU_NAMES_H

#include "vidu/document.h"

#define NAMES_PATH_MAX 128 /* bytes of one path */

struct answer_names { /* NULL: the names that everybody uses */
    const char *id, *state, *result;
};

/* 1 to 8 steps of A-Z a-z 0-9 _ -, 63 bytes at most each and NAMES_PATH_MAX together, with dots
 * between. */
bool names_path_is_good(const char *path);
/* What is there; NULL: nothing. Borrowed from root. */
json_t *names_find(const json_t *root, const char *path);
/*
 * Puts value there, and what is on the way to it; takes value. -EINVAL: the way goes through a
 * place in an array, or something else stands there.
 */
MUST_CHECK int names_put(json_t *root, const char *path, json_t *value);
/*
 * The object that speaks: root, or root's `data` when that has one of the keys and root has none
 * of them with a value ({"code":"success","data":{"task_id":...}} of gateways).
 */
const json_t *names_unwrap(const json_t *root, const char *const *keys, size_t n);

#endif
