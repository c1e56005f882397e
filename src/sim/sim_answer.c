/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "sim/sim_json.h"
#include "sim/sim_task.h"

#include <stdio.h>

#define MAX_URL ((size_t)1024)

static const char *const official_words[SIM_STATE_COUNT] = {
    [SIM_CREATED] = "created", [SIM_QUEUEING] = "queueing", [SIM_PROCESSING] = "processing",
    [SIM_SUCCESS] = "success", [SIM_FAILED] = "failed",
};

static const char *const native_words[SIM_STATE_COUNT] = {
    [SIM_CREATED] = "processing", [SIM_QUEUEING] = "processing", [SIM_PROCESSING] = "processing",
    [SIM_SUCCESS] = "completed",  [SIM_FAILED] = "failed",
};

static const char *const openai_words[SIM_STATE_COUNT] = {
    [SIM_CREATED] = "queued",    [SIM_QUEUEING] = "queued", [SIM_PROCESSING] = "processing",
    [SIM_SUCCESS] = "completed", [SIM_FAILED] = "failed",
};

static void add_url_of(struct buf *out, const char *key, const struct sim_media *media,
                       const char *creation, enum sim_media_kind kind, bool expired)
{
    autobuf struct buf url = BUF_INIT(MAX_URL);

    sim_media_url(media, creation, kind, expired, &url);
    sim_json_text(out, key, url.data, url.len);
}

static void add_url(struct buf *out, const char *key, const struct sim_media *media,
                    const struct sim_report *r, enum sim_media_kind kind)
{
    add_url_of(out, key, media, r->video, kind, r->expired);
}

/* Of the clip that is served when nothing else is said. */
static void add_video(struct buf *out)
{
    sim_json_open(out, "video", '{');
    sim_json_raw(out, "duration", "2.0");
    sim_json_int(out, "fps", 24);
    sim_json_open(out, "resolution", '{');
    sim_json_int(out, "width", 320);
    sim_json_int(out, "height", 180);
    sim_json_close(out, '}');
    sim_json_close(out, '}');
}

static void add_creation(struct buf *out, const struct sim_task *t, const struct sim_media *media,
                         const char *id, bool expired, bool listed)
{
    enum sim_media_kind kind = t->endpoint->result;

    sim_json_open(out, NULL, '{');
    sim_json_str(out, "id", id);
    add_url_of(out, "url", media, id, kind, expired);
    if (kind != SIM_SOUND)
        add_url_of(out, "cover_url", media, id, SIM_STILL, expired);
    else
        sim_json_str(out, "cover_url", "");
    if (kind == SIM_VIDEO && t->watermark)
        add_url_of(out, "watermarked_url", media, id, SIM_MARKED, expired);
    else
        sim_json_str(out, "watermarked_url", "");
    if (listed && kind == SIM_VIDEO)
        add_video(out);
    sim_json_close(out, '}');
}

static void add_creations(struct buf *out, const struct sim_task *t, const struct sim_media *media,
                          const struct sim_report *r, bool listed)
{
    size_t n = r->video != NULL ? 1 : 0;
    char id[20];

    if (str_eq(r->video, t->creation)) /* not of a forgery */
        n = sim_task_creations(t);
    sim_json_open(out, "creations", '[');
    for (size_t i = 0; i < n; i++) {
        sim_task_creation(t, i, id);
        add_creation(out, t, media, i == 0 ? r->video : id, r->expired, listed);
    }
    sim_json_close(out, ']');
}

static void report_native(const struct sim_task *t, const struct sim_report *r,
                          const struct sim_media *media, struct buf *out)
{
    sim_json_str(out, "id", r->id);
    sim_json_str(out, "status", native_words[r->state]);
    if (r->video != NULL)
        add_url(out, "video_url", media, r, SIM_VIDEO);
    sim_json_int(out, "status_update_time", t->changed_ms / 1000);
}

static void report_openai(const struct sim_task *t, const struct sim_report *r,
                          const struct sim_media *media, struct buf *out)
{
    sim_json_str(out, "id", r->id);
    sim_json_str(out, "object", "video");
    sim_json_str(out, "status", openai_words[r->state]);
    sim_json_int(out, "progress", r->state == SIM_SUCCESS ? 100 : 0);
    if (r->video != NULL) {
        add_url(out, "video_url", media, r, SIM_VIDEO);
        sim_json_int(out, "completed_at", t->changed_ms / 1000);
    }
    if (r->state == SIM_FAILED) {
        sim_json_open(out, "error", '{');
        sim_json_str(out, "message", "it did not work");
        sim_json_str(out, "code", r->err_code);
        sim_json_close(out, '}');
    }
}

static void add_job(const struct sim_task *job, const struct sim_media *media, struct buf *out)
{
    struct sim_report r = {.state = job->state, .video = job->creation};

    sim_json_open(out, NULL, '{');
    sim_json_str(out, "id", job->id);
    sim_json_str(out, "type", str_ends(job->endpoint->name, "compose") ? "compose" : "edit");
    sim_json_str(out, "state", official_words[job->state]);
    sim_json_str(out, "err_code", job->err_code);
    if (job->state == SIM_SUCCESS)
        add_url(out, "signed_url", media, &r, SIM_VIDEO);
    sim_json_close(out, '}');
}

static void report_tree(const struct sim_task *t, const struct sim_report *r,
                        const struct sim_media *media, struct buf *out)
{
    struct sim_task *job = NULL;

    if (r->id != NULL)
        sim_json_str(out, "id", r->id);
    sim_json_str(out, "type", "mv");
    sim_json_str(out, "state", official_words[r->state]);
    sim_json_str(out, "err_code", r->err_code);
    sim_json_str(out, "err_msg", "");
    if (r->video != NULL)
        add_url(out, "signed_url", media, r, SIM_VIDEO);
    sim_json_open(out, "job_records", '[');
    sim_json_open(out, NULL, '{');
    sim_json_str(out, "type", "generate_video");
    sim_json_open(out, "jobs", '[');
    while ((job = sim_task_next_job(t, job)) != NULL)
        add_job(job, media, out);
    sim_json_close(out, ']');
    sim_json_close(out, '}');
    sim_json_close(out, ']');
}

static void report_official(const struct sim_task *t, const struct sim_report *r,
                            const struct sim_media *media, struct buf *out)
{
    if (r->id != NULL)
        sim_json_str(out, "id", r->id);
    sim_json_str(out, "state", official_words[r->state]);
    sim_json_str(out, "err_code", r->err_code);
    if (r->id != NULL) {
        sim_json_int(out, "credits", t->credits);
        sim_json_text(out, "payload", t->payload, t->payload_len);
        sim_json_bool(out, "bgm", t->bgm);
        sim_json_bool(out, "off_peak", t->off_peak);
    }
    add_creations(out, t, media, r, false);
}

/* RFC 3339 with nine digits, as Go's time.Time has it. */
static void add_created_at(const struct sim_task *t, struct buf *out)
{
    char ms[25];
    char ns[32];

    clock_format_rfc3339(t->created_ms, ms);
    snprintf(ns, sizeof(ns), "%.23s456789Z", ms);
    sim_json_str(out, "created_at", ns);
}

const char *sim_state_word(const struct sim_shape *shape, enum sim_state s)
{
    return shape->openai ? openai_words[s] : shape->native ? native_words[s] : official_words[s];
}

void sim_answer_create(const struct sim_task *t, const json_t *body, struct buf *out)
{
    int64_t seed = 1 + t->created_ms % 99999989;

    sim_json_open(out, NULL, '{');
    sim_json_str(out, t->endpoint->id_key != NULL ? t->endpoint->id_key : "task_id", t->id);
    if (t->endpoint->parent_key != NULL)
        sim_json_str(out, t->endpoint->parent_key, t->parent);
    if (t->shape->openai) {
        sim_json_str(out, "object", "video");
        sim_json_int(out, "progress", 0);
        sim_json_str(out, "seconds", "5");
    }
    sim_json_str(out, t->shape->native || t->shape->openai ? "status" : "state",
                 sim_state_word(t->shape, SIM_CREATED));
    sim_request_echo(t->endpoint, body, seed, out);
    sim_json_int(out, "credits", t->credits);
    if (t->shape->native || t->shape->openai)
        sim_json_int(out, "created_at", t->created_ms / 1000);
    else
        add_created_at(t, out);
    sim_json_close(out, '}');
}

void sim_answer_report(const struct sim_task *t, const struct sim_report *r,
                       const struct sim_media *media, struct buf *out)
{
    sim_json_open(out, NULL, '{');
    if (t->endpoint->tree)
        report_tree(t, r, media, out);
    else if (t->shape->openai)
        report_openai(t, r, media, out);
    else if (t->shape->native)
        report_native(t, r, media, out);
    else
        report_official(t, r, media, out);
    sim_json_close(out, '}');
}

void sim_answer_listed(const struct sim_task *t, const json_t *asked, const struct sim_media *media,
                       struct buf *out)
{
    static const char *const members[] = {"type",   "template", "model",      "prompt",
                                          "images", "duration", "resolution", "aspect_ratio"};
    struct sim_report r = {.video = t->state == SIM_SUCCESS ? t->creation : NULL};

    sim_json_open(out, NULL, '{');
    sim_json_str(out, "id", t->id);
    sim_json_str(out, "key_id", "1");
    for (size_t i = 0; i < ARRAY_LEN(members); i++)
        sim_json_value(out, members[i], json_object_get(asked, members[i]));
    sim_json_str(out, "state", official_words[t->state]);
    add_creations(out, t, media, &r, true);
    add_created_at(t, out);
    sim_json_int(out, "credits", t->credits);
    sim_json_close(out, '}');
}

/* -- an advertisement -- */

static void add_record(const struct sim_task *t, const char *type, const struct sim_media *media,
                       struct buf *out)
{
    struct sim_report r = {.video = t->creation};

    sim_json_open(out, NULL, '{');
    sim_json_str(out, "id", t->id);
    if (type[0] != '\0')
        sim_json_str(out, "type", type);
    if (t->state == SIM_SUCCESS)
        add_url(out, "creation_url", media, &r, SIM_VIDEO);
    else
        sim_json_str(out, "creation_url", "");
    sim_json_str(out, "state", official_words[t->state]);
    sim_json_str(out, "err_code", t->err_code);
    sim_json_close(out, '}');
}

/* The whole is its own first composition; edits say what they make, and compositions do not. */
static void add_records(const struct sim_task *t, const char *key, const char *type,
                        const struct sim_media *media, struct buf *out)
{
    struct sim_task *job = NULL;

    sim_json_open(out, key, '[');
    if (type[0] == '\0' && t->state == SIM_SUCCESS)
        add_record(t, type, media, out);
    while ((job = sim_task_next_job(t, job)) != NULL)
        if (str_eq(job->part, type))
            add_record(job, type, media, out);
    sim_json_close(out, ']');
}

void sim_answer_parts(const struct sim_task *t, const struct sim_media *media, struct buf *out)
{
    sim_json_open(out, NULL, '{');
    sim_json_str(out, "id", t->id);
    sim_json_str(out, "err_code", t->err_code);
    sim_json_str(out, "state", official_words[t->state]);
    sim_json_open(out, "data_records", '{');
    sim_json_open(out, "storyboards", '[');
    sim_json_open(out, NULL, '{');
    sim_json_int(out, "stroyboard_id", 0); /* as the provider spells it */
    add_records(t, "records", "generate_video", media, out);
    sim_json_close(out, '}');
    sim_json_close(out, ']');
    add_records(t, "narration_records", "generate_narration", media, out);
    add_records(t, "bgm_records", "generate_bgm", media, out);
    add_records(t, "completed_creation_records", "", media, out);
    sim_json_close(out, '}');
    sim_json_close(out, '}');
}
