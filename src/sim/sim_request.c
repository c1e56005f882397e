/* SPDX-License-Identifier: MIT */
#include "sim/sim_request.h"

#include "sim/sim_json.h"

#include <string.h>

#define MAX_PROMPT  5000
#define MAX_PAYLOAD 1048576
#define MAX_SECONDS 16
#define MAX_ASKED   ((size_t)160 << 20)

enum { TEXT = 1, IMG = 2, REF = 4, ENDS = 8, ALL = 15 };

static const struct sim_endpoint endpoints[] = {
    {.name = "text2video", .bit = TEXT},
    {.name = "img2video", .bit = IMG, .min_images = 1, .max_images = 1},
    {.name = "reference2video", .bit = REF, .min_images = 1, .max_images = 7},
    {.name = "start-end2video", .bit = ENDS, .min_images = 2, .max_images = 2},
};

struct field {
    const char *name;
    json_type type; /* JSON_TRUE stands for both booleans */
    unsigned on;    /* endpoints that know it */
    unsigned needed_by;
    bool (*check)(const json_t *v);
    const char *fallback; /* what the answer says when it was not sent, as JSON; NULL: nothing */
    void (*echo)(struct buf *out, const json_t *body, int64_t seed); /* NULL: as it was sent */
};

static bool is_filled(const json_t *v)
{
    return json_string_length(v) != 0;
}

static size_t characters(const json_t *v)
{
    const char *s = json_string_value(v);
    size_t count = 0;

    for (size_t i = 0; i < json_string_length(v); i++)
        count += ((unsigned char)s[i] & 0xc0) != 0x80;
    return count;
}

static bool is_prompt(const json_t *v)
{
    return characters(v) <= MAX_PROMPT;
}

static bool is_payload(const json_t *v)
{
    return characters(v) <= MAX_PAYLOAD;
}

static bool is_one_of(const json_t *v, const char *const *words)
{
    for (; *words != NULL; words++)
        if (str_eq(json_string_value(v), *words))
            return true;
    return false;
}

static bool is_resolution(const json_t *v)
{
    static const char *const words[] = {"360p", "540p", "720p", "1080p", NULL};

    return is_one_of(v, words);
}

static bool is_aspect_ratio(const json_t *v)
{
    static const char *const words[] = {"16:9", "9:16", "1:1", "3:4", "4:3", NULL};

    return is_one_of(v, words);
}

static bool is_amplitude(const json_t *v)
{
    static const char *const words[] = {"auto", "small", "medium", "large", NULL};

    return is_one_of(v, words);
}

static bool is_style(const json_t *v)
{
    static const char *const words[] = {"general", "anime", NULL};

    return is_one_of(v, words);
}

static bool is_duration(const json_t *v)
{
    return json_integer_value(v) >= 0 && json_integer_value(v) <= MAX_SECONDS;
}

static bool is_position(const json_t *v)
{
    return json_integer_value(v) >= 1 && json_integer_value(v) <= 4;
}

/* http or https with a host. */
static bool is_web_url(const char *s)
{
    const char *host = NULL;

    if (str_starts(s, "http://"))
        host = s + 7;
    else if (str_starts(s, "https://"))
        host = s + 8;
    return host != NULL && strcspn(host, "/?#") != 0 && strpbrk(s, " \r\n\t") == NULL;
}

static bool is_callback_url(const json_t *v)
{
    const char *s = json_string_value(v);

    return s[0] == '\0' || (strlen(s) == json_string_length(v) && is_web_url(s));
}

static bool is_base64(const char *s)
{
    size_t n = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    size_t pad = strspn(s + n, "=");

    return n != 0 && s[n + pad] == '\0' && pad <= 2 && (n + pad) % 4 == 0;
}

static bool is_data_uri(const char *s, const char *kind, const char *const *subtypes)
{
    size_t n;

    if (!str_starts(s, "data:") || !str_starts(s + 5, kind))
        return false;
    s += 5 + strlen(kind);
    n = strcspn(s, ";,");
    for (; *subtypes != NULL; subtypes++)
        if (slice_is((struct slice){s, n}, *subtypes))
            return str_starts(s + n, ";base64,") && is_base64(s + n + 8);
    return false;
}

static bool is_image(const json_t *v)
{
    static const char *const subtypes[] = {"png", "jpeg", "jpg", "webp", NULL};
    const char *s = json_string_value(v);

    return s != NULL &&
           (is_web_url(s) || str_starts(s, "ssupload:") || is_data_uri(s, "image/", subtypes));
}

static bool all_are_images(const json_t *v)
{
    for (size_t i = 0; i < json_array_size(v); i++)
        if (!is_image(json_array_get(v, i)))
            return false;
    return true;
}

/* A reference video is given by its address, never inline. */
static bool all_are_videos(const json_t *v)
{
    for (size_t i = 0; i < json_array_size(v); i++) {
        const char *s = json_string_value(json_array_get(v, i));

        if (s == NULL || (!is_web_url(s) && !str_starts(s, "ssupload:")))
            return false;
    }
    return true;
}

static bool is_subject(const json_t *v)
{
    const json_t *name = json_object_get(v, "name");
    const json_t *images = json_object_get(v, "images");

    if (name == NULL)
        name = json_object_get(v, "id");
    return json_is_string(name) && is_filled(name) &&
           (images == NULL ||
            (json_is_array(images) && json_array_size(images) <= 3 && all_are_images(images)));
}

static bool all_are_subjects(const json_t *v)
{
    for (size_t i = 0; i < json_array_size(v); i++)
        if (!is_subject(json_array_get(v, i)))
            return false;
    return true;
}

static void echo_seed(struct buf *out, const json_t *body, int64_t seed)
{
    int64_t given = json_integer_value(json_object_get(body, "seed"));

    sim_json_int(out, "seed", given != 0 ? given : seed);
}

static void echo_audio(struct buf *out, const json_t *body, int64_t seed)
{
    const json_t *given = json_object_get(body, "audio");
    struct slice model = sim_request_text(body, "model");

    (void)seed;
    sim_json_bool(out, "audio",
                  json_is_boolean(given) ? json_is_true(given) : str_starts(model.p, "viduq3"));
}

static void echo_position(struct buf *out, const json_t *body, int64_t seed)
{
    static const char *const names[] = {NULL, "top_left", "top_right", "bottom_right",
                                        "bottom_left"};
    int64_t given = json_integer_value(json_object_get(body, "wm_position"));

    (void)seed;
    if (given != 0)
        sim_json_str(out, "wm_position", names[given]);
}

static void echo_nothing(struct buf *out, const json_t *body, int64_t seed)
{
    (void)out;
    (void)body;
    (void)seed;
}

/* The order is that of the answer. */
static const struct field fields[] = {
    {"model", JSON_STRING, ALL, ALL, is_filled, NULL, NULL},
    {"style", JSON_STRING, TEXT, 0, is_style, NULL, NULL},
    {"prompt", JSON_STRING, ALL, TEXT | REF, is_prompt, "\"\"", NULL},
    {"images", JSON_ARRAY, IMG | REF | ENDS, IMG | ENDS, all_are_images, NULL, NULL},
    {"videos", JSON_ARRAY, REF, 0, all_are_videos, NULL, NULL},
    {"subjects", JSON_ARRAY, REF, 0, all_are_subjects, NULL, NULL},
    {"auto_subjects", JSON_TRUE, REF, 0, NULL, NULL, NULL},
    {"duration", JSON_INTEGER, ALL, 0, is_duration, "5", NULL},
    {"seed", JSON_INTEGER, ALL, 0, NULL, NULL, echo_seed},
    {"aspect_ratio", JSON_STRING, TEXT | REF, 0, is_aspect_ratio, "\"16:9\"", NULL},
    {"resolution", JSON_STRING, ALL, 0, is_resolution, "\"720p\"", NULL},
    {"movement_amplitude", JSON_STRING, ALL, 0, is_amplitude, "\"auto\"", NULL},
    {"bgm", JSON_TRUE, ALL, 0, NULL, "false", NULL},
    {"audio", JSON_TRUE, ALL, 0, NULL, NULL, echo_audio},
    {"audio_type", JSON_STRING, ALL, 0, NULL, NULL, NULL},
    {"voice_id", JSON_STRING, ALL, 0, NULL, NULL, NULL},
    {"is_rec", JSON_TRUE, ALL, 0, NULL, NULL, NULL},
    {"payload", JSON_STRING, ALL, 0, is_payload, "\"\"", NULL},
    {"off_peak", JSON_TRUE, ALL, 0, NULL, "false", NULL},
    {"watermark", JSON_TRUE, ALL, 0, NULL, "false", NULL},
    {"wm_position", JSON_INTEGER, ALL, 0, is_position, NULL, echo_position},
    {"wm_url", JSON_STRING, ALL, 0, NULL, NULL, NULL},
    {"meta_data", JSON_STRING, ALL, 0, NULL, NULL, NULL},
    {"callback_url", JSON_STRING, ALL, 0, is_callback_url, NULL, echo_nothing},
};

static bool refuse(struct sim_refusal *why, const char *reason, const char *message,
                   const char *field)
{
    *why = (struct sim_refusal){400, reason, message, field};
    return false;
}

static bool has_type(const json_t *v, json_type type)
{
    return type == JSON_TRUE ? json_is_boolean(v) : json_typeof(v) == type;
}

static bool field_fits(const struct field *f, const struct sim_endpoint *e, const json_t *body,
                       struct sim_refusal *why)
{
    const json_t *v = json_object_get(body, f->name);

    if (v == NULL || json_is_null(v))
        return (f->needed_by & e->bit) == 0 ||
               refuse(why, "FieldLacking", "required field missing", f->name);
    if ((f->on & e->bit) == 0)
        return refuse(why, "FieldUnwanted", "unwanted field", f->name);
    if (!has_type(v, f->type) || (f->check != NULL && !f->check(v)))
        return refuse(why, "FieldInvalid", "invalid field", f->name);
    return true;
}

/* References are pictures, pictures with videos, or subjects. */
static bool counts_fit(const struct sim_endpoint *e, const json_t *body, struct sim_refusal *why)
{
    size_t images = json_array_size(json_object_get(body, "images"));
    size_t videos = json_array_size(json_object_get(body, "videos"));
    size_t subjects = json_array_size(json_object_get(body, "subjects"));
    size_t most = videos != 0 ? 4 : e->max_images;

    if (subjects != 0 && images + videos != 0)
        return refuse(why, "FieldUnwanted", "images do not go with subjects", "images");
    if (subjects > 7)
        return refuse(why, "FieldItemCountOutOfRange", "at most 7 subjects", "subjects");
    if (videos > 2)
        return refuse(why, "FieldItemCountOutOfRange", "at most 2 videos", "videos");
    if (subjects == 0 && (images < e->min_images || images > most))
        return refuse(why, "FieldItemCountOutOfRange", "wrong number of images", "images");
    return true;
}

const struct sim_endpoint *sim_endpoint_find(struct slice name)
{
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++)
        if (slice_is(name, endpoints[i].name))
            return &endpoints[i];
    return NULL;
}

json_t *sim_request_parse(const struct sim_endpoint *e, struct slice text, struct sim_refusal *why)
{
    json_t *body = json_loadb(text.p, text.n, JSON_ALLOW_NUL, NULL);

    if (!json_is_object(body)) {
        refuse(why, "BadRequest", "the body is not a JSON object", NULL);
        json_decref(body);
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (!field_fits(&fields[i], e, body, why)) {
            json_decref(body);
            return NULL;
        }
    if (!counts_fit(e, body, why)) {
        json_decref(body);
        return NULL;
    }
    return body;
}

struct slice sim_request_text(const json_t *body, const char *name)
{
    const json_t *v = json_object_get(body, name);

    return json_is_string(v) ? (struct slice){json_string_value(v), json_string_length(v)}
                             : (struct slice){"", 0};
}

bool sim_request_flag(const json_t *body, const char *name)
{
    return json_is_true(json_object_get(body, name));
}

void sim_request_echo(const struct sim_endpoint *e, const json_t *body, int64_t seed,
                      struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const struct field *f = &fields[i];
        const json_t *v = json_object_get(body, f->name);

        if (f->echo != NULL) {
            f->echo(out, body, seed);
        } else if (v != NULL && !json_is_null(v)) {
            sim_json_value(out, f->name, v);
        } else if (f->fallback != NULL && (f->on & e->bit) != 0) {
            sim_json_raw(out, f->name, f->fallback);
        }
    }
}

/* What stands in the answer to a create when the field was not sent. */
static const char *fallback_of(const struct sim_endpoint *e, const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        if (str_eq(fields[i].name, name) && (fields[i].on & e->bit) != 0)
            return fields[i].fallback;
    return NULL;
}

char *sim_request_asked(const struct sim_endpoint *e, const json_t *body)
{
    static const struct {
        const char *name, *empty;
    } members[] = {
        {"template", "\"\""}, {"model", "\"\""},      {"prompt", "\"\""},       {"images", "[]"},
        {"duration", "0"},    {"resolution", "\"\""}, {"aspect_ratio", "\"\""},
    };
    struct buf out = BUF_INIT(MAX_ASKED);

    sim_json_open(&out, NULL, '{');
    sim_json_str(&out, "type", str_eq(e->name, "start-end2video") ? "headtailimg2video" : e->name);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const json_t *v = json_object_get(body, members[i].name);

        if (v != NULL && !json_is_null(v))
            sim_json_value(&out, members[i].name, v);
        else
            sim_json_raw(&out, members[i].name,
                         str_or(fallback_of(e, members[i].name), members[i].empty));
    }
    sim_json_close(&out, '}');
    return buf_take(&out);
}
