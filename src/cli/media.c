/* SPDX-License-Identifier: MIT */
#include "cli/media.h"

#include "base/encode.h"
#include "base/fs.h"
#include "cli/field.h"
#include "vidu/request.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define DATA_URI_HEAD 64 /* room for data:video/quicktime;base64, */

static const struct kind {
    const char *option, *article, *formats;
    const char *field; /* where the endpoint has none of its own */
    uint64_t most;     /* bytes of a file */
} kinds[] = {
    [MEDIA_IMAGE] = {"image", "an", "PNG, JPEG or WebP", "images", REQUEST_MAX_IMAGE},
    [MEDIA_VIDEO] = {"video", "a", "MP4, MOV or AVI", "videos", REQUEST_MAX_BODY},
    [MEDIA_AUDIO] = {"audio", "an", "MP3, M4A or WAV", "audio_url", REQUEST_MAX_BODY},
};

static int too_big(const struct kind *k, const char *name, struct err *err)
{
    struct stat st;
    char have[16], most[16];

    if (k->most == REQUEST_MAX_IMAGE)
        return err_set(err, -EFBIG, "%s: an image may have at most %u MiB", name,
                       REQUEST_MAX_IMAGE >> 20);
    str_from_bytes(stat(name, &st) == 0 ? (uint64_t)st.st_size : k->most + 1, have);
    str_from_bytes(REQUEST_MAX_BODY / 4 * 3, most);
    return err_set(err, -EFBIG,
                   "%s has %s; a request of at most %u MiB, in base64, has room for %s: put it on "
                   "a server and give its URL",
                   name, have, REQUEST_MAX_BODY >> 20, most);
}

static int read_file(enum media_kind kind, const char *name, json_t **out, struct err *err)
{
    const struct kind *k = &kinds[kind];
    autofree char *bytes = NULL;
    autobuf struct buf uri = BUF_INIT(BASE64_LEN((size_t)REQUEST_MAX_IMAGE) + DATA_URI_HEAD);
    size_t len;
    int rc = fs_read_file(name, k->most, &bytes, &len, err);

    if (rc == -EFBIG)
        return too_big(k, name, err);
    if (rc < 0)
        return rc;
    if (request_media_uri(kind, bytes, len, &uri) < 0)
        return err_set(err, -EINVAL, "%s: this is no %s %s", name, k->formats,
                       kind == MEDIA_AUDIO ? "sound" : k->option);
    *out = json_stringn(buf_text(&uri), uri.len);
    return 0;
}

/* A reference as it is, a file as a data URI. */
static int read_media(enum media_kind kind, const char *name, json_t **out, struct err *err)
{
    if (!request_is_media_reference(name))
        return read_file(kind, name, out, err);
    *out = json_string(name);
    return 0;
}

static int add_item(json_t *list, enum media_kind kind, const char *name, struct err *err)
{
    json_t *item = NULL;
    int rc = read_media(kind, name, &item, err);

    if (rc < 0)
        return rc;
    (void)json_array_append_new(list, item);
    return 0;
}

static int add_list(json_t *body, const char *field, enum media_kind kind, const struct options *o,
                    struct err *err)
{
    json_t *list = json_array();
    const char *name;
    size_t at = 0;

    (void)json_object_set_new(body, field, list);
    while ((name = options_next(o, kinds[kind].option, &at)) != NULL) {
        int rc = add_item(list, kind, name, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

static int add_one(json_t *body, const char *field, enum media_kind kind, const struct options *o,
                   struct err *err)
{
    const struct kind *k = &kinds[kind];
    json_t *item = NULL;
    size_t at = 0;
    const char *name = options_next(o, k->option, &at);
    int rc;

    if (options_next(o, k->option, &at) != NULL)
        return err_set(err, -EINVAL, "--%s: %s takes one, as its field %s", k->option, o->words[0],
                       field);
    rc = read_media(kind, name, &item, err);
    if (rc < 0)
        return rc;
    (void)json_object_set_new(body, field, item);
    return 0;
}

static bool is_list(const struct endpoint *e, const char *field)
{
    const struct endpoint_field *f = e != NULL ? endpoint_field_find(e, field) : NULL;

    return f != NULL ? str_eq(f->type, "array") : !str_eq(field, kinds[MEDIA_AUDIO].field);
}

static int add_kind(json_t *body, enum media_kind kind, const char *field, const struct endpoint *e,
                    const struct options *o, struct err *err)
{
    const char *name = str_or(field, kinds[kind].field);

    if (!options_has(o, kinds[kind].option))
        return 0;
    return is_list(e, name) ? add_list(body, name, kind, o, err)
                            : add_one(body, name, kind, o, err);
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
static int add_image_list(json_t *images, const char *list, const char *text, struct err *err)
{
    for (;;) {
        size_t n = image_name_len(list);
        autofree char *name = mem_strndup(list, n);
        int rc = n == 0 ? err_set(err, -EINVAL, "--subject %s: the name of a file is empty", text)
                        : add_item(images, MEDIA_IMAGE, name, err);

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

static int add_subjects(json_t *body, const struct options *o, const char *key, struct err *err)
{
    json_t *subjects;
    const char *text;
    size_t at = 0;

    if (!options_has(o, "subject"))
        return 0;
    subjects = json_array();
    (void)json_object_set_new(body, "subjects", subjects);
    while ((text = options_next(o, "subject", &at)) != NULL) {
        const char *equals = strchr(text, '=');
        autofree char *name = mem_strndup(text, equals != NULL ? (size_t)(equals - text) : 0);
        int rc = name[0] == '\0'
                     ? err_set(err, -EINVAL, "--subject %s: NAME=FILE is needed", text)
                     : add_image_list(subject_images(subjects, key, name), equals + 1, text, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

/* IMAGE[,SECONDS[,PROMPT]]: the prompt may have commas. */
static int add_frame(json_t *frames, const char *text, struct err *err)
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
    rc = read_media(MEDIA_IMAGE, name, &image, err);
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

static int add_frames(json_t *body, const struct options *o, struct err *err)
{
    json_t *frames;
    const char *text;
    size_t at = 0;

    if (!options_has(o, "frame"))
        return 0;
    frames = json_array();
    (void)json_object_set_new(body, "image_settings", frames);
    while ((text = options_next(o, "frame", &at)) != NULL) {
        int rc = add_frame(frames, text, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}

int media_add(json_t *body, const struct options *o, const struct endpoint *e,
              const struct provider_profile *profile, struct err *err)
{
    const char *const fields[] = {
        [MEDIA_IMAGE] = e != NULL ? e->image : NULL,
        [MEDIA_VIDEO] = e != NULL ? e->video : NULL,
        [MEDIA_AUDIO] = e != NULL ? e->audio : NULL,
    };
    int rc = 0;

    for (size_t i = 0; i < ARRAY_LEN(fields) && rc == 0; i++)
        rc = add_kind(body, (enum media_kind)i, fields[i], e, o, err);
    if (rc == 0)
        rc = add_subjects(body, o, profile->subject_name_key, err);
    return rc == 0 ? add_frames(body, o, err) : rc;
}
