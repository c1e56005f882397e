/* SPDX-License-Identifier: MIT */
#include "gateway/account.h"

#include <errno.h>

static void list_names(const struct hello_gateway *h, struct buf *out)
{
    for (size_t i = 0; i < h->n_providers; i++)
        buf_addf(out, "%s%s", i != 0 ? ", " : "", h->providers[i].name);
}

const struct hello_provider *account_find(const struct hello_gateway *h, const char *name,
                                          struct err *err)
{
    autobuf struct buf names = BUF_INIT(512);

    if (name == NULL && h->n_providers != 0)
        return &h->providers[0];
    for (size_t i = 0; i < h->n_providers && name != NULL; i++)
        if (str_eq(h->providers[i].name, name))
            return &h->providers[i];
    list_names(h, &names);
    if (h->n_providers == 0)
        err_set(err, -ENOENT, "no provider is configured");
    else
        err_set(err, -ENOENT, "provider %s is not configured; there are: %s", name,
                buf_text(&names));
    return NULL;
}

const struct provider_profile *account_profile(const struct hello_provider *account)
{
    return account->speech.name != NULL ? &account->speech
                                        : provider_profile_find(account->profile);
}

char *account_authorization(const struct hello_provider *account)
{
    return mem_printf("Authorization: %s %s", account_profile(account)->auth, account->key);
}

int account_check(const struct hello_gateway *h, struct err *err)
{
    for (size_t i = 0; i < h->n_providers; i++) {
        const struct hello_provider *p = &h->providers[i];

        if (str_empty(p->name) || account_profile(p) == NULL)
            return err_set(err, -EINVAL, "provider %s: unknown profile %s", str_or(p->name, "?"),
                           str_or(p->profile, "?"));
        if (str_empty(p->base_url) || str_empty(p->key))
            return err_set(err, -EINVAL, "provider %s: no %s", p->name,
                           str_empty(p->key) ? "key" : "base URL");
    }
    return 0;
}
