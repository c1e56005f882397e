/*
 * Providers: how one speaks with Vidu and with those who resell it, as rows of a table
 * (vidu-api.md sections 1, 2, 7 and 13).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_PROVIDER_H
#define VIDU_PROVIDER_H

#include "base/buf.h"

enum provider_signature { SIGNATURE_REQUIRED, SIGNATURE_IF_PRESENT, SIGNATURE_OFF };

struct provider_profile {
    const char *name;             /* vidu, vidu-cn, octopusx, powertokens */
    const char *base_url;         /* no slash at the end */
    const char *auth;             /* scheme word of Authorization: Token or Bearer */
    const char *prefix;           /* before an endpoint's path: /ent/v2 or /vidu/ent/v2 */
    const char *query;            /* /ent/v2/tasks/{id}/creations; {id} is the remote id */
    const char *subject_name_key; /* how a subject is named: name, or id on octopusx */
    bool callbacks;               /* documents callback_url */
    enum provider_signature signature;
    const char *help; /* one line */
};

const struct provider_profile *provider_profile_find(const char *name); /* NULL: none */
size_t provider_profile_count(void);
const struct provider_profile *provider_profile_at(size_t i);
const char *provider_signature_name(enum provider_signature s);

/*
 * Endpoints. This table holds the four JSON video endpoints; it is made to grow.
 */
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

/* base_url + prefix + path, and base_url + query with the id put in; owned by the caller. */
char *provider_create_url(const struct provider_profile *p, const char *base_url,
                          const struct endpoint *e);
char *provider_query_url(const struct provider_profile *p, const char *base_url,
                         const char *remote_id);

#endif
