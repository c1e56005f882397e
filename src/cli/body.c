/* SPDX-License-Identifier: MIT */
#include "cli/body.h"

#include "base/fs.h"
#include "base/str.h"
#include "cli/media.h"
#include "vidu/request.h"
#include "vidu/tag.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SHOWN_OF_URI 48

static int read_source(const char *name, char **text, size_t *len, struct err *err)
{
    int rc;

    if (!str_eq(name, "-"))
        return fs_read_file(name, REQUEST_MAX_BODY, text, len, err);
    rc = fs_read_fd(STDIN_FILENO, REQUEST_MAX_BODY, text, len);
    if (rc == -EFBIG)
        return err_set(err, rc, "standard input: more than the %u bytes a provider takes",
                       REQUEST_MAX_BODY);
    return rc < 0 ? err_sys(err, rc, "standard input") : 0;
}

static int read_body(const char *name, json_t **out, struct err *err)
{
    autofree char *text = NULL;
    const char *shown = str_eq(name, "-") ? "standard input" : name;
    size_t len = 0;
    json_error_t where;
    json_t *body;
    int rc = read_source(name, &text, &len, err);

    if (rc < 0)
        return rc;
    body = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &where);
    if (body == NULL)
        return err_set(err, -EINVAL, "%s:%d:%d: %s", shown, where.line, where.column, where.text);
    if (!json_is_object(body)) {
        json_decref(body);
        return err_set(err, -EINVAL, "%s: the request must be a JSON object", shown);
    }
    *out = body;
    return 0;
}

static int start_body(const struct options *o, json_t **out, struct err *err)
{
    const char *file = options_text(o, "body");
    const char *word = o->n_words > 1 ? o->words[1] : NULL;

    if (word != NULL && !str_eq(word, "-"))
        return err_set(err, -EINVAL,
                       "%s: only `-` (a JSON body on standard input) may follow the endpoint; "
                       "a prompt is given with --prompt",
                       word);
    if (word != NULL && file != NULL)
        return err_set(err, -EINVAL, "give either `-` or --body, not both");
    if (word == NULL && file == NULL) {
        *out = json_object();
        return 0;
    }
    return read_body(word != NULL ? word : file, out, err);
}

static int set_fields(json_t *body, const struct options *o, struct err *err)
{
    const char *text;
    size_t at = 0;

    while ((text = options_next(o, "set", &at)) != NULL) {
        const char *equals = strchr(text, '=');
        autofree char *name = mem_strndup(text, equals != NULL ? (size_t)(equals - text) : 0);
        int rc = name[0] == '\0' ? err_set(err, -EINVAL, "--set %s: NAME=VALUE is needed", text)
                                 : request_set(body, name, equals + 1, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static void set_texts(json_t *body, const struct options *o)
{
    static const char *const names[] = {"model", "prompt", "payload"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (options_has(o, names[i]))
            (void)json_object_set_new(body, names[i], json_string(options_text(o, names[i])));
}

/* --set has the last word. */
static int set_media(const struct options *o, const struct provider_profile *profile,
                     struct media_files *files, json_t *body, struct err *err)
{
    const struct endpoint *e = o->n_words > 0 ? endpoint_find(o->words[0]) : NULL;
    int rc = media_add(body, o, e, profile, files, err);

    return rc == 0 ? set_fields(body, o, err) : rc;
}

static size_t text_length(const json_t *body)
{
    autofree char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(15));

    return text != NULL ? strlen(text) : 0;
}

int body_finish(const struct options *o, const struct provider_profile *profile,
                struct media_files *files, json_t *body, struct err *err)
{
    return files->n != 0 ? set_media(o, profile, files, body, err) : 0;
}

int body_begin(const struct options *o, const struct provider_profile *profile,
               struct media_files *files, json_t **out, struct err *err)
{
    json_t *body = NULL;
    int rc = start_body(o, &body, err);

    if (rc < 0)
        return rc;
    set_texts(body, o);
    files->listing = true;
    rc = set_media(o, profile, files, body, err);
    files->listing = false;
    if (rc == 0 && files->n != 0)
        rc = media_files_choose(files, text_length(body), profile, err);
    if (rc < 0) {
        json_decref(body);
        return rc;
    }
    *out = body;
    return 0;
}

int body_text(const json_t *body, char **out, size_t *len, struct err *err)
{
    char *text = json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(15));
    size_t n;
    char have[16], most[16];

    if (text == NULL)
        return err_set(err, -EINVAL, "the request cannot be written as JSON");
    n = strlen(text);
    if (n <= REQUEST_MAX_BODY) {
        *out = text;
        *len = n;
        return 0;
    }
    free(text);
    str_from_bytes(n, have);
    str_from_bytes(REQUEST_MAX_BODY, most);
    return err_set(err, -EFBIG,
                   "the request has %s (%zu bytes) and a provider takes at most %s (%u bytes); "
                   "base64 adds a third to every file: use smaller ones, or URLs",
                   have, n, most, REQUEST_MAX_BODY);
}

int body_tags(const struct options *o, json_t **out, struct err *err)
{
    json_t *tags = json_object();
    const char *text;
    size_t at = 0;

    while ((text = options_next(o, "tag", &at)) != NULL) {
        size_t n = strcspn(text, "=");
        autofree char *name = mem_strndup(text, n);
        const char *value = text[n] == '=' ? text + n + 1 : "";

        if (tag_check(name, strlen(value), err) < 0) {
            json_decref(tags);
            return err_wrap(err, -EINVAL, "--tag");
        }
        (void)json_object_set_new(tags, name, json_string(value));
    }
    *out = tags;
    return 0;
}

static json_t *shortened_text(const json_t *value)
{
    const char *text = json_string_value(value);
    size_t n = json_string_length(value);
    autofree char *cut = NULL;

    if (!str_starts(text, "data:") || n <= SHOWN_OF_URI)
        return json_stringn(text, n);
    cut = mem_printf("%.*s... (%zu bytes)", SHOWN_OF_URI, text, n);
    return json_string(cut);
}

static json_t *shortened_array(const json_t *value)
{
    json_t *copy = json_array();
    json_t *item;
    size_t i;

    json_array_foreach (value, i, item) {
        (void)json_array_append_new(copy, body_shortened(item));
    }
    return copy;
}

json_t *body_shortened(const json_t *value)
{
    json_t *copy, *item;
    const char *name;

    if (json_is_string(value))
        return shortened_text(value);
    if (json_is_array(value))
        return shortened_array(value);
    if (!json_is_object(value))
        return json_deep_copy(value);
    copy = json_object();
    json_object_foreach ((json_t *)(uintptr_t)value, name, item) /* only reads it */
    {
        (void)json_object_set_new(copy, name, body_shortened(item));
    }
    return copy;
}
