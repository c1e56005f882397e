/* SPDX-License-Identifier: MIT */
#include "conf/conf_provider.h"

#include "conf/conf_type.h"
#include "conf/conf_url.h"
#include "vidu/nearest.h"

#include <string.h>

bool conf_name_is_good(const char *name)
{
    size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return n >= 1 && n <= 64 && name[n] == '\0';
}

static void set_base_url(const struct conf_fill *fill, const struct conf_row *row,
                         const struct conf_node *node, void *object)
{
    struct conf_provider *p = object;
    const char *text = conf_want_text(fill, row->doc.name, node);
    struct conf_url url;
    struct err err;
    size_t n;

    if (text == NULL)
        return;
    if (conf_url_parse(text, &url, &err) < 0) {
        conf_found_at(fill->found, node, "'%s': %s", row->doc.name, err.text);
        return;
    }
    if (!url.https && !conf_host_is_loopback(url.host)) {
        conf_found_at(fill->found, node,
                      "'%s' must be https, since the key travels with every request; http is for "
                      "loopback addresses only",
                      row->doc.name);
        return;
    }
    n = strlen(text);
    while (text[n - 1] == '/')
        n--;
    free(p->base_url);
    p->base_url = mem_strndup(text, n);
}

static bool show_base_url(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_provider *p = object;

    (void)row;
    conf_show_text(p->base_url, out);
    return true;
}

static void release_base_url(const struct conf_row *row, void *object)
{
    struct conf_provider *p = object;

    (void)row;
    free(p->base_url);
    p->base_url = NULL;
}

const struct conf_type conf_type_base_url = {set_base_url, show_base_url, release_base_url};

static void report_profile(const struct conf_fill *fill, const struct conf_node *node,
                           const char *word, bool at_key)
{
    struct nearest nearest = NEAREST_INIT(word);
    autobuf struct buf text = BUF_INIT(1024);

    for (size_t i = 0; i < provider_profile_count(); i++)
        nearest_offer(&nearest, provider_profile_at(i)->name);
    buf_addf(&text, "unknown profile '%.64s'", word);
    if (nearest.best != NULL)
        buf_addf(&text, "; did you mean '%s'", nearest.best);
    else if (at_key)
        buf_adds(&text, "; a provider of another name needs 'profile'");
    buf_adds(&text, nearest.best != NULL ? "? There are" : "; there are");
    for (size_t i = 0; i < provider_profile_count(); i++)
        buf_addf(&text, "%s %s", i == 0 ? "" : ",", provider_profile_at(i)->name);
    if (at_key)
        conf_found_key(fill->found, node, "%s", buf_text(&text));
    else
        conf_found_at(fill->found, node, "%s", buf_text(&text));
}

/* The value was taken before the other options, whose defaults come from the profile. */
static void set_profile(const struct conf_fill *fill, const struct conf_row *row,
                        const struct conf_node *node, void *object)
{
    const char *text = conf_want_text(fill, row->doc.name, node);

    (void)object;
    if (text != NULL && provider_profile_find(text) == NULL)
        report_profile(fill, node, text, false);
}

static bool show_profile(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_provider *p = object;

    (void)row;
    conf_show_text(p->profile->name, out);
    return true;
}

const struct conf_type conf_type_profile = {set_profile, show_profile, NULL};

static void preset_profile(struct conf_provider *p, const struct conf_node *map)
{
    const struct conf_node *chosen = conf_node_get(map, "profile");

    if (chosen == NULL)
        p->profile = provider_profile_find(p->name);
    else if (chosen->kind == NODE_TEXT)
        p->profile = provider_profile_find(chosen->text);
    if (p->profile == NULL)
        return;
    p->base_url = mem_strdup(p->profile->base_url);
    p->signature = p->profile->signature;
    p->mode = p->profile->callbacks ? MODE_PUSH : MODE_POLL;
    p->auth = mem_strdup(p->profile->auth);
    p->prefix = mem_strdup(p->profile->prefix);
    p->query = mem_strdup(p->profile->query);
}

static void fill_provider(const struct conf_fill *fill, const struct conf_node *node,
                          struct conf_provider *p)
{
    p->name = mem_strdup(node->key);
    if (!conf_name_is_good(p->name))
        conf_found_key(fill->found, node, "the name of a provider must be " CONF_NAME_FORM);
    if (node->kind != NODE_MAP) {
        conf_found_at(fill->found, node, "provider '%s' must be a map of options, not %s", p->name,
                      conf_node_kind_name(node));
        return;
    }
    preset_profile(p, node);
    fill->found->provider = p->name;
    if (conf_node_get(node, "profile") == NULL && p->profile == NULL && !fill->partial)
        report_profile(fill, node, p->name, true);
    conf_table_fill(fill, SCOPE_PROVIDER, node, p);
    if (p->profile != NULL && p->profile->base_url[0] == '\0' &&
        conf_node_get(node, "base_url") == NULL && !fill->partial)
        conf_found_at(fill->found, node,
                      "'providers.NAME.base_url' is missing: profile %s has no address of its own",
                      p->profile->name);
    fill->found->provider = NULL;
}

static void release_providers(const struct conf_row *row, void *object)
{
    struct conf *c = object;

    (void)row;
    for (size_t i = 0; i < c->n_providers; i++) {
        free(c->providers[i].name);
        conf_table_release(SCOPE_PROVIDER, &c->providers[i]);
    }
    c->n_providers = 0;
}

static void set_providers(const struct conf_fill *fill, const struct conf_row *row,
                          const struct conf_node *node, void *object)
{
    struct conf *c = object;

    release_providers(row, object);
    if (node->kind == NODE_EMPTY || (node->kind == NODE_MAP && node->n == 0)) {
        conf_found_key(
            fill->found, node,
            "at least one provider is needed, such as vidu: { key: { file: vidu.key } }");
    } else if (node->kind != NODE_MAP || node->n > CONF_MAX_PROVIDERS) {
        conf_found_at(fill->found, node, "'providers' must be a map of at most %d providers",
                      CONF_MAX_PROVIDERS);
    } else {
        for (size_t i = 0; i < node->n; i++)
            fill_provider(fill, node->items[i], &c->providers[c->n_providers++]);
    }
}

struct provider_profile conf_provider_speech(const struct conf_provider *p)
{
    struct provider_profile speech = *p->profile;

    speech.auth = p->auth;
    speech.prefix = str_eq(p->prefix, "/") ? "" : p->prefix;
    speech.query = p->query;
    speech.names = (struct answer_names){p->names.id, p->names.state, p->names.result};
    return speech;
}

const struct conf_type conf_type_providers = {set_providers, NULL, release_providers};
