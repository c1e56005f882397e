/*
 * Sources: vidu-api.md sections 2 (paths, ids, queries), 3 (fields and limits), 4 (models), 13 and
 * 16 (gateways, contradictions: where two pages differ, the wider limit stands here).
 *
 * SPDX-License-Identifier: MIT
 */
#include "vidu/endpoint_table.h"

#include <string.h>

/* clang-format off */

static const char *const text_models[] = {"viduq3-turbo", "viduq3-pro", "viduq2", "viduq1", NULL};
static const char *const image_models[] = {
    "viduq3-turbo", "viduq3-pro", "viduq3-pro-fast", "viduq2-pro", "viduq2-turbo",
    "viduq2-pro-fast", "viduq1", "viduq1-classic", "vidu2.0", NULL};
static const char *const start_end_models[] = {
    "viduq3-turbo", "viduq3-pro", "viduq2-pro", "viduq2-turbo", "viduq2-pro-fast", "viduq1",
    "viduq1-classic", "vidu2.0", NULL};
static const char *const reference_models[] = {
    "viduq3-turbo", "viduq3", "viduq3-mix", "viduq3-drama", "viduq3-ad", "viduq2-pro", "viduq2",
    "viduq1", "vidu2.0", NULL};
static const char *const pro_models[] = {"viduq2-pro", "viduq2-turbo", NULL};
/* The page says q2-turbo and q2-pro, and leaves open whether that is short for these. */
static const char *const human_models[] = {"viduq2-turbo", "viduq2-pro", "q2-turbo", "q2-pro",
                                           NULL};
static const char *const picture_models[] = {"viduq2", "viduq1", NULL};
static const char *const audio_models[] = {"audio1.0", NULL};

/* name, type, help; a word of a list; a number between two; a text of at most so many characters */
#define FIELD(NAME, TYPE, HELP) {.name = NAME, .type = TYPE, .help = HELP}
#define NEEDED(NAME, TYPE, HELP) {.name = NAME, .type = TYPE, .help = HELP, .required = true}
#define WORD(NAME, VALUES, HELP) {.name = NAME, .type = "string", .help = HELP, .values = VALUES}
#define NUMBER(NAME, TYPE, LOW, HIGH, HELP) \
    {.name = NAME, .type = TYPE, .help = HELP, .min = LOW, .max = HIGH}
#define TEXT(NAME, MOST, HELP) {.name = NAME, .type = "string", .help = HELP, .max_chars = MOST}
#define END {.name = NULL}

#define MODEL FIELD("model", "string", "which model makes it")
#define PROMPT(MOST, HELP) TEXT("prompt", MOST, HELP)
#define SEED FIELD("seed", "int", "absent or 0: random")
#define RATIO \
    WORD("aspect_ratio", "16:9 9:16 1:1 3:4 4:3", \
         "16:9 (default), 9:16, 1:1; 3:4 and 4:3 with q2 and q3")
#define RESOLUTION \
    FIELD("resolution", "string", "360p, 540p, 720p or 1080p, as the model has them")
#define BGM FIELD("bgm", "bool", "background music; ignored by q3")
#define OFF_PEAK FIELD("off_peak", "bool", "cheaper, finished within 48 hours")
#define PAYLOAD TEXT("payload", 1048576, "echoed back untouched; at most 1048576 characters")
#define CALLBACK FIELD("callback_url", "string", "where changes are reported; put in by viduhook")
#define MARK FIELD("watermark", "bool", "adds a watermarked copy; default false")
#define MARK_URL FIELD("wm_url", "string", "URL of an own watermark image")
#define META \
    FIELD("meta_data", "string", "a JSON document in a string: Label, ContentProducer, ...")
#define WATERMARK \
    MARK, NUMBER("wm_position", "int", 1, 4, \
                 "1 top left, 2 top right, 3 bottom right, 4 bottom left"), MARK_URL, META
/* multiframe and extend have words in place of the numbers */
#define WATERMARK_BY_NAME \
    MARK, WORD("wm_position", "top_left top_right bottom_right bottom_left", \
               "top_left, top_right, bottom_right, bottom_left (default)"), MARK_URL, META
#define AMPLITUDE \
    WORD("movement_amplitude", "auto small medium large", \
         "auto (default), small, medium, large; ignored by q2 and q3")
#define VIDEO_FIELDS \
    MODEL, FIELD("duration", "int", "seconds; the range depends on the model, usually 5"), \
    RESOLUTION, SEED, AMPLITUDE, BGM, \
    FIELD("audio", "bool", "sound and picture in one pass; default true for q3"), \
    WORD("audio_type", "all speech_only sound_effect_only", \
         "all, speech_only, sound_effect_only; not q3"), \
    FIELD("voice_id", "string", "voice for the sound; not q3"), \
    FIELD("is_rec", "bool", "the provider writes the prompt; 10 credits more"), \
    OFF_PEAK, WATERMARK, PAYLOAD, CALLBACK, END
#define LANGUAGE WORD("language", "zh en", "zh or en")
#define IMAGES_7 FIELD("images", "array", "1 to 7 pictures")

static const struct endpoint_field text_fields[] = {
    PROMPT(5000, "what to show; at most 5000 characters"),
    WORD("style", "general anime", "general (default) or anime; ignored by q2 and q3"), RATIO,
    VIDEO_FIELDS};
static const struct endpoint_field image_fields[] = {
    FIELD("images", "array", "exactly one: the first frame"),
    PROMPT(5000, "what happens; at most 5000 characters"), VIDEO_FIELDS};
static const struct endpoint_field start_end_fields[] = {
    FIELD("images", "array", "exactly two: first and last frame, of about the same shape"),
    PROMPT(5000, "what happens between them; at most 5000 characters"), VIDEO_FIELDS};
static const struct endpoint_field reference_fields[] = {
    FIELD("images", "array", "1 to 7 pictures of what shall appear; or subjects instead"),
    FIELD("videos", "array", "1 or 2, viduq2-pro only; then at most 4 images"),
    FIELD("subjects", "array", "up to 7 of {name, images, videos, voice_id}; @name in the prompt"),
    FIELD("auto_subjects", "bool", "the provider finds the subjects"),
    PROMPT(5000, "what happens; at most 2000 characters, 5000 with subjects"), RATIO,
    VIDEO_FIELDS};
static const struct endpoint_field multiframe_fields[] = {
    MODEL, NEEDED("start_image", "string", "the first frame"),
    FIELD("image_settings", "array", "2 to 9 of {key_image, prompt, duration 2-7, default 5}"),
    RESOLUTION, WATERMARK_BY_NAME, PAYLOAD, CALLBACK, END};
static const struct endpoint_field extend_fields[] = {
    MODEL, FIELD("video_creation_id", "string", "a creation of this account; or video_url"),
    FIELD("video_url", "string", "a video of 4 seconds to 1 minute; or video_creation_id"),
    FIELD("images", "array", "at most one: the last frame"),
    PROMPT(5000, "what happens next; at most 5000 characters (vidu.com: 2000)"),
    NUMBER("duration", "int", 1, 7, "seconds to add, 1 to 7; default 5"), RESOLUTION,
    WATERMARK_BY_NAME, PAYLOAD, CALLBACK, END};
static const struct endpoint_field template_fields[] = {
    NEEDED("template", "string", "name of the template"),
    FIELD("images", "array", "as many as the template takes"),
    PROMPT(2000, "at most 2000 characters"), SEED, BGM, WATERMARK, PAYLOAD, CALLBACK, END};
static const struct endpoint_field story_fields[] = {
    WORD("story", "love_story workday_feels monkey_king pigsy monk_tang one_shot",
         "love_story, workday_feels, monkey_king, pigsy, monk_tang, one_shot"),
    FIELD("images", "array", "who plays in it"), WATERMARK, PAYLOAD, CALLBACK, END};
static const struct endpoint_field picture_fields[] = {
    MODEL, FIELD("images", "array", "viduq2: 0 to 7, none is text to image; viduq1: 1 to 7"),
    PROMPT(2000, "what to show; at most 2000 characters"), SEED,
    WORD("aspect_ratio", "16:9 9:16 1:1 3:4 4:3 21:9 2:3 3:2 auto",
         "16:9, 9:16, 1:1, 3:4, 4:3; viduq2 also 21:9, 2:3, 3:2, auto"),
    WORD("resolution", "1080p 2K 4K", "1080p (default); viduq2 also 2K and 4K"),
    PAYLOAD, CALLBACK, END};
static const struct endpoint_field upscale_fields[] = {
    FIELD("video_url", "string", "at most 300 seconds and under 60 frames per second"),
    FIELD("video_creation_id", "string", "a creation of this account; wins over video_url"),
    WORD("upscale_resolution", "1080p 2K 4K 8K", "1080p (default), 2K, 4K, 8K"),
    PAYLOAD, CALLBACK, END};
static const struct endpoint_field dance_fields[] = {
    NEEDED("image_url", "string", "who dances; at most 15 MB"),
    NEEDED("video_url", "string", "the motion: 2 to 30 seconds, at most 200 MB"),
    WATERMARK, PAYLOAD, CALLBACK, END};
static const struct endpoint_field human_fields[] = {
    MODEL, NEEDED("image", "string", "who speaks"),
    FIELD("audio_url", "string", "what is said; wins over text"),
    FIELD("text", "string", "what is said, with voice_id"),
    FIELD("voice_id", "string", "who says it"), PROMPT(2000, "at most 2000 characters"),
    RESOLUTION, WATERMARK, PAYLOAD, CALLBACK, END};
static const struct endpoint_field lip_fields[] = {
    NEEDED("video_url", "string", "whose lips move"),
    FIELD("audio_url", "string", "what is said; wins over text"),
    TEXT("text", 2000, "what is said, 4 to 2000 characters, with voice_id"),
    FIELD("voice_id", "string", "who says it"), FIELD("speed", "number", "of the speech"),
    FIELD("volume", "number", "of the speech"),
    FIELD("ref_photo_url", "string", "a picture of the one who speaks"), CALLBACK, END};
static const struct endpoint_field sound_fields[] = {
    MODEL, PROMPT(1500, "what to hear; at most 1500 characters"),
    NUMBER("duration", "number", 2, 10, "seconds, 2 to 10; default 10"), SEED, CALLBACK, END};
static const struct endpoint_field timing_fields[] = {
    MODEL, NEEDED("timing_prompts", "array", "of {from, to, prompt}: what to hear when"),
    NUMBER("duration", "number", 2, 10, "seconds, 2 to 10; default 10"), SEED, CALLBACK, END};
static const struct endpoint_field ad_fields[] = {
    IMAGES_7, NUMBER("duration", "int", 8, 60, "seconds, 8 to 60 (10 to 60 outside China); 15"),
    PROMPT(2000, "at most 2000 characters"), RATIO, LANGUAGE,
    FIELD("creative", "bool", "more freedom for the provider"), CALLBACK, END};
static const struct endpoint_field ad_part_fields[] = {
    NEEDED("ad_one_click_task_id", "string", "the task that this belongs to"), PAYLOAD, CALLBACK,
    END};
static const struct endpoint_field trending_fields[] = {
    NEEDED("video_url", "string", "what to replicate: 5 to 180 seconds"), IMAGES_7,
    PROMPT(2000, "at most 2000 characters"), RATIO,
    WORD("resolution", "540p 720p 1080p", "1080p (default)"),
    FIELD("remove_audio", "bool", "without the sound of the original"), CALLBACK, END};
static const struct endpoint_field mv_fields[] = {
    IMAGES_7, NEEDED("audio_url", "string", "the music: 10 to 180 seconds"),
    PROMPT(3000, "at most 3000 characters"), RATIO, LANGUAGE,
    FIELD("lip_sync", "bool", "who is seen sings"), FIELD("quality", "string", "of the result"),
    FIELD("add_subtitle", "bool", "with the words"), FIELD("srt_url", "string", "the words"),
    CALLBACK, END};
static const struct endpoint_field general_fields[] = {
    IMAGES_7,
    {.name = "duration", .type = "int", .help = "seconds, 1 to 180; required", .min = 1, .max = 180,
     .required = true},
    PROMPT(3000, "at most 3000 characters"), RATIO, LANGUAGE, PAYLOAD, CALLBACK, END};
static const struct endpoint_field job_fields[] = {
    PROMPT(3000, "at most 3000 characters"), CALLBACK, END};
static const struct endpoint_field tts_fields[] = {
    {.name = "text", .type = "string", .help = "what is said; under 10000 characters",
     .max_chars = 9999, .required = true},
    FIELD("voice_setting_voice_id", "string", "who says it"),
    NUMBER("voice_setting_speed", "number", 0.5, 2, "0.5 to 2"),
    NUMBER("voice_setting_volume", "number", 0, 10, "0 to 10"),
    NUMBER("voice_setting_pitch", "number", -12, 12, "-12 to 12"),
    FIELD("voice_setting_emotion", "string", "how it is said"), PAYLOAD, END};
static const struct endpoint_field clone_fields[] = {
    NEEDED("audio_url", "string", "the voice to clone"),
    FIELD("voice_id", "string", "a name for the new voice"),
    FIELD("text", "string", "what the sample says"), PAYLOAD, END};
static const struct endpoint_field recommend_fields[] = {
    FIELD("images", "array", "what prompts are wanted for"), END};
static const struct endpoint_field subject_fields[] = {
    FIELD("name", "string", "how prompts call it"), FIELD("images", "array", "what it looks like"),
    END};
static const struct endpoint_field openai_fields[] = {
    MODEL, FIELD("prompt", "string", "what to show"),
    FIELD("seconds", "any", "how long"),
    FIELD("size", "string", "1280x720 and the like, as the gateway has them"),
    FIELD("input_reference", "string", "the image to begin with; a file is sent as one"), END};
static const struct endpoint_field generation_fields[] = {
    MODEL, FIELD("prompt", "string", "what to show"),
    FIELD("images", "array", "0 text, 1 first frame, 2 first and last, more: references"),
    FIELD("duration", "number", "seconds"), FIELD("size", "string", "as the gateway has them"),
    FIELD("metadata", "any", "an object with fields for the model"), CALLBACK, END};

#define ROW(NAME, FIELDS, HELP) .name = NAME, .path = "/" NAME, .fields = FIELDS, .help = HELP
#define CB .accepts_callback = true
#define PL .accepts_payload = true
#define ID(KEY) .id_key = KEY
#define JOBS(PATH) \
    .id_key = "id", .query = ENDPOINT_QUERY_JOBS, .open = true, .jobs = "/one-click/" PATH "/"
#define SYNC .query = ENDPOINT_QUERY_NONE, .open = true
#define MODELS(LIST) .models = LIST, .model_required = true
#define PICTURES(LEAST, MOST) .min_images = LEAST, .max_images = MOST, .image = "images"
#define NO_LIST .min_images = -1, .max_images = -1

const struct endpoint endpoint_table[] = {
    {ROW("text2video", text_fields, "video from a prompt alone"), CB, PL, ID("task_id"), NO_LIST,
     MODELS(text_models), .timing = 't', .prompt_required = true},
    {ROW("img2video", image_fields, "video that begins with an image"), CB, PL, ID("task_id"),
     PICTURES(1, 1), MODELS(image_models), .timing = 'i'},
    {ROW("start-end2video", start_end_fields, "video from a first image to a last one"), CB, PL,
     ID("task_id"), PICTURES(2, 2), MODELS(start_end_models), .timing = 's'},
    {ROW("reference2video", reference_fields,
         "video with what reference images show in it"),
     CB, PL, ID("task_id"), PICTURES(1, 7), MODELS(reference_models), .video = "videos",
     .subjects = true, .timing = 'r'},
    {ROW("multiframe", multiframe_fields, "video that passes through several images"), CB, PL,
     ID("task_id"), NO_LIST, MODELS(pro_models), .image = "start_image", .frames = true},
    {ROW("extend", extend_fields, "a video, continued"), CB, PL, ID("task_id"), PICTURES(0, 1),
     MODELS(pro_models), .video = "video_url"},
    {ROW("template", template_fields, "video after a template"), CB, PL, ID("task_id"),
     PICTURES(0, 100), .open = true},
    {ROW("template-story", story_fields, "video after a story"), CB, PL, ID("task_id"),
     PICTURES(0, 100), .open = true},
    {ROW("reference2image", picture_fields, "an image from a prompt and reference images"), CB, PL,
     ID("task_id"), PICTURES(0, 7), MODELS(picture_models), .prompt_required = true},
    {ROW("upscale-new", upscale_fields, "a video in a higher resolution"), CB, PL, ID("task_id"),
     NO_LIST, .video = "video_url"},
    {ROW("image2dance", dance_fields, "a person in an image moves as one in a video"), CB, PL,
     ID("task_id"), NO_LIST, .image = "image_url", .video = "video_url"},
    {ROW("digital-human", human_fields, "a person in an image speaks"), CB, PL, ID("task_id"),
     NO_LIST, MODELS(human_models), .image = "image", .audio = "audio_url"},
    {ROW("lip-sync", lip_fields, "a person in a video says something else"), CB, ID("task_id"),
     NO_LIST, .image = "ref_photo_url", .video = "video_url", .audio = "audio_url"},
    {ROW("text2audio", sound_fields, "sound from a prompt"), CB, ID("task_id"), NO_LIST,
     MODELS(audio_models), .prompt_required = true},
    {ROW("timing2audio", timing_fields, "sounds at their times"), CB, ID("task_id"), NO_LIST,
     MODELS(audio_models)},
    {ROW("ad-one-click", ad_fields, "an advertisement from pictures of a product"), CB,
     ID("task_id"), PICTURES(1, 7), .open = true, .jobs = "/ad-one-click/"},
    {ROW("ad-one-click/edit", ad_part_fields, "a part of an advertisement, made again"), CB, PL,
     ID("sub_task_id"), NO_LIST, .open = true},
    {ROW("ad-one-click/compose", ad_part_fields, "an advertisement, put together again"), CB, PL,
     ID("compose_sub_task_id"), NO_LIST, .open = true},
    {ROW("trending-replicate", trending_fields, "a video like another one"), CB, ID("task_id"),
     PICTURES(1, 7), .video = "video_url", .open = true},
    {ROW("one-click/mv", mv_fields, "a music video"), CB, JOBS("mv"), PICTURES(1, 7),
     .audio = "audio_url"},
    {ROW("one-click/mv/{id}/edit", job_fields, "a part of a music video, made again"), CB,
     JOBS("mv"), NO_LIST},
    {ROW("one-click/mv/{id}/compose", job_fields, "a music video, put together again"), CB,
     JOBS("mv"), NO_LIST},
    {ROW("one-click/general_one_click", general_fields, "a video of several scenes"), CB, PL,
     JOBS("general_one_click"), PICTURES(1, 7)},
    {ROW("one-click/general_one_click/{id}/edit", job_fields, "a scene of it, made again"), CB,
     JOBS("general_one_click"), NO_LIST},
    {ROW("one-click/general_one_click/{id}/compose", job_fields, "it, put together again"), CB,
     JOBS("general_one_click"), NO_LIST},
    {ROW("one-click/genernal_one_click", general_fields,
         "the same, in the spelling of its example"),
     CB, PL, JOBS("general_one_click"), PICTURES(1, 7)},
    {ROW("audio-tts", tts_fields, "speech from text, at once"), PL, ID("task_id"), NO_LIST, SYNC},
    {ROW("audio-clone", clone_fields, "a voice from a recording, at once"), PL, ID("task_id"),
     NO_LIST, SYNC, .audio = "audio_url"},
    {ROW("img2video-prompt-recommendation", recommend_fields, "prompts for an image, at once"),
     ID("task_id"), PICTURES(0, 100), SYNC},
    {ROW("subjects", subject_fields, "keeps a subject for later requests, at once"), ID("id"),
     PICTURES(0, 100), SYNC},
    {ROW("videos", openai_fields, "video by a gateway of the OpenAI kind; sent as a form"),
     ID("id"), NO_LIST, .form = ENDPOINT_MULTIPART, .image = "input_reference", .open = true,
     .prompt_required = true},
    {ROW("video/generations", generation_fields, "video by a gateway of the new-api kind"),
     CB, ID("task_id"), PICTURES(0, 100), .open = true},
};
const size_t endpoint_table_len = ARRAY_LEN(endpoint_table);
