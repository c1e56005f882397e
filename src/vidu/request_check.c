/* SPDX-License-Identifier: MIT */
#include "vidu/document.h"
#include "vidu/nearest.h"
#include "vidu/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define MAX_PROMPT_PICTURES 2000 /* references without subjects */
#define MAX_SUBJECTS        7
#define MAX_SUBJECT_IMAGES  3
#define MIN_FRAMES          2
#define MAX_FRAMES          9

struct check {
    const struct endpoint *e;
    json_t *body;
    const char *model; /* "" when the body names none */
    void (*warn)(const char *line, void *ctx);
    void *ctx;
    size_t count;
};

static void PRINTF_LIKE(2, 3) complain(struct check *c, const char *fmt, ...)
{
    char line[512]; /* long values of the body are cut */
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    c->count++;
    c->warn(line, c->ctx);
}

static const char *text_of(const struct check *c, const char *key)
{
    const char *text = json_string_value(json_object_get(c->body, key));

    return text != NULL ? text : "";
}

static bool is_true(const struct check *c, const char *key)
{
    return json_is_true(json_object_get(c->body, key));
}

/* Names and types of fields. */

static const struct json_type_row {
    const char *name;
    json_type types[2];
} json_types[] = {
    {"string", {JSON_STRING, JSON_STRING}}, {"int", {JSON_INTEGER, JSON_INTEGER}},
    {"number", {JSON_INTEGER, JSON_REAL}},  {"bool", {JSON_TRUE, JSON_FALSE}},
    {"array", {JSON_ARRAY, JSON_ARRAY}},
};

static bool has_type(const json_t *v, const char *type)
{
    for (size_t i = 0; i < ARRAY_LEN(json_types); i++)
        if (str_eq(json_types[i].name, type))
            return json_typeof(v) == json_types[i].types[0] ||
                   json_typeof(v) == json_types[i].types[1];
    return true;
}

static bool is_listed(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = strstr(list, word); n != 0 && at != NULL; at = strstr(at + n, word))
        if ((at == list || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
            return true;
    return false;
}

static size_t characters(const json_t *v)
{
    struct slice s = document_text(v);
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    return n;
}

static void check_length(struct check *c, const char *field, size_t max)
{
    size_t n = characters(json_object_get(c->body, field));

    if (n > max)
        complain(c, "%s has %zu characters, %zu are documented", field, n, max);
}

/* What its row says about a value of the right type. */
static void check_value(struct check *c, const struct endpoint_field *f, const json_t *v)
{
    const char *word = document_text(v).p;
    double n = json_number_value(v);

    if (f->values != NULL && word[0] != '\0' && !is_listed(f->values, word))
        complain(c, "%s %s is none of: %s", f->name, word, f->values);
    if (json_is_number(v) && f->min < f->max && (n < f->min || n > f->max))
        complain(c, "%s is a number from %g to %g", f->name, f->min, f->max);
    if (f->max_chars != 0)
        check_length(c, f->name, f->max_chars);
}

static void check_unknown(struct check *c, const char *key)
{
    struct nearest nearest = NEAREST_INIT(key);

    for (const struct endpoint_field *f = c->e->fields; f->name != NULL; f++)
        nearest_offer(&nearest, f->name);
    if (nearest.best != NULL)
        complain(c, "%s is not a field of %s; did you mean %s?", key, c->e->name, nearest.best);
    else if (!c->e->open)
        complain(c, "%s is not a field of %s and may be refused", key, c->e->name);
}

static void check_field(struct check *c, const char *key, const json_t *v)
{
    const struct endpoint_field *f = endpoint_field_find(c->e, key);

    if (f == NULL)
        check_unknown(c, key);
    else if (!has_type(v, f->type))
        complain(c, "%s is not of type %s", key, f->type);
    else
        check_value(c, f, v);
}

static void check_fields(struct check *c)
{
    const char *key;
    json_t *v;

    json_object_foreach (c->body, key, v)
        check_field(c, key, v);
}

/* Models, with the seconds and resolutions they make (vidu-api.md section 4). */

#define SECONDS(from, to) ((uint32_t)((2ULL << (to)) - (1ULL << (from))))
#define ONLY(n)           (UINT32_C(1) << (n))
#define MAX_SECONDS       31

static const struct range {
    const char *model;
    const char *endpoints; /* the timing of their rows */
    uint32_t seconds;      /* bit n: n seconds */
    const char *resolutions;
} ranges[] = {
    {"viduq3-pro", "tis", SECONDS(1, 16), "720p 540p 1080p"},
    {"viduq3-turbo", "tis", SECONDS(1, 16), "720p 540p 1080p"},
    {"viduq3-turbo", "r", SECONDS(3, 16), "720p 540p 1080p"},
    {"viduq3-pro-fast", "i", SECONDS(1, 16), "720p 1080p"},
    {"viduq3", "r", SECONDS(3, 16), "720p 540p 1080p"},
    {"viduq3-mix", "r", SECONDS(3, 16), "720p 1080p"},
    {"viduq3-drama", "r", SECONDS(3, 15), "720p 1080p"},
    {"viduq3-ad", "r", SECONDS(3, 15), "720p 1080p"},
    {"viduq2-pro", "i", SECONDS(1, 10), "720p 540p 1080p"},
    {"viduq2-pro", "s", SECONDS(1, 8), "720p 540p 1080p"},
    {"viduq2-pro", "r", SECONDS(0, 10), "720p 540p 1080p"},
    {"viduq2-turbo", "i", SECONDS(1, 10), "720p 540p 1080p"},
    {"viduq2-turbo", "s", SECONDS(1, 8), "720p 540p 1080p"},
    {"viduq2-pro-fast", "i", SECONDS(1, 10), "720p 1080p"},
    {"viduq2-pro-fast", "s", SECONDS(1, 8), "720p 1080p"},
    {"viduq2", "tr", SECONDS(1, 10), "720p 540p 1080p"},
    {"viduq1", "tisr", ONLY(5), "1080p"},
    {"viduq1-classic", "is", ONLY(5), "1080p"},
    {"vidu2.0", "isr", ONLY(4), "360p 720p 1080p"},
    {"vidu2.0", "is", ONLY(8), "720p"},
};

static bool applies(const struct check *c, const struct range *r)
{
    return str_eq(r->model, c->model) && c->e->timing != 0 &&
           strchr(r->endpoints, c->e->timing) != NULL;
}

/* Rows of this model and endpoint that allow the duration (absent: any) and the resolution. */
static size_t count_rows(const struct check *c, const json_t *duration, const char *resolution)
{
    int64_t s = json_integer_value(duration);
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(ranges); i++) {
        bool time = !json_is_integer(duration) ||
                    (s >= 0 && s <= MAX_SECONDS && (ranges[i].seconds >> s & 1) != 0);

        if (applies(c, &ranges[i]) && time &&
            (resolution[0] == '\0' || is_listed(ranges[i].resolutions, resolution)))
            n++;
    }
    return n;
}

static void check_range(struct check *c)
{
    const json_t *duration = json_object_get(c->body, "duration");
    const char *resolution = text_of(c, "resolution");

    if (count_rows(c, NULL, "") == 0)
        return;
    if (count_rows(c, duration, "") == 0)
        complain(c, "%s makes no videos of %" JSON_INTEGER_FORMAT " seconds on %s", c->model,
                 json_integer_value(duration), c->e->name);
    else if (count_rows(c, duration, resolution) == 0)
        complain(c, "%s does not make %s%s", c->model, resolution,
                 json_is_integer(duration) ? " at this duration" : "");
}

static void check_model(struct check *c)
{
    struct nearest nearest = NEAREST_INIT(c->model);

    if (c->model[0] == '\0') {
        if (c->e->model_required)
            complain(c, "%s needs a model", c->e->name);
        return;
    }
    for (const char *const *m = c->e->models; m != NULL && *m != NULL; m++) {
        if (str_eq(*m, c->model))
            return;
        nearest_offer(&nearest, *m);
    }
    if (c->e->models == NULL)
        return;
    complain(c, "%s is not a known model of %s%s%s%s", c->model, c->e->name,
             nearest.best != NULL ? "; did you mean " : "", str_or(nearest.best, ""),
             nearest.best != NULL ? "?" : "");
}

/* What models ignore, and texts. */

static const struct {
    const char *field, *models; /* a pattern */
} ignored[] = {
    {"style", "viduq2*"},
    {"style", "viduq3*"},
    {"movement_amplitude", "viduq2*"},
    {"movement_amplitude", "viduq3*"},
    {"bgm", "viduq3*"},
    {"audio_type", "viduq3*"},
    {"voice_id", "viduq3*"},
};

static void check_ignored(struct check *c)
{
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
        const json_t *v = json_object_get(c->body, ignored[i].field);

        if (v != NULL && !json_is_false(v) && str_glob(ignored[i].models, c->model))
            complain(c, "%s ignores %s", c->model, ignored[i].field);
    }
}

static void check_required(struct check *c)
{
    for (const struct endpoint_field *f = c->e->fields; f->name != NULL; f++)
        if (f->required && json_object_get(c->body, f->name) == NULL)
            complain(c, "%s needs %s: %s", c->e->name, f->name, f->help);
}

static void check_texts(struct check *c)
{
    if (c->e->subjects && json_object_get(c->body, "subjects") == NULL)
        check_length(c, "prompt", MAX_PROMPT_PICTURES);
    if (c->e->prompt_required && text_of(c, "prompt")[0] == '\0' && !is_true(c, "is_rec"))
        complain(c, "%s needs a prompt", c->e->name);
}

static void check_off_peak(struct check *c)
{
    if (!is_true(c, "off_peak"))
        return;
    if (str_eq(c->model, "viduq3-mix"))
        complain(c, "viduq3-mix has no off_peak");
    else if (is_true(c, "audio") && !str_glob("viduq3*", c->model))
        complain(c, "off_peak needs audio=false with %s", c->model);
}

/* Images and subjects. */

static void check_media(struct check *c, const json_t *list, const char *where)
{
    const json_t *item;
    size_t i;

    json_array_foreach (list, i, item) {
        const char *text = json_string_value(item);

        if (text == NULL || !request_is_media_reference(text))
            complain(c, "%s[%zu] is neither a URL nor a data URI", where, i);
        else if (strncasecmp(text, "data:", 5) == 0 && strncasecmp(text, "data:image/", 11) != 0)
            complain(c, "%s[%zu] is not a data URI of an image", where, i);
    }
}

static void check_images(struct check *c)
{
    const json_t *images = json_object_get(c->body, "images");
    size_t n = json_array_size(images);

    if (c->e->max_images < 0 ||
        (images == NULL && json_object_get(c->body, "subjects") != NULL && c->e->subjects))
        return;
    if (c->e->min_images == c->e->max_images && n != (size_t)c->e->min_images)
        complain(c, "%s takes %d image%s, not %zu", c->e->name, c->e->min_images,
                 c->e->min_images == 1 ? "" : "s", n);
    else if (n < (size_t)c->e->min_images || n > (size_t)c->e->max_images)
        complain(c, "%s takes %d to %d images, not %zu", c->e->name, c->e->min_images,
                 c->e->max_images, n);
    check_media(c, images, "images");
}

static void check_subject(struct check *c, const json_t *subject, size_t i)
{
    const json_t *images = json_object_get(subject, "images");

    if (document_text(json_object_get(subject, "name")).n == 0 &&
        document_text(json_object_get(subject, "id")).n == 0)
        complain(c, "subjects[%zu] has no name", i);
    if (json_array_size(images) > MAX_SUBJECT_IMAGES)
        complain(c, "subjects[%zu] has more than %d images", i, MAX_SUBJECT_IMAGES);
    check_media(c, images, "subjects[].images");
}

static void check_videos(struct check *c)
{
    const json_t *videos = json_object_get(c->body, "videos");

    if (c->e->subjects && json_array_size(videos) > 0 && !str_eq(c->model, "viduq2-pro"))
        complain(c, "videos are for viduq2-pro, not for %s", c->model);
}

static void check_subjects(struct check *c)
{
    const json_t *subjects = json_object_get(c->body, "subjects");
    const json_t *subject;
    size_t i;

    if (!c->e->subjects)
        return;
    if (json_array_size(subjects) > MAX_SUBJECTS)
        complain(c, "more than %d subjects", MAX_SUBJECTS);
    if (subjects != NULL && str_eq(c->model, "viduq3-mix"))
        complain(c, "viduq3-mix takes no subjects");
    json_array_foreach (subjects, i, subject)
        check_subject(c, subject, i);
}

static void check_frames(struct check *c)
{
    size_t n = json_array_size(json_object_get(c->body, "image_settings"));

    if (c->e->frames && (n < MIN_FRAMES || n > MAX_FRAMES))
        complain(c, "%s takes %d to %d frames behind the first image, not %zu", c->e->name,
                 MIN_FRAMES, MAX_FRAMES, n);
}

size_t request_check(const struct endpoint *e, const json_t *body,
                     void (*warn)(const char *line, void *ctx), void *ctx)
{
    /* jansson iterates over non-const objects only; nothing here changes the body. */
    struct check c = {.e = e, .body = (json_t *)body, .warn = warn, .ctx = ctx};

    c.model = text_of(&c, "model");
    check_fields(&c);
    check_model(&c);
    check_range(&c);
    check_ignored(&c);
    check_required(&c);
    check_texts(&c);
    check_off_peak(&c);
    check_images(&c);
    check_videos(&c);
    check_subjects(&c);
    check_frames(&c);
    return c.count;
}
