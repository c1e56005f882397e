/*
 * Tags that a client gives a task: names of their own with short texts. One place says what they
 * may be, for those who send them and for those who take them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_TAG_H
#define VIDU_TAG_H

#include "base/err.h"

#include <jansson.h>

#define TAG_NAME_MAX  64 /* bytes */
#define TAG_VALUE_MAX 256
#define TAGS_TEXT_MAX (16U << 10) /* of all tags of a task, as JSON */

/* A name of 1 to 64 bytes and a value of at most 256; -EINVAL says so and names the tag. */
MUST_CHECK int tag_check(const char *name, size_t value_len, struct err *err);
/*
 * {"k": "v"} as the compact text that is stored, owned by the caller; "{}" for NULL and null.
 * NULL with err: no object of texts, a tag that tag_check refuses, more than TAGS_TEXT_MAX.
 */
char *tags_text(json_t *tags, struct err *err);

#endif
