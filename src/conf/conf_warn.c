/* SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include "vidu/library.h"

#include <string.h>

/* The first component of a path that hides what lies below; NULL when none does. */
static char *find_hiding(const char *path)
{
    while (*path != '\0') {
        size_t n = strcspn(path, "/");
        char *name = mem_strndup(path, n);

        if (library_hides(name))
            return name;
        free(name);
        path += n + (path[n] == '/');
    }
    return NULL;
}

static void warn_dir(const struct conf *c, const struct conf_hook *hook, conf_report *report,
                     void *ctx)
{
    autofree char *name = find_hiding(hook->download.dir);
    autofree char *text = NULL;

    if (name == NULL)
        return;
    text =
        mem_printf("warning: hook '%s': Jellyfin and Plex hide what lies in a folder called '%s' "
                   "below the root of a library; rename it in %s, or let the library begin there",
                   hook->name, name, hook->download.dir);
    report(c->file, 0, 0, text, ctx);
}

static bool fits_a_provider(const struct conf *c, const char *pattern)
{
    for (size_t i = 0; i < c->n_providers; i++)
        if (str_glob(pattern, c->providers[i].name))
            return true;
    return false;
}

/* Tasks of an account that is no longer there still have its name, so it is no error. */
static void warn_providers(const struct conf *c, const struct conf_hook *hook, conf_report *report,
                           void *ctx)
{
    autobuf struct buf names = BUF_INIT(CONF_MAX_PROVIDERS * 80);

    for (size_t i = 0; i < c->n_providers; i++)
        buf_addf(&names, "%s%s", i > 0 ? ", " : "", c->providers[i].name);
    for (size_t i = 0; i < hook->match.provider.n; i++) {
        const char *pattern = hook->match.provider.v[i];
        autofree char *text = NULL;

        if (fits_a_provider(c, pattern))
            continue;
        text = mem_printf("warning: hook '%s': match.provider '%s' fits none of the providers; "
                          "there are: %s",
                          hook->name, pattern, buf_text(&names));
        report(c->file, 0, 0, text, ctx);
    }
}

void conf_warn(const struct conf *c, conf_report *report, void *ctx)
{
    for (size_t i = 0; i < c->n_hooks; i++) {
        warn_providers(c, &c->hooks[i], report, ctx);
        if (c->hooks[i].action == ACTION_DOWNLOAD)
            warn_dir(c, &c->hooks[i], report, ctx);
    }
}
