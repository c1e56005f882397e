/* SPDX-License-Identifier: MIT */
#include "vidu/tag.h"

#include "base/mem.h"

#include <errno.h>
#include <string.h>

int tag_check(const char *name, size_t value_len, struct err *err)
{
    size_t n = strlen(name);

    if (n >= 1 && n <= TAG_NAME_MAX && value_len <= TAG_VALUE_MAX)
        return 0;
    return err_set(err, -EINVAL,
                   "the tag '%.80s': a name of 1 to %d bytes and a value of at most %d", name,
                   TAG_NAME_MAX, TAG_VALUE_MAX);
}

static int check_all(json_t *tags, struct err *err)
{
    const char *name;
    json_t *value;

    if (!json_is_object(tags))
        return err_set(err, -EINVAL, "the tags are no object");
    json_object_foreach (tags, name, value) {
        if (!json_is_string(value))
            return err_set(err, -EINVAL, "the tag '%.80s' is no text", name);
        if (tag_check(name, json_string_length(value), err) < 0)
            return -EINVAL;
    }
    return 0;
}

char *tags_text(json_t *tags, struct err *err)
{
    char *text;

    if (tags == NULL || json_is_null(tags))
        return mem_strdup("{}");
    if (check_all(tags, err) < 0)
        return NULL;
    text = json_dumps(tags, JSON_COMPACT);
    if (text != NULL && strlen(text) <= TAGS_TEXT_MAX)
        return text;
    free(text);
    err_set(err, -EINVAL, "the tags have more than %u KiB in all", TAGS_TEXT_MAX >> 10);
    return NULL;
}
