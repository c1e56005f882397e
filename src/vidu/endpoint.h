/*
 * Endpoints that create tasks, as rows of a table (vidu-api.md sections 2 to 4). It holds the four
 * JSON video endpoints and is made to grow.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_ENDPOINT_H
#define VIDU_ENDPOINT_H

#include "base/str.h"

struct endpoint_field { /* one documented field, for help and for warnings */
    const char *name;
    const char *type; /* string, int, bool, array */
    const char *help; /* values and limits in one line */
};

struct endpoint {
    const char *name; /* img2video */
    const char *path; /* /img2video */
    bool accepts_callback;
    bool accepts_payload;
    bool model_required;
    int min_images, max_images;          /* -1, -1: the endpoint takes no images */
    bool subjects;                       /* takes subjects[] */
    const char *const *models;           /* NULL terminated; an unknown one is a warning */
    const struct endpoint_field *fields; /* ends with a NULL name */
    const char *help;
};

const struct endpoint *endpoint_find(const char *name); /* NULL: none */
size_t endpoint_count(void);
const struct endpoint *endpoint_at(size_t i);
/* The name that a misspelt one is nearest to; NULL when none is near. */
const char *endpoint_suggest(const char *name);

#endif
