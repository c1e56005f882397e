/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/fs.h"
#include "base/str.h"
#include "cli/body.h"
#include "cli/commands.h"
#include "vidu/request.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR........................";

/* A folder with a.png, b.txt, request.json, list.json and broken.json, which the tests run in. */
static int enter(void **state)
{
    static char dir[64];
    static const struct {
        const char *name, *text;
    } files[] = {
        {"b.txt", "no image"},
        {"request.json", "{\"model\":\"old\",\"seed\":7,\"prompt\":\"from the "
                         "file\",\"images\":[\"https://x/1\"]}"},
        {"list.json", "[1]"},
        {"broken.json", "{\"a\":\n  1,,}"},
        {"twice.json", "{\"a\":1,\"a\":2}"},
    };

    snprintf(dir, sizeof(dir), "/tmp/viduhook-body-XXXXXX");
    if (mkdtemp(dir) == NULL || chdir(dir) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        if (fs_create_file(files[i].name, files[i].text, strlen(files[i].text), 0600, NULL) < 0)
            return -1;
    *state = dir;
    return fs_create_file("a.png", png, sizeof(png), 0600, NULL);
}

static int leave(void **state)
{
    static const char *const names[] = {"a.png",       "b.txt",      "request.json", "list.json",
                                        "broken.json", "twice.json", "big.png"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        (void)unlink(names[i]);
    return chdir("/") < 0 ? -1 : rmdir(*state);
}

static const struct command *submit_command(void)
{
    const struct command *c = commands;

    while (!str_eq(c->name, "submit"))
        c++;
    return c;
}

static int build(const char *profile, json_t **body, struct err *err, const char *const *words)
{
    const struct option_row *tables[] = {submit_command()->options, NULL};
    struct options o = {0};
    struct media_files files = {0};
    char *argv[32] = {NULL};
    int argc = 0;
    int rc;

    for (; words[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc];
    *body = NULL;
    assert_int_equal(options_parse(&o, tables, argc, argv, false, err), argc);
    rc = body_begin(&o, provider_profile_find(profile), &files, body, err);
    if (rc == 0)
        rc = body_finish(&o, provider_profile_find(profile), &files, *body, err);
    if (rc < 0) {
        json_decref(*body);
        *body = NULL;
    }
    media_files_clear(&files);
    options_clear(&o);
    return rc;
}

#define BUILD_FOR(body, err, ...) build("vidu", body, err, (const char *const[]){__VA_ARGS__, NULL})
#define BUILD(profile, body, err, ...)                                                             \
    build(profile, body, err, (const char *const[]){"img2video", __VA_ARGS__, NULL})

static void assert_body(json_t *body, const char *text)
{
    json_t *wanted = json_loads(text, 0, NULL);

    assert_non_null(wanted);
    if (!json_equal(body, wanted)) {
        char *dumped = json_dumps(body, JSON_COMPACT);

        fail_msg("%s, not %s", dumped, text);
    }
    json_decref(wanted);
    json_decref(body);
}

static void options_become_members(void **state)
{
    json_t *body;
    struct err err;

    (void)state;
    assert_int_equal(BUILD("vidu", &body, &err, "--model", "viduq3-turbo", "--prompt", "a \"boat\"",
                           "--payload", "order 42", "--image", "https://x/1.png", "--set",
                           "duration=5", "--set", "bgm=true", "--set", "style=anime"),
                     0);
    assert_body(
        body, "{\"model\":\"viduq3-turbo\",\"prompt\":\"a \\\"boat\\\"\",\"payload\":\"order 42\","
              "\"images\":[\"https://x/1.png\"],\"duration\":5,\"bgm\":true,\"style\":\"anime\"}");
}

static void options_win_over_the_file(void **state)
{
    json_t *body;
    struct err err;

    (void)state;
    assert_int_equal(BUILD("vidu", &body, &err, "--body", "request.json", "--model", "new",
                           "--image", "https://x/2"),
                     0);
    assert_body(body, "{\"model\":\"new\",\"seed\":7,\"prompt\":\"from the file\","
                      "\"images\":[\"https://x/2\"]}");
}

static void a_local_image_becomes_a_data_uri(void **state)
{
    json_t *body;
    struct err err;
    const char *uri;

    (void)state;
    assert_int_equal(BUILD("vidu", &body, &err, "-i", "a.png", "-i", "https://x/1"), 0);
    uri = json_string_value(json_array_get(json_object_get(body, "images"), 0));
    assert_true(str_starts(uri, "data:image/png;base64,iVBORw0KGgo"));
    assert_string_equal(json_string_value(json_array_get(json_object_get(body, "images"), 1)),
                        "https://x/1");
    json_decref(body);
}

static void subjects_are_named_as_the_provider_names_them(void **state)
{
    json_t *body;
    struct err err;

    (void)state;
    assert_int_equal(BUILD("vidu", &body, &err, "--subject", "cat=https://x/1,https://x/2",
                           "--subject", "dog=data:image/png;base64,AAAA,https://x/4", "--subject",
                           "cat=https://x/3"),
                     0);
    assert_body(body,
                "{\"subjects\":[{\"name\":\"cat\",\"images\":[\"https://x/1\",\"https://x/2\","
                "\"https://x/3\"]},{\"name\":\"dog\",\"images\":[\"data:image/png;base64,AAAA\","
                "\"https://x/4\"]}]}");
    assert_int_equal(BUILD("octopusx", &body, &err, "--subject", "cat=https://x/1"), 0);
    assert_body(body, "{\"subjects\":[{\"id\":\"cat\",\"images\":[\"https://x/1\"]}]}");
}

static void media_go_where_the_endpoint_has_them(void **state)
{
    json_t *body;
    struct err err;

    (void)state;
    assert_int_equal(
        BUILD_FOR(&body, &err, "extend", "--video", "https://x/v", "-i", "https://x/1"), 0);
    assert_body(body, "{\"video_url\":\"https://x/v\",\"images\":[\"https://x/1\"]}");
    assert_int_equal(
        BUILD_FOR(&body, &err, "digital-human", "-i", "https://x/1", "--audio", "https://x/a"), 0);
    assert_body(body, "{\"image\":\"https://x/1\",\"audio_url\":\"https://x/a\"}");
    assert_int_equal(BUILD_FOR(&body, &err, "reference2video", "--video", "https://x/v", "--video",
                               "https://x/w"),
                     0);
    assert_body(body, "{\"videos\":[\"https://x/v\",\"https://x/w\"]}");
    assert_int_equal(BUILD_FOR(&body, &err, "one-click/mv", "--audio", "https://x/a"), 0);
    assert_body(body, "{\"audio_url\":\"https://x/a\"}");
    assert_int_equal(
        BUILD_FOR(&body, &err, "unheard-of", "--video", "https://x/v", "--audio", "https://x/a"),
        0);
    assert_body(body, "{\"videos\":[\"https://x/v\"],\"audio_url\":\"https://x/a\"}");
    assert_int_equal(
        BUILD_FOR(&body, &err, "extend", "--video", "https://x/v", "--video", "https://x/w"),
        -EINVAL);
    assert_non_null(strstr(err.text, "--video: extend takes one"));
}

static void frames_have_an_image_a_time_and_a_prompt(void **state)
{
    json_t *body;
    struct err err;

    (void)state;
    assert_int_equal(BUILD_FOR(&body, &err, "multiframe", "-i", "https://x/0", "--frame",
                               "https://x/1", "--frame", "https://x/2,3", "--frame",
                               "https://x/3,,slowly, then fast", "--frame", "https://x/4,7,up"),
                     0);
    assert_body(
        body,
        "{\"start_image\":\"https://x/0\",\"image_settings\":[{\"key_image\":\"https://x/1\"},"
        "{\"key_image\":\"https://x/2\",\"duration\":3},{\"key_image\":\"https://x/3\","
        "\"prompt\":\"slowly, then fast\"},{\"key_image\":\"https://x/4\",\"duration\":7,"
        "\"prompt\":\"up\"}]}");
    assert_int_equal(BUILD_FOR(&body, &err, "multiframe", "--frame", "https://x/1,soon"), -EINVAL);
    assert_non_null(strstr(err.text, "--frame https://x/1,soon: "));
    assert_int_equal(BUILD_FOR(&body, &err, "multiframe", "--frame", "b.txt,3"), -EINVAL);
    assert_non_null(strstr(err.text, "b.txt: this is no PNG"));
}

static void sounds_and_videos_are_known_by_their_first_bytes(void **state)
{
    static const struct {
        const char *option, *bytes;
        size_t n;
        const char *begin; /* NULL: refused */
    } rows[] = {
        {"--video",
         "\0\0\0\x20"
         "ftypisom",
         12, "data:video/mp4;base64,"},
        {"--video",
         "\0\0\0\x20"
         "ftypqt  ",
         12, "data:video/quicktime;base64,"},
        {"--video", "RIFF....AVI ", 12, "data:video/x-msvideo;base64,"},
        {"--video", "RIFF....WAVE", 12, NULL},
        {"--audio", "RIFF....WAVE", 12, "data:audio/wav;base64,"},
        {"--audio",
         "\0\0\0\x20"
         "ftypM4A ",
         12, "data:audio/mp4;base64,"},
        {"--audio", "ID3.", 4, "data:audio/mpeg;base64,"},
        {"--audio", "\xff\xfb\x90", 3, "data:audio/mpeg;base64,"},
        {"--audio", "\xff\xd8\xff", 3, NULL},
        {"--audio", "", 0, NULL},
    };
    struct err err;
    json_t *body;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *field = str_eq(rows[i].option, "--video") ? "video_url" : "audio_url";

        (void)unlink("big.png");
        assert_int_equal(fs_create_file("big.png", rows[i].bytes, rows[i].n, 0600, NULL), 0);
        assert_int_equal(BUILD_FOR(&body, &err, "lip-sync", rows[i].option, "big.png"),
                         rows[i].begin != NULL ? 0 : -EINVAL);
        if (rows[i].begin != NULL)
            assert_true(str_starts(json_string_value(json_object_get(body, field)), rows[i].begin));
        json_decref(body);
    }
    assert_int_equal(truncate("big.png", (off_t)REQUEST_MAX_BODY + 1), 0);
    assert_int_equal(BUILD_FOR(&body, &err, "lip-sync", "--video", "big.png"), -EFBIG);
    assert_non_null(strstr(err.text, "at most 20 MiB"));
    assert_non_null(strstr(err.text, "room for 15"));
    (void)unlink("big.png");
}

struct mistake {
    const char *words[5];
    int code;
    const char *text;
};

static void mistakes_name_what_is_wrong(void **state)
{
    static const struct mistake mistakes[] = {
        {{"--image", "missing.png"}, -ENOENT, "missing.png"},
        {{"--image", "b.txt"}, -EINVAL, "b.txt: this is no PNG"},
        {{"--image", "."}, -EINVAL, "."},
        {{"--subject", "cat"}, -EINVAL, "--subject cat: NAME=FILE"},
        {{"--subject", "=a.png"}, -EINVAL, "--subject =a.png"},
        {{"--subject", "cat=a.png,,a.png"}, -EINVAL, "--subject cat=a.png,,a.png: "},
        {{"--subject", "cat=missing.png"}, -ENOENT, "missing.png"},
        {{"--set", "duration"}, -EINVAL, "--set duration: NAME=VALUE"},
        {{"--body", "list.json"}, -EINVAL, "list.json: the request must be a JSON object"},
        {{"--body", "broken.json"}, -EINVAL, "broken.json:2:"},
        {{"--body", "twice.json"}, -EINVAL, "twice.json:1:"},
        {{"a prompt"}, -EINVAL, "a prompt is given with --prompt"},
        {{"-", "--body", "list.json"}, -EINVAL, "not both"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mistakes); i++) {
        const char *words[8] = {"img2video"};
        struct err err = {.text = ""};
        json_t *body;

        memcpy(words + 1, mistakes[i].words, sizeof(mistakes[i].words));
        assert_int_equal(build("vidu", &body, &err, words), mistakes[i].code);
        assert_null(body);
        if (strstr(err.text, mistakes[i].text) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", err.text, mistakes[i].text);
    }
}

static void an_image_over_the_limit_is_not_read(void **state)
{
    struct err err;
    json_t *body;

    (void)state;
    assert_int_equal(fs_create_file("big.png", png, sizeof(png), 0600, NULL), 0);
    assert_int_equal(truncate("big.png", (off_t)REQUEST_MAX_IMAGE + 1), 0);
    assert_int_equal(BUILD("vidu", &body, &err, "--image", "big.png"), -EFBIG);
    assert_non_null(strstr(err.text, "big.png: an image may have at most 50 MiB"));
}

static void a_body_over_the_limit_is_refused_with_the_numbers(void **state)
{
    char *text = NULL;
    size_t len;
    struct err err;
    json_t *body = json_object();
    char *filler = mem_calloc(REQUEST_MAX_BODY + 1U, 1);

    (void)state;
    memset(filler, 'x', REQUEST_MAX_BODY);
    (void)json_object_set_new(body, "k", json_string(filler));
    assert_int_equal(body_text(body, &text, &len, &err), -EFBIG);
    assert_non_null(strstr(err.text, "20971528 bytes"));
    assert_non_null(strstr(err.text, "20971520 bytes"));
    filler[REQUEST_MAX_BODY - 8] = '\0';
    (void)json_object_set_new(body, "k", json_string(filler));
    assert_int_equal(body_text(body, &text, &len, &err), 0);
    assert_int_equal(len, REQUEST_MAX_BODY);
    free(text);
    free(filler);
    json_decref(body);
}

static int tags(json_t **out, struct err *err, const char *tag)
{
    const struct option_row *tables[] = {submit_command()->options, NULL};
    struct options o = {0};
    char *argv[] = {(char[]){"--tag"}, (char *)(uintptr_t)tag, (char[]){"--tag=b"}};
    int rc;

    *out = NULL;
    assert_int_equal(options_parse(&o, tables, 3, argv, false, err), 3);
    rc = body_tags(&o, out, err);
    options_clear(&o);
    return rc;
}

static void tags_have_a_name_and_perhaps_a_value(void **state)
{
    char longest[80];
    struct err err;
    json_t *out;

    (void)state;
    assert_int_equal(tags(&out, &err, "album=a=b"), 0);
    assert_body(out, "{\"album\":\"a=b\",\"b\":\"\"}");
    assert_int_equal(tags(&out, &err, "=x"), -EINVAL);
    memset(longest, 'n', 65);
    longest[65] = '\0';
    assert_int_equal(tags(&out, &err, longest), -EINVAL);
    assert_null(out);
}

static void people_see_the_beginning_of_a_data_uri(void **state)
{
    char uri[200];
    json_t *body, *shown;

    (void)state;
    memset(uri, 'A', sizeof(uri));
    memcpy(uri, "data:image/png;base64,", 22);
    uri[199] = '\0';
    body =
        json_pack("{s:[s,s], s:{s:s}, s:i}", "images", uri, "https://x/1", "o", "k", "v", "n", 3);
    shown = body_shortened(body);
    assert_body(shown,
                "{\"images\":[\"data:image/png;base64,AAAAAAAAAAAAAAAAAAAAAAAAAA... (199 bytes)\","
                "\"https://x/1\"],\"o\":{\"k\":\"v\"},\"n\":3}");
    json_decref(body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_become_members),
        cmocka_unit_test(options_win_over_the_file),
        cmocka_unit_test(a_local_image_becomes_a_data_uri),
        cmocka_unit_test(subjects_are_named_as_the_provider_names_them),
        cmocka_unit_test(media_go_where_the_endpoint_has_them),
        cmocka_unit_test(frames_have_an_image_a_time_and_a_prompt),
        cmocka_unit_test(sounds_and_videos_are_known_by_their_first_bytes),
        cmocka_unit_test(mistakes_name_what_is_wrong),
        cmocka_unit_test(an_image_over_the_limit_is_not_read),
        cmocka_unit_test(a_body_over_the_limit_is_refused_with_the_numbers),
        cmocka_unit_test(tags_have_a_name_and_perhaps_a_value),
        cmocka_unit_test(people_see_the_beginning_of_a_data_uri),
    };

    return cmocka_run_group_tests(tests, enter, leave);
}
