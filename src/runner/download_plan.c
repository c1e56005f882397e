/* SPDX-License-Identifier: MIT */
#include "runner/download_plan.h"

#include "base/clock.h"
#include "vidu/library.h"
#include "vidu/result_kind.h"
#include "wire/run.h"

#include <ctype.h>
#include <string.h>

#define FILE_MODE   0644
#define TASK_ID_MAX 64

static const char *text_at(const json_t *object, const char *member)
{
    return str_or(json_string_value(json_object_get(object, member)), "");
}

static const char *task_text(const json_t *context, const char *member)
{
    return text_at(json_object_get(context, "task"), member);
}

static enum fetch_kind kind_of(const json_t *context, const json_t *creation)
{
    static const enum fetch_kind kinds[] = {
        [RESULT_VIDEO] = FETCH_VIDEO, [RESULT_IMAGE] = FETCH_IMAGE, [RESULT_AUDIO] = FETCH_AUDIO};

    return kinds[result_kind(task_text(context, "endpoint"), text_at(creation, "url"))];
}

bool download_wants(const json_t *action, const json_t *context, const json_t *creation,
                    enum download_part part)
{
    if (part == PART_WATERMARKED)
        return str_eq(text_at(action, "watermarked"), "both");
    if (part == PART_COVER) /* an image is its own */
        return json_is_true(json_object_get(action, "cover")) &&
               kind_of(context, creation) != FETCH_IMAGE;
    return true;
}

const char *download_url(const json_t *action, const json_t *creation, enum download_part part)
{
    static const char *const members[PART_COUNT] = {"url", "watermarked_url", "cover_url"};

    if (part == PART_MAIN && str_eq(text_at(action, "watermarked"), "yes"))
        part = PART_WATERMARKED;
    return text_at(creation, members[part]);
}

enum fetch_kind download_fetch_kind(const json_t *context, const json_t *creation,
                                    enum download_part part)
{
    return part == PART_COVER ? FETCH_IMAGE : kind_of(context, creation);
}

const char *download_kind_name(const json_t *context, const json_t *creation,
                               enum download_part part)
{
    static const char *const names[] = {
        [FETCH_VIDEO] = "video", [FETCH_IMAGE] = "image", [FETCH_AUDIO] = "audio"};

    if (part == PART_COVER)
        return "cover";
    return part == PART_WATERMARKED ? "watermarked" : names[kind_of(context, creation)];
}

static bool is_month(const char *s)
{
    static const char form[] = "0000-00-00T";

    for (size_t i = 0; form[i] != '\0'; i++)
        if (form[i] == '0' ? !isdigit((unsigned char)s[i]) : s[i] != form[i])
            return false;
    return true;
}

void download_month(const json_t *context, char out[8])
{
    const char *created = task_text(context, "created_at");
    char now[25];

    if (!is_month(created)) {
        clock_format_rfc3339(clock_wall_ms(), now);
        created = now;
    }
    memcpy(out, created, 7);
    out[7] = '\0';
}

static bool is_plain_id(const char *id)
{
    size_t n = strlen(id);

    return n > 0 && n <= TASK_ID_MAX &&
           strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == n;
}

const char *download_layout(const json_t *action)
{
    return str_or(json_string_value(json_object_get(action, "layout")), "flat");
}

mode_t download_mode(const json_t *action)
{
    json_int_t mode = json_integer_value(json_object_get(action, "mode"));

    return mode > 0 ? (mode_t)(mode & 0777) : FILE_MODE;
}

bool download_component(const char *layout, size_t i, const json_t *context, struct buf *out)
{
    struct run_lookup l = {.context = context, .scratch = BUF_INIT(64U << 10)};
    bool there = library_component(layout, i, run_look_up, &l, out);

    buf_free(&l.scratch);
    return there;
}

char *download_strip_extension(const char *name)
{
    const char *dot = strrchr(name, '.');

    return mem_strndup(name, dot != NULL ? (size_t)(dot - name) : strlen(name));
}

static void add_title(const json_t *action, const json_t *context, struct buf *out)
{
    const char *layout = download_layout(action);

    if (library_layout_kind(layout) == LAYOUT_TEMPLATE) {
        (void)download_component(layout, library_count(layout) - 1, context, out);
        return;
    }
    template_file_name(task_text(context, "prompt"), LIBRARY_NAME_MAX, out);
    if (out->len == 0)
        template_file_name(task_text(context, "endpoint"), LIBRARY_NAME_MAX, out);
}

bool download_stem(const json_t *action, const json_t *context, size_t creation,
                   enum download_part part, struct buf *out)
{
    const char *id = task_text(context, "id");

    if (!is_plain_id(id))
        return false;
    add_title(action, context, out);
    buf_addf(out, "%s[vidu-%s", out->len != 0 ? " " : "", id);
    if (creation > 0)
        buf_addf(out, "-c%zu", creation + 1);
    buf_addf(out, "]%s", part == PART_WATERMARKED ? "-watermarked" : "");
    return buf_ok(out);
}
