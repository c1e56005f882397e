/* SPDX-License-Identifier: MIT */
#include "vidu/request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void collect(const char *line, void *ctx)
{
    buf_addf(ctx, "%s\n", line);
}

static char *warnings(const char *endpoint, const char *body)
{
    struct buf out = BUF_INIT(1U << 16);
    json_error_t why;
    json_t *root = json_loads(body, 0, &why);
    size_t n, lines = 0;

    if (root == NULL)
        fail_msg("%s: %s", body, why.text);
    n = request_check(endpoint_find(endpoint), root, collect, &out);
    for (const char *c = buf_text(&out); *c != '\0'; c++)
        lines += *c == '\n';
    assert_int_equal(n, lines);
    json_decref(root);
    return buf_take(&out);
}

static void expect(const char *endpoint, const char *body, const char *lines)
{
    char *text = warnings(endpoint, body);

    assert_string_equal(text, lines);
    free(text);
}

static void what_is_required_is_missed(void **state)
{
    (void)state;
    expect("one-click/general_one_click", "{\"images\":[\"https://h/a\"]}",
           "one-click/general_one_click needs duration: seconds, 1 to 180; required\n");
    expect("one-click/general_one_click", "{\"images\":[\"https://h/a\"],\"duration\":9}", "");
    expect("audio-tts", "{}", "audio-tts needs text: what is said; under 10000 characters\n");
    expect("audio-tts", "{\"text\":\"hello\"}", "");
    expect("image2dance", "{\"image_url\":\"https://h/a\"}",
           "image2dance needs video_url: the motion: 2 to 30 seconds, at most 200 MB\n");
    expect("ad-one-click/edit", "{\"ad_one_click_task_id\":\"1\"}", "");
}

static void documented_requests_give_no_warning(void **state)
{
    (void)state;
    expect("text2video",
           "{\"model\":\"viduq3-pro\",\"prompt\":\"x\",\"duration\":16,\"resolution\":"
           "\"540p\",\"aspect_ratio\":\"9:16\",\"payload\":\"p\",\"seed\":0}",
           "");
    expect("text2video", "{\"model\":\"viduq1\",\"is_rec\":true,\"style\":\"anime\",\"bgm\":true}",
           "");
    expect("img2video",
           "{\"model\":\"vidu2.0\",\"images\":[\"https://h/a.png\"],\"duration\":8,"
           "\"resolution\":\"720p\",\"movement_amplitude\":\"small\"}",
           "");
    expect("img2video", "{\"model\":\"viduq2-pro\",\"images\":[\"data:image/png;base64,AA==\"]}",
           "");
    expect("start-end2video",
           "{\"model\":\"viduq2-turbo\",\"images\":[\"https://h/a\",\"ssupload:?id=1\"],"
           "\"duration\":8,\"wm_position\":4}",
           "");
    expect("reference2video",
           "{\"model\":\"viduq2-pro\",\"duration\":0,\"subjects\":[{\"name\":\"cat\","
           "\"images\":[\"https://h/a\"]}],\"prompt\":\"@cat\"}",
           "");
    expect("reference2video",
           "{\"model\":\"viduq2-pro\",\"images\":[\"https://h/a\"],"
           "\"videos\":[\"https://h/v.mp4\"]}",
           "");
    expect("text2audio", "{\"model\":\"audio1.0\",\"prompt\":\"rain\",\"duration\":2.5}", "");
    expect("text2audio", "{\"model\":\"audio1.0\",\"prompt\":\"rain\",\"duration\":10}", "");
    expect("multiframe",
           "{\"model\":\"viduq2-pro\",\"start_image\":\"https://h/a\",\"wm_position\":\"top_left\","
           "\"image_settings\":[{\"key_image\":\"https://h/b\"},{\"key_image\":\"https://h/c\"}]}",
           "");
    expect("reference2image",
           "{\"model\":\"viduq2\",\"prompt\":\"a boat\",\"aspect_ratio\":\"21:9\"}", "");
    expect("extend", "{\"model\":\"viduq2-pro\",\"video_url\":\"https://h/a\",\"duration\":7}", "");
    expect("digital-human", "{\"model\":\"viduq2-pro\",\"image\":\"https://h/a\"}", "");
    expect("digital-human", "{\"model\":\"q2-turbo\",\"image\":\"https://h/a\"}", "");
    expect("one-click/mv/912/edit", "{\"index\":1,\"whatever\":2}", "");
    expect("lip-sync", "{\"video_url\":\"https://h/a\",\"text\":\"hello\",\"speed\":1.5}", "");
}

static void each_objection_is_one_line(void **state)
{
    static const struct {
        const char *endpoint, *body, *line;
    } rows[] = {
        {"text2video", "{\"prompt\":\"x\"}", "text2video needs a model\n"},
        {"text2video", "{\"model\":\"viduq3-por\",\"prompt\":\"x\"}",
         "viduq3-por is not a known model of text2video; did you mean viduq3-pro?\n"},
        {"text2video", "{\"model\":\"sora\",\"prompt\":\"x\"}",
         "sora is not a known model of text2video\n"},
        {"text2video", "{\"model\":\"viduq3-pro\"}", "text2video needs a prompt\n"},
        {"text2video", "{\"model\":\"viduq3-pro\",\"prompt\":\"x\",\"duration\":17}",
         "viduq3-pro makes no videos of 17 seconds on text2video\n"},
        {"text2video", "{\"model\":\"viduq3-pro\",\"prompt\":\"x\",\"duration\":-1}",
         "viduq3-pro makes no videos of -1 seconds on text2video\n"},
        {"text2video", "{\"model\":\"viduq3-pro\",\"prompt\":\"x\",\"duration\":64}",
         "viduq3-pro makes no videos of 64 seconds on text2video\n"},
        {"text2video", "{\"model\":\"viduq3-pro\",\"prompt\":\"x\",\"duration\":\"5\"}",
         "duration is not of type int\n"},
        {"text2video", "{\"model\":\"viduq1\",\"prompt\":\"x\",\"resolution\":\"720p\"}",
         "viduq1 does not make 720p\n"},
        {"text2video", "{\"model\":\"viduq1\",\"prompt\":\"x\",\"resolution\":\"80p\"}",
         "viduq1 does not make 80p\n"},
        {"img2video",
         "{\"model\":\"vidu2.0\",\"images\":[\"https://h/"
         "a\"],\"duration\":8,\"resolution\":\"1080p\"}",
         "vidu2.0 does not make 1080p at this duration\n"},
        {"text2video", "{\"model\":\"viduq3-pro\",\"prompt\":\"x\",\"aspect_ration\":\"1:1\"}",
         "aspect_ration is not a field of text2video; did you mean aspect_ratio?\n"},
        {"img2video", "{\"model\":\"viduq3-pro\",\"images\":[\"https://h/a\"],\"zzz\":1}",
         "zzz is not a field of img2video and may be refused\n"},
        {"text2video", "{\"model\":\"viduq3-pro\",\"prompt\":\"x\",\"aspect_ratio\":\"2:1\"}",
         "aspect_ratio 2:1 is none of: 16:9 9:16 1:1 3:4 4:3\n"},
        {"text2video", "{\"model\":\"viduq3-pro\",\"prompt\":\"x\",\"bgm\":true}",
         "viduq3-pro ignores bgm\n"},
        {"text2video", "{\"model\":\"viduq3-pro\",\"prompt\":\"x\",\"wm_position\":5}",
         "wm_position is a number from 1 to 4\n"},
        {"img2video", "{\"model\":\"viduq3-pro\"}", "img2video takes 1 image, not 0\n"},
        {"start-end2video", "{\"model\":\"viduq3-pro\",\"images\":[\"https://h/a\"]}",
         "start-end2video takes 2 images, not 1\n"},
        {"img2video", "{\"model\":\"viduq3-pro\",\"images\":[\"a.png\"]}",
         "images[0] is neither a URL nor a data URI\n"},
        {"img2video", "{\"model\":\"viduq3-pro\",\"images\":[\"data:text/plain,x\"]}",
         "images[0] is not a data URI of an image\n"},
        {"reference2video", "{\"model\":\"viduq3-mix\",\"subjects\":[{\"name\":\"a\"}]}",
         "viduq3-mix takes no subjects\n"},
        {"reference2video", "{\"model\":\"viduq3\",\"subjects\":[{\"images\":[]}]}",
         "subjects[0] has no name\n"},
        {"reference2video",
         "{\"model\":\"viduq3\",\"images\":[\"https://h/a\"],\"videos\":[\"https://h/v\"]}",
         "videos are for viduq2-pro, not for viduq3\n"},
        {"text2video", "{\"model\":\"viduq2\",\"prompt\":\"x\",\"off_peak\":true,\"audio\":true}",
         "off_peak needs audio=false with viduq2\n"},
        {"text2audio", "{\"model\":\"audio1.0\",\"prompt\":\"rain\",\"duration\":10.5}",
         "duration is a number from 2 to 10\n"},
        {"extend", "{\"model\":\"viduq2-pro\",\"duration\":8}",
         "duration is a number from 1 to 7\n"},
        {"multiframe",
         "{\"model\":\"viduq2-pro\",\"start_image\":\"https://h/a\","
         "\"image_settings\":[{\"key_image\":\"https://h/b\"}]}",
         "multiframe takes 2 to 9 frames behind the first image, not 1\n"},
        {"extend", "{\"model\":\"viduq2-pro\",\"wm_position\":3}",
         "wm_position is not of type string\n"},
        {"lip-sync", "{\"payload\":\"p\",\"video_url\":\"https://h/a\"}",
         "payload is not a field of lip-sync and may be refused\n"},
        {"one-click/mv",
         "{\"images\":[\"https://h/a\"],\"audio_url\":\"https://h/b\",\"lip_synk\":true}",
         "lip_synk is not a field of one-click/mv; did you mean lip_sync?\n"},
        {"template-story", "{\"story\":\"dracula\"}",
         "story dracula is none of: love_story workday_feels monkey_king pigsy monk_tang "
         "one_shot\n"},
        {"reference2video",
         "{\"model\":\"viduq3-mix\",\"images\":[\"https://h/a\"],\"off_peak\":true}",
         "viduq3-mix has no off_peak\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        expect(rows[i].endpoint, rows[i].body, rows[i].line);
}

static void lengths_are_counted_in_characters(void **state)
{
    static const struct {
        const char *endpoint;
        size_t fits;
    } rows[] = {{"text2video", 5000}, {"reference2video", 2000}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        for (size_t n = rows[i].fits; n <= rows[i].fits + 1; n++) {
            struct buf body = BUF_INIT(1U << 16);
            char *text;

            buf_adds(&body, "{\"model\":\"viduq2\",\"prompt\":\"");
            for (size_t k = 0; k < n; k++)
                buf_adds(&body, "\xe4\xbd\xa0");
            buf_adds(&body, "\"}");
            text = warnings(rows[i].endpoint, buf_text(&body));
            assert_int_equal(strstr(text, "documented") != NULL, n > rows[i].fits);
            free(text);
            buf_free(&body);
        }
}

static void long_values_do_not_make_long_lines(void **state)
{
    struct buf body = BUF_INIT(1U << 16);
    char *text;

    (void)state;
    buf_adds(&body, "{\"prompt\":\"x\",\"model\":\"");
    for (int i = 0; i < 5000; i++)
        buf_addc(&body, 'm');
    buf_adds(&body, "\"}");
    text = warnings("text2video", buf_text(&body));
    assert_true(strlen(text) > 100 && strlen(text) < 600);
    free(text);
    buf_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_required_is_missed),
        cmocka_unit_test(documented_requests_give_no_warning),
        cmocka_unit_test(each_objection_is_one_line),
        cmocka_unit_test(lengths_are_counted_in_characters),
        cmocka_unit_test(long_values_do_not_make_long_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
