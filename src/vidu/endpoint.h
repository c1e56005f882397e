/*
 * Endpoints that create something, as rows of a table (vidu-api.md sections 2 to 4, and 13 for
 * those of gateways). The same rows are the help of `viduhook submit`, what it warns about, and
 * what the gateway does with a request: nothing is refused because of them.
 *
 * The name of an endpoint is its path below the provider's prefix. {id} in a name stands for the
 * id of the task that the call belongs to.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_ENDPOINT_H
#define VIDU_ENDPOINT_H

#include "base/err.h"
#include "base/str.h"

#define ENDPOINT_NAME_MAX 128

struct endpoint_field { /* one documented field, for help and for warnings */
    const char *name;
    const char *type;   /* string, int, number, bool, array, any */
    const char *help;   /* values and limits in one line */
    const char *values; /* the words it may be, with blanks between; NULL: any */
    double min, max;    /* of a number; 0, 0: no limit is known */
    size_t max_chars;   /* of a text; 0: no limit is known */
    bool required;      /* besides model, prompt and images, which struct endpoint knows */
};

enum endpoint_query {                      /* where the state of what was created is found */
                      ENDPOINT_QUERY_TASK, /* the provider's query path: form A. The tree of form B
                                              says no more */
                      ENDPOINT_QUERY_JOBS, /* PREFIX/one-click/.../ID, of the parent for its edits:
                                              form C */
                      ENDPOINT_QUERY_NONE, /* nowhere: the answer is the result */
};

enum endpoint_form { ENDPOINT_JSON, ENDPOINT_MULTIPART };

struct endpoint {
    const char *name; /* img2video, one-click/mv/{id}/edit */
    const char *path; /* a slash and the name */
    bool accepts_callback;
    bool accepts_payload;
    const char *id_key; /* of the answer, before task_id and id are tried */
    enum endpoint_query query;
    const char *jobs; /* what the id of a tree stands behind, which is where the state is found
                         with ENDPOINT_QUERY_JOBS; NULL: there is no tree */
    enum endpoint_form form;
    bool model_required;
    bool prompt_required;
    bool open;                  /* there are more fields than these rows: none is unknown */
    int min_images, max_images; /* -1, -1: the endpoint takes no list of images */
    bool subjects;              /* takes subjects[] */
    bool frames;                /* takes image_settings[] */
    const char *image, *video;  /* fields that take such media: a list when they are arrays; */
    const char *audio;          /* NULL: none */
    char timing;                /* t i s r: the rows of models with their seconds; 0: none */
    const char *const *models;  /* NULL terminated; an unknown one is a warning; NULL: any */
    const struct endpoint_field *fields; /* ends with a NULL name */
    const char *help;
};

/* By a name as it is sent, one-click/mv/912/edit, or as the table has it. NULL: none. */
const struct endpoint *endpoint_find(const char *name);
/* The {id} in such a name, empty when its row has none. */
struct slice endpoint_parent(const struct endpoint *e, const char *name);
/* The field of that name, NULL: none is known. */
const struct endpoint_field *endpoint_field_find(const struct endpoint *e, const char *name);
size_t endpoint_count(void);
const struct endpoint *endpoint_at(size_t i);
/* 0: tasks of an endpoint of this name can exist; -EINVAL with why not. */
MUST_CHECK int endpoint_check_task(const char *name, struct err *err);
/* The name that a misspelt one is nearest to; NULL when none is near. */
const char *endpoint_suggest(const char *name);

#endif
