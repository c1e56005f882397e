/* SPDX-License-Identifier: MIT */
#include "cli/media.h"

#include "cli/field.h"

#include <errno.h>
#include <string.h>

struct adder {
    json_t *body;
    const struct options *o;
    struct media_files *files;
    bool form; /* the request goes as one, an image beside it */
};

static int add_item(const struct adder *a, json_t *list, enum media_kind kind, const char *name,
                    struct err *err)
{
    json_t *item = NULL;
    int rc = media_file_value(a->files, kind, name, &item, err);

    if (rc < 0)
        return rc;
    (void)json_array_append_new(list, item);
    return 0;
}

static int add_list(const struct adder *a, const char *field, enum media_kind kind, struct err *err)
{
    json_t *list = json_array();
    const char *name;
    size_t at = 0;

    (void)json_object_set_new(a->body, field, list);
    while ((name = options_next(a->o, media_option(kind), &at)) != NULL) {
        int rc = add_item(a, list, kind, name, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static int add_one(const struct adder *a, const char *field, enum media_kind kind, struct err *err)
{
    const char *option = media_option(kind);
    json_t *item = NULL;
    size_t at = 0;
    const char *name = options_next(a->o, option, &at);
    int rc;

    if (options_next(a->o, option, &at) != NULL)
        return err_set(err, -EINVAL, "--%s: %s takes one, as its field %s", option, a->o->words[0],
                       field);
    if (a->form && kind == MEDIA_IMAGE && !request_is_media_reference(name))
        return a->files->listing ? media_file_list_beside(a->files, kind, name, err) : 0;
    rc = media_file_value(a->files, kind, name, &item, err);
    if (rc < 0)
        return rc;
    (void)json_object_set_new(a->body, field, item);
    return 0;
}

/* Where an endpoint has no field of its own for them. */
static const char *const usual_fields[] = {
    [MEDIA_IMAGE] = "images", [MEDIA_VIDEO] = "videos", [MEDIA_AUDIO] = "audio_url"};

static bool is_list(const struct endpoint *e, const char *field)
{
    const struct endpoint_field *f = e != NULL ? endpoint_field_find(e, field) : NULL;

    return f != NULL ? str_eq(f->type, "array") : !str_eq(field, usual_fields[MEDIA_AUDIO]);
}

static int add_kind(const struct adder *a, enum media_kind kind, const char *field,
                    const struct endpoint *e, struct err *err)
{
    const char *name = str_or(field, usual_fields[kind]);

    if (!options_has(a->o, media_option(kind)))
        return 0;
    return is_list(e, name) ? add_list(a, name, kind, err) : add_one(a, name, kind, err);
}

/* A comma ends a name, but for the one inside data:image/png;base64,... */
static size_t image_name_len(const char *list)
{
    size_t n = strcspn(list, ",");

    if (str_starts(list, "data:") && list[n] == ',')
        n += 1 + strcspn(list + n + 1, ",");
    return n;
}

/* text is the whole option, for its errors. */
static int add_image_list(const struct adder *a, json_t *images, const char *list, const char *text,
                          struct err *err)
{
    for (;;) {
        size_t n = image_name_len(list);
        autofree char *name = mem_strndup(list, n);
        int rc = n == 0 ? err_set(err, -EINVAL, "--subject %s: the name of a file is empty", text)
                        : add_item(a, images, MEDIA_IMAGE, name, err);

        if (rc < 0)
            return rc;
        if (list[n] == '\0')
            return 0;
        list += n + 1;
    }
}

/* The images of the subject with this name, which is added when it is new. */
static json_t *subject_images(json_t *subjects, const char *key, const char *name)
{
    size_t i;
    json_t *subject;

    json_array_foreach (subjects, i, subject) {
        if (str_eq(field_text(subject, key), name))
            return json_object_get(subject, "images");
    }
    subject = json_pack("{s:s, s:[]}", key, name, "images");
    (void)json_array_append_new(subjects, subject);
    return json_object_get(subject, "images");
}

static int add_subjects(const struct adder *a, const char *key, struct err *err)
{
    json_t *subjects;
    const char *text;
    size_t at = 0;

    if (!options_has(a->o, "subject"))
        return 0;
    subjects = json_array();
    (void)json_object_set_new(a->body, "subjects", subjects);
    while ((text = options_next(a->o, "subject", &at)) != NULL) {
        const char *equals = strchr(text, '=');
        autofree char *name = mem_strndup(text, equals != NULL ? (size_t)(equals - text) : 0);
        int rc = name[0] == '\0' ? err_set(err, -EINVAL, "--subject %s: NAME=FILE is needed", text)
                                 : add_image_list(a, subject_images(subjects, key, name),
                                                  equals + 1, text, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

/* IMAGE[,SECONDS[,PROMPT]]: the prompt may have commas. */
static int add_frame(const struct adder *a, json_t *frames, const char *text, struct err *err)
{
    size_t n = image_name_len(text);
    autofree char *name = mem_strndup(text, n);
    const char *rest = text[n] == ',' ? text + n + 1 : "";
    size_t digits = strcspn(rest, ",");
    json_t *image = NULL;
    json_t *frame;
    uint64_t seconds = 0;
    int rc;

    if (n == 0 || (digits != 0 && str_to_u64(rest, digits, 3600, &seconds) < 0))
        return err_set(err, -EINVAL, "--frame %s: IMAGE, IMAGE,SECONDS or IMAGE,SECONDS,PROMPT",
                       text);
    rc = media_file_value(a->files, MEDIA_IMAGE, name, &image, err);
    if (rc < 0)
        return rc;
    frame = json_pack("{s:o}", "key_image", image);
    if (digits != 0)
        (void)json_object_set_new(frame, "duration", json_integer((json_int_t)seconds));
    if (rest[digits] == ',')
        (void)json_object_set_new(frame, "prompt", json_string(rest + digits + 1));
    (void)json_array_append_new(frames, frame);
    return 0;
}

static int add_frames(const struct adder *a, struct err *err)
{
    json_t *frames;
    const char *text;
    size_t at = 0;

    if (!options_has(a->o, "frame"))
        return 0;
    frames = json_array();
    (void)json_object_set_new(a->body, "image_settings", frames);
    while ((text = options_next(a->o, "frame", &at)) != NULL) {
        int rc = add_frame(a, frames, text, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

int media_add(json_t *body, const struct options *o, const struct endpoint *e,
              const struct provider_profile *profile, struct media_files *files, struct err *err)
{
    const struct adder a = {body, o, files, e != NULL && e->form == ENDPOINT_MULTIPART};
    const char *const fields[] = {
        [MEDIA_IMAGE] = e != NULL ? e->image : NULL,
        [MEDIA_VIDEO] = e != NULL ? e->video : NULL,
        [MEDIA_AUDIO] = e != NULL ? e->audio : NULL,
    };
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(fields) && rc == 0; i++)
        rc = add_kind(&a, (enum media_kind)i, fields[i], e, err);
    if (rc == 0)
        rc = add_subjects(&a, profile->subject_name_key, err);
    return rc == 0 ? add_frames(&a, err) : rc;
}
