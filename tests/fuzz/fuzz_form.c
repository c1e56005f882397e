/* SPDX-License-Identifier: MIT */
/* The first line is the Content-Type, the rest the form: whatever it is, a record comes of it. */
#include "vidu/form_read.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    const char *text = (const char *)data;
    const char *end = n != 0 ? memchr(text, '\n', n) : NULL;
    size_t first = end != NULL ? (size_t)(end - text) : n;
    size_t rest = end != NULL ? first + 1 : n;
    json_t *fields = form_read((struct slice){text, first}, (struct slice){text + rest, n - rest});
    char *out = json_dumps(fields, JSON_COMPACT);

    if (out == NULL || json_object_size(fields) > FORM_READ_MAX_PARTS)
        abort();
    free(out);
    json_decref(fields);
    return 0;
}
