/* SPDX-License-Identifier: MIT */
#include "vidu/endpoint.h"

#include "vidu/nearest.h"

static const char *const text_models[] = {"viduq3-turbo", "viduq3-pro", "viduq2", "viduq1", NULL};

static const char *const image_models[] = {
    "viduq3-turbo",    "viduq3-pro", "viduq3-pro-fast", "viduq2-pro", "viduq2-turbo",
    "viduq2-pro-fast", "viduq1",     "viduq1-classic",  "vidu2.0",    NULL,
};

static const char *const start_end_models[] = {
    "viduq3-turbo", "viduq3-pro",     "viduq2-pro", "viduq2-turbo", "viduq2-pro-fast",
    "viduq1",       "viduq1-classic", "vidu2.0",    NULL,
};

static const char *const reference_models[] = {
    "viduq3-turbo", "viduq3", "viduq3-mix", "viduq3-drama", "viduq3-ad",
    "viduq2-pro",   "viduq2", "viduq1",     "vidu2.0",      NULL,
};

#define FIELD(field_name, field_type, text)                                                        \
    {                                                                                              \
        .name = (field_name), .type = (field_type), .help = (text)                                 \
    }

#define ASPECT_RATIO                                                                               \
    FIELD("aspect_ratio", "string", "16:9 (default), 9:16, 1:1; 3:4 and 4:3 with q2 and q3")

#define FIELDS_OF_EVERY_VIDEO                                                                      \
    FIELD("model", "string", "which model makes the video"),                                       \
        FIELD("duration", "int", "seconds; the range depends on the model, usually 5"),            \
        FIELD("resolution", "string", "360p, 540p, 720p or 1080p, as the model has them"),         \
        FIELD("seed", "int", "absent or 0: random"),                                               \
        FIELD("movement_amplitude", "string",                                                      \
              "auto (default), small, medium, large; ignored by q2 and q3"),                       \
        FIELD("bgm", "bool", "background music; ignored by q3"),                                   \
        FIELD("audio", "bool", "sound and picture in one pass; default true for q3"),              \
        FIELD("audio_type", "string", "all, speech_only, sound_effect_only; not q3"),              \
        FIELD("voice_id", "string", "voice for the sound; not q3"),                                \
        FIELD("is_rec", "bool", "the provider writes the prompt; 10 credits more"),                \
        FIELD("off_peak", "bool", "cheaper, finished within 48 hours"),                            \
        FIELD("watermark", "bool", "adds a watermarked copy; default false"),                      \
        FIELD("wm_position", "int", "1 top left, 2 top right, 3 bottom right, 4 bottom left"),     \
        FIELD("wm_url", "string", "URL of an own watermark image"),                                \
        FIELD("meta_data", "string", "a JSON document in a string: Label, ContentProducer, ..."),  \
        FIELD("payload", "string", "echoed back untouched; at most 1048576 characters"),           \
        FIELD("callback_url", "string", "where changes are reported; put in by viduhook"),         \
    {                                                                                              \
        0                                                                                          \
    }

static const struct endpoint_field text_fields[] = {
    FIELD("prompt", "string", "what to show; at most 5000 characters"),
    FIELD("style", "string", "general (default) or anime; ignored by q2 and q3"),
    ASPECT_RATIO,
    FIELDS_OF_EVERY_VIDEO,
};

static const struct endpoint_field image_fields[] = {
    FIELD("images", "array", "exactly one: the first frame"),
    FIELD("prompt", "string", "what happens; at most 5000 characters"),
    FIELDS_OF_EVERY_VIDEO,
};

static const struct endpoint_field start_end_fields[] = {
    FIELD("images", "array", "exactly two: first and last frame, of about the same shape"),
    FIELD("prompt", "string", "what happens between them; at most 5000 characters"),
    FIELDS_OF_EVERY_VIDEO,
};

static const struct endpoint_field reference_fields[] = {
    FIELD("images", "array", "1 to 7 pictures of what shall appear; or subjects instead"),
    FIELD("videos", "array", "1 or 2, viduq2-pro only; then at most 4 images"),
    FIELD("subjects", "array", "up to 7 of {name, images, videos, voice_id}; @name in the prompt"),
    FIELD("auto_subjects", "bool", "the provider finds the subjects"),
    FIELD("prompt", "string", "what happens; at most 2000 characters, 5000 with subjects"),
    ASPECT_RATIO,
    FIELDS_OF_EVERY_VIDEO,
};

static const struct endpoint endpoints[] = {
    {
        .name = "text2video",
        .path = "/text2video",
        .accepts_callback = true,
        .accepts_payload = true,
        .model_required = true,
        .min_images = -1,
        .max_images = -1,
        .models = text_models,
        .fields = text_fields,
        .help = "video from a prompt alone",
    },
    {
        .name = "img2video",
        .path = "/img2video",
        .accepts_callback = true,
        .accepts_payload = true,
        .model_required = true,
        .min_images = 1,
        .max_images = 1,
        .models = image_models,
        .fields = image_fields,
        .help = "video that begins with an image",
    },
    {
        .name = "start-end2video",
        .path = "/start-end2video",
        .accepts_callback = true,
        .accepts_payload = true,
        .model_required = true,
        .min_images = 2,
        .max_images = 2,
        .models = start_end_models,
        .fields = start_end_fields,
        .help = "video from a first image to a last one",
    },
    {
        .name = "reference2video",
        .path = "/reference2video",
        .accepts_callback = true,
        .accepts_payload = true,
        .model_required = true,
        .min_images = 1,
        .max_images = 7,
        .subjects = true,
        .models = reference_models,
        .fields = reference_fields,
        .help = "video with the people and things of reference images in it",
    },
};

const struct endpoint *endpoint_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++)
        if (str_eq(endpoints[i].name, name))
            return &endpoints[i];
    return NULL;
}

size_t endpoint_count(void)
{
    return ARRAY_LEN(endpoints);
}

const struct endpoint *endpoint_at(size_t i)
{
    return i < ARRAY_LEN(endpoints) ? &endpoints[i] : NULL;
}

const char *endpoint_suggest(const char *name)
{
    struct nearest nearest = NEAREST_INIT(name);

    for (size_t i = 0; i < ARRAY_LEN(endpoints); i++)
        nearest_offer(&nearest, endpoints[i].name);
    return nearest.best;
}
