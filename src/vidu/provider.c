/* SPDX-License-Identifier: MIT */
#include "vidu/provider.h"

#include "vidu/percent.h"

#include <string.h>

#define ID_MARK "{id}"

/*
 * Callbacks of resellers, where they exist, carry the signature of the reseller's own upstream
 * key, which nobody else can verify (vidu-api.md 12.6).
 */
static const struct provider_profile profiles[] = {
    {
        .name = "vidu",
        .base_url = "https://api.vidu.com",
        .auth = "Token",
        .prefix = "/ent/v2",
        .query = "/ent/v2/tasks/{id}/creations",
        .upload = "/tools/v2/files/uploads",
        .subject_name_key = "name",
        .callbacks = true,
        .signature = SIGNATURE_REQUIRED,
        .help = "Vidu, international site",
    },
    {
        .name = "vidu-cn",
        .base_url = "https://api.vidu.cn",
        .auth = "Token",
        .prefix = "/ent/v2",
        .query = "/ent/v2/tasks/{id}/creations",
        .upload = "/tools/v2/files/uploads",
        .subject_name_key = "name",
        .callbacks = true,
        .signature = SIGNATURE_REQUIRED,
        .help = "Vidu, site for China; its keys are not those of the international site",
    },
    {
        .name = "octopusx",
        .base_url = "https://octopusx.ai",
        .auth = "Bearer",
        .prefix = "/vidu/ent/v2",
        .query = "/vidu/ent/v2/task/{id}/creations",
        .subject_name_key = "id",
        .callbacks = false,
        .signature = SIGNATURE_IF_PRESENT,
        .help = "octopusx.ai, a reseller without callbacks: its tasks are polled",
    },
    {
        .name = "powertokens",
        .base_url = "https://api.powertokens.ai",
        .auth = "Bearer",
        .prefix = "/vidu/ent/v2",
        .query = "/vidu/ent/v2/tasks/{id}/creations",
        .subject_name_key = "name",
        .callbacks = true,
        .signature = SIGNATURE_IF_PRESENT,
        .help = "powertokens.ai, a reseller: callbacks prove themselves by their sealed path",
    },
    {
        .name = "octopusx-openai",
        .base_url = "https://octopusx.ai",
        .auth = "Bearer",
        .prefix = "/v1",
        .query = "/v1/videos/{id}",
        .subject_name_key = "id",
        .callbacks = false,
        .signature = SIGNATURE_IF_PRESENT,
        .help = "octopusx.ai in the style of OpenAI: the endpoint is videos, a form",
    },
    {
        .name = "generic",
        .base_url = "",
        .auth = "Bearer",
        .prefix = "/v1",
        .query = "/v1/video/generations/{id}",
        .subject_name_key = "name",
        .callbacks = false,
        .signature = SIGNATURE_OFF,
        .help = "a gateway of one's own: the endpoint is video/generations unless prefix and query "
                "say otherwise",
    },
};

const struct provider_profile *provider_profile_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
        if (str_eq(profiles[i].name, name))
            return &profiles[i];
    return NULL;
}

size_t provider_profile_count(void)
{
    return ARRAY_LEN(profiles);
}

const struct provider_profile *provider_profile_at(size_t i)
{
    return i < ARRAY_LEN(profiles) ? &profiles[i] : NULL;
}

char *provider_create_url(const struct provider_profile *p, const char *base_url,
                          const struct endpoint *e)
{
    return mem_printf("%s%s%s", base_url, p->prefix, e->path);
}

char *provider_query_url(const struct provider_profile *p, const char *base_url,
                         const char *remote_id)
{
    const char *mark = strstr(p->query, ID_MARK);
    struct buf url = BUF_INIT(strlen(base_url) + strlen(p->query) + 3 * strlen(remote_id));

    buf_adds(&url, base_url);
    if (mark == NULL) {
        buf_adds(&url, p->query);
        return buf_take(&url);
    }
    buf_add(&url, p->query, (size_t)(mark - p->query));
    percent_encode(remote_id, strlen(remote_id), &url);
    buf_adds(&url, mark + sizeof(ID_MARK) - 1);
    return buf_take(&url);
}

char *provider_look_url(const struct provider_profile *p, const char *base_url,
                        const char *endpoint, const char *remote_id)
{
    const struct endpoint *e = endpoint_find(endpoint);
    struct slice parent;
    struct buf url;

    if (e == NULL || e->query != ENDPOINT_QUERY_JOBS)
        return provider_query_url(p, base_url, remote_id);
    parent = endpoint_parent(e, endpoint);
    if (parent.n == 0)
        parent = slice_str(remote_id);
    url = BUF_INIT(strlen(base_url) + strlen(p->prefix) + strlen(e->jobs) + 3 * parent.n);
    buf_addf(&url, "%s%s%s", base_url, p->prefix, e->jobs);
    percent_encode(parent.p, parent.n, &url);
    return buf_take(&url);
}
