/*
 * Providers: how one speaks with Vidu and with those who resell it, as rows of a table
 * (vidu-api.md sections 1, 2, 7 and 13).
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_PROVIDER_H
#define VIDU_PROVIDER_H

#include "base/buf.h"
#include "vidu/endpoint.h"
#include "vidu/names.h"

enum provider_signature { SIGNATURE_REQUIRED, SIGNATURE_IF_PRESENT, SIGNATURE_OFF };

struct provider_profile {
    const char *name;             /* vidu, octopusx, ... */
    const char *base_url;         /* no slash at the end; "": the user has to say */
    const char *auth;             /* scheme word of Authorization: Token or Bearer */
    const char *prefix;           /* before an endpoint's path: /ent/v2 or /vidu/ent/v2 */
    const char *query;            /* /ent/v2/tasks/{id}/creations; {id} is the remote id */
    const char *upload;           /* where images are uploaded (vidu-api.md 8.5); NULL: nowhere */
    const char *subject_name_key; /* how a subject is named: name, or id on octopusx */
    bool callbacks;               /* documents callback_url */
    enum provider_signature signature;
    struct answer_names names; /* NULL members: the usual ones */
    const char *help;          /* one line */
};

const struct provider_profile *provider_profile_find(const char *name); /* NULL: none */
size_t provider_profile_count(void);
const struct provider_profile *provider_profile_at(size_t i);

/*
 * base_url + prefix + path, and base_url + query with the id put in, percent-encoded; owned by the
 * caller.
 */
char *provider_create_url(const struct provider_profile *p, const char *base_url,
                          const struct endpoint *e);
char *provider_query_url(const struct provider_profile *p, const char *base_url,
                         const char *remote_id);
/*
 * Where a task of this endpoint is looked up, by the name it was created with (NULL: not known).
 * The tree of a one-click video is asked for where its edits and compositions are wanted.
 */
char *provider_look_url(const struct provider_profile *p, const char *base_url,
                        const char *endpoint, const char *remote_id);

#endif
