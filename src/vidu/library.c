/* SPDX-License-Identifier: MIT */
#include "vidu/library.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* Folders whose content belongs to something else, or is left out. */
static const char *const hiding[] = {
    "clips",
    "shorts",
    "scenes",
    "samples",
    "extras",
    "extra",
    "other",
    "trailers",
    "interviews",
    "featurettes",
    "backdrops",
    "theme-music",
    "behind the scenes",
    "deleted scenes",
};

bool library_hides(const char *folder)
{
    for (size_t i = 0; i < ARRAY_LEN(hiding); i++)
        if (strcasecmp(folder, hiding[i]) == 0)
            return true;
    return false;
}

enum library_layout library_layout_kind(const char *layout)
{
    if (str_eq(layout, "flat"))
        return LAYOUT_FLAT;
    return str_eq(layout, "folder") ? LAYOUT_FOLDER : LAYOUT_TEMPLATE;
}

size_t library_count(const char *layout)
{
    size_t n = 1;

    for (; *layout != '\0'; layout++)
        n += *layout == '/';
    return n;
}

static struct slice component_at(const char *layout, size_t i)
{
    for (; i > 0; i--)
        layout += strcspn(layout, "/") + 1;
    return (struct slice){layout, strcspn(layout, "/")};
}

static int check_component(struct slice s, struct err *err)
{
    autofree char *text = mem_strndup(s.p, s.n);

    if (s.n == 0 || text[0] == '.')
        return err_set(err, -EINVAL, "a component must not be empty or begin with a dot");
    if (strstr(text, "{file.") != NULL || strstr(text, "{run.") != NULL)
        return err_set(err, -EINVAL, "%s is not known before the download, or changes", text);
    return template_check(text, err);
}

int library_layout_check(const char *layout, struct err *err)
{
    size_t n = library_count(layout);

    if (library_layout_kind(layout) != LAYOUT_TEMPLATE)
        return 0;
    if (strchr(layout, '{') == NULL)
        return err_set(err, -EINVAL,
                       "must be flat, folder or a template like "
                       "{task.model}/{task.prompt}, not '%s'",
                       layout);
    if (n > LIBRARY_FOLDERS_MAX)
        return err_set(err, -EINVAL, "more than %d components", LIBRARY_FOLDERS_MAX);
    for (size_t i = 0; i < n; i++) {
        int rc = check_component(component_at(layout, i), err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

bool library_component(const char *layout, size_t i, template_lookup *lookup, void *ctx,
                       struct buf *out)
{
    autobuf struct buf filled = BUF_INIT(64U << 10);
    autofree char *text = NULL;
    struct slice s;

    if (i >= library_count(layout))
        return false;
    s = component_at(layout, i);
    text = mem_strndup(s.p, s.n);
    template_fill(text, lookup, ctx, &filled);
    buf_reset(out);
    template_file_name(buf_text(&filled), LIBRARY_NAME_MAX, out);
    if (out->len == 0 || library_hides(buf_text(out)))
        buf_addc(out, '_');
    return true;
}
