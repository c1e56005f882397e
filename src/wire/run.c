/* SPDX-License-Identifier: MIT */
#include "wire/run.h"

#include <string.h>

/* Names that are not simply a path into the context. */
enum place { PLACE_RESULT, PLACE_FILE, PLACE_COVER, PLACE_HOOK };

static const struct {
    const char *name;
    enum place place;
    const char *member;
} special[] = {
    {"url", PLACE_RESULT, "url"},
    {"cover_url", PLACE_RESULT, "cover_url"},
    {"watermarked_url", PLACE_RESULT, "watermarked_url"},
    {"file.path", PLACE_FILE, "path"},
    {"file.name", PLACE_FILE, "path"},
    {"file.cover", PLACE_COVER, "path"},
    {"hook", PLACE_HOOK, "hook"},
};

static bool is_result_kind(const char *kind)
{
    return str_eq(kind, "video") || str_eq(kind, "image") || str_eq(kind, "audio");
}

static const json_t *first_file(const json_t *context, bool cover)
{
    const json_t *files = json_object_get(context, "files");
    size_t i;

    for (i = 0; i < json_array_size(files); i++) {
        const json_t *file = json_array_get(files, i);
        const char *kind = json_string_value(json_object_get(file, "kind"));

        if (cover ? str_eq(kind, "cover") : is_result_kind(kind))
            return file;
    }
    return NULL;
}

static const json_t *find_place(const json_t *context, enum place place)
{
    switch (place) {
    case PLACE_RESULT:
        return json_array_get(json_object_get(context, "result"), 0);
    case PLACE_FILE:
        return first_file(context, false);
    case PLACE_COVER:
        return first_file(context, true);
    default:
        return json_object_get(context, "run");
    }
}

/* "task.model": one member after the other. */
static const json_t *find_path(const json_t *from, const char *path)
{
    const char *end;

    for (; from != NULL; path = end + 1) {
        end = path + strcspn(path, ".");
        from = json_object_getn(from, path, (size_t)(end - path));
        if (*end == '\0')
            break;
    }
    return from;
}

static const json_t *find_value(const json_t *context, const char *name)
{
    size_t i;

    for (i = 0; i < ARRAY_LEN(special); i++)
        if (str_eq(name, special[i].name))
            return json_object_get(find_place(context, special[i].place), special[i].member);
    return find_path(context, name);
}

static int add_piece(const char *p, size_t n, void *ctx)
{
    buf_add(ctx, p, n);
    return 0;
}

static void add_value(const json_t *v, struct buf *out)
{
    if (json_is_string(v))
        buf_add(out, json_string_value(v), json_string_length(v));
    else if (json_is_integer(v))
        buf_addf(out, "%lld", (long long)json_integer_value(v));
    else if (json_is_true(v))
        buf_addc(out, '1');
    else if (json_is_object(v) || json_is_array(v))
        (void)json_dump_callback(v, add_piece, out, JSON_COMPACT);
}

const char *run_context_value(const json_t *context, const char *name, struct buf *scratch)
{
    const char *text;
    const char *slash;

    buf_reset(scratch);
    add_value(find_value(context, name), scratch);
    text = buf_text(scratch);
    slash = str_eq(name, "file.name") ? strrchr(text, '/') : NULL;
    return slash != NULL ? slash + 1 : text;
}

const char *run_look_up(const char *name, void *ctx)
{
    struct run_lookup *l = ctx;

    return run_context_value(l->context, name, &l->scratch);
}
