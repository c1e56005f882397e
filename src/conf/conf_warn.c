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

void conf_warn(const struct conf *c, conf_report *report, void *ctx)
{
    for (size_t i = 0; i < c->n_hooks; i++)
        if (c->hooks[i].action == ACTION_DOWNLOAD)
            warn_dir(c, &c->hooks[i], report, ctx);
}
