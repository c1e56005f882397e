/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/fs.h"
#include "http/client.h"
#include "runner/action.h"
#include "runner/download_plan.h"
#include "runner/sweep.h"
#include "tests/unit/http/file_server.h"

#include <dlfcn.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <cmocka.h>

/* Waiting for fresh URLs passes a hundred times as fast: takes the place of the library's. */
int event_add(struct event *ev, const struct timeval *tv)
{
    static int (*real)(struct event *, const struct timeval *);
    struct timeval quick = {.tv_usec = 600000};

    if (real == NULL)
        real = (int (*)(struct event *, const struct timeval *))dlsym(RTLD_NEXT, "event_add");
    return real(ev, tv != NULL && tv->tv_sec == 60 ? &quick : tv);
}

struct bench {
    struct file_server server;
    struct event_base *base;
    struct client *client;
    struct sweep sweep;
    struct action_env env;
    json_t *action, *context;
    void *running;
    int dones, refreshes, progress;
    bool stop_at_progress;
    /* What on_expired answers: the creations, or an error, or nothing at all. */
    json_t *fresh;
    const char *fresh_error;
    enum run_outcome outcome;
    char detail[4096];
    json_t *files;
    int64_t retry_after_ms;
    int descriptors;
    char dir[64];
};

static struct bench b;

static void on_done(const struct msg_done *done, void *ctx)
{
    (void)ctx;
    b.dones++;
    b.outcome = done->outcome;
    b.retry_after_ms = done->retry_after_ms;
    snprintf(b.detail, sizeof(b.detail), "%.*s", (int)done->detail.n, done->detail.p);
    json_decref(b.files);
    b.files = json_loadb(done->files.p, done->files.n, 0, NULL);
    download_ops.free(b.running);
    b.running = NULL;
    event_base_loopbreak(b.base);
}

static void on_stop_now(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    download_ops.stop(b.running, RUN_AGAIN, "stopped with the daemon");
}

static void on_progress(const char *name, uint64_t done, uint64_t total, void *ctx)
{
    (void)ctx;
    assert_non_null(strstr(name, "[vidu-t3k9"));
    assert_true(total == 0 || done <= total);
    b.progress++;
    if (b.stop_at_progress)
        event_base_once(b.base, -1, EV_TIMEOUT, on_stop_now, NULL, NULL);
    b.stop_at_progress = false;
}

static void on_answer(evutil_socket_t fd, short what, void *arg)
{
    (void)fd;
    (void)what;
    (void)arg;
    download_ops.fresh(b.running, b.fresh, b.fresh_error);
}

static void on_expired(void *ctx)
{
    (void)ctx;
    b.refreshes++;
    if (b.fresh != NULL || b.fresh_error != NULL)
        event_base_once(b.base, -1, EV_TIMEOUT, on_answer, NULL, NULL);
}

static const struct action_events events = {
    .on_done = on_done, .on_progress = on_progress, .on_expired = on_expired};

static char *url(const char *path)
{
    return *path != '\0' ? mem_printf("http://127.0.0.1:%d%s", b.server.port, path)
                         : mem_strdup("");
}

static json_t *creation(const char *video, const char *watermarked, const char *cover)
{
    autofree char *v = url(video);
    autofree char *w = url(watermarked);
    autofree char *c = url(cover);

    return json_pack("{s:s, s:s, s:s, s:s}", "id", "9", "url", v, "watermarked_url", w, "cover_url",
                     c);
}

static void set_result(json_t *creations)
{
    json_object_set_new(b.context, "result", creations);
}

static void set_one(const char *video, const char *watermarked, const char *cover)
{
    set_result(json_pack("[o]", creation(video, watermarked, cover)));
}

static void set_task(const char *member, const char *text)
{
    json_object_set_new(json_object_get(b.context, "task"), member, json_string(text));
}

static void run(void)
{
    struct timeval limit = {.tv_sec = 20};

    b.dones = b.refreshes = 0;
    b.running = download_ops.start(&b.env, b.action, b.context, SLICE_LIT(""), &events, NULL);
    assert_int_equal(b.dones, 0);
    event_base_loopexit(b.base, &limit);
    event_base_dispatch(b.base);
    assert_int_equal(b.dones, 1);
}

static void expect(enum run_outcome outcome, const char *detail)
{
    if (b.outcome != outcome || strstr(b.detail, detail) == NULL)
        fail_msg("outcome %u: %s", b.outcome, b.detail);
    assert_null(strchr(b.detail, '?'));
    assert_null(strchr(b.detail, '\n'));
}

/* The i-th file reported: there, of that kind and name, and as large as it is said to be. */
static mode_t wanted_mode = 0644;

static void assert_file(size_t i, const char *kind, const char *name)
{
    const json_t *file = json_array_get(b.files, i);
    autofree char *want = mem_printf("%s/media/%s", b.dir, name);
    struct stat st;

    assert_non_null(file);
    assert_string_equal(json_string_value(json_object_get(file, "path")), want);
    assert_string_equal(json_string_value(json_object_get(file, "kind")), kind);
    assert_int_equal(json_string_length(json_object_get(file, "sha256")), 64);
    assert_int_equal(stat(want, &st), 0);
    assert_int_equal(st.st_size, json_integer_value(json_object_get(file, "bytes")));
    assert_int_equal(st.st_mode & 07777, wanted_mode);
}

static void everything_wanted_arrives_in_order(void **state)
{
    (void)state;
    json_object_set_new(b.action, "watermarked", json_string("both"));
    set_one("/good/v", "/good/w?seed=2", "/kind/jpg/c");
    run();
    expect(RUN_OK, "3 files, ");
    assert_int_equal(json_array_size(b.files), 3);
    assert_file(0, "video", "2026-11/A cat [vidu-t3k9].mp4");
    assert_file(1, "watermarked", "2026-11/A cat [vidu-t3k9]-watermarked.mp4");
    assert_file(2, "cover", "2026-11/A cat [vidu-t3k9].jpg");
    assert_true(b.progress > 0);
}

static void only_what_is_wanted_is_fetched(void **state)
{
    (void)state;
    json_object_set_new(b.action, "cover", json_false());
    set_one("/good/v", "/status/500", "/status/500");
    run();
    expect(RUN_OK, "1 file, ");
    assert_int_equal(json_array_size(b.files), 1);
}

static void every_creation_has_its_own_name(void **state)
{
    (void)state;
    set_result(json_pack("[o, o, o]", creation("/good/1", "", "/kind/png/1"),
                         creation("/good/2?seed=2", "", "/kind/webp/2"),
                         creation("/good/3?seed=3", "", "")));
    run();
    expect(RUN_OK, "5 files, ");
    assert_file(0, "video", "2026-11/A cat [vidu-t3k9].mp4");
    assert_file(1, "cover", "2026-11/A cat [vidu-t3k9].png");
    assert_file(2, "video", "2026-11/A cat [vidu-t3k9-c2].mp4");
    assert_file(3, "cover", "2026-11/A cat [vidu-t3k9-c2].webp");
    assert_file(4, "video", "2026-11/A cat [vidu-t3k9-c3].mp4");
    expect(RUN_OK, "no cover: the result has none");
}

static void a_video_without_its_cover_is_worth_having(void **state)
{
    static const char *const covers[] = {"", "/status/500", "/status/401", "/kind/html/cover",
                                         "/redirect?to=http://169.254.169.254/"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(covers); i++) {
        set_one("/good/v", "", covers[i]);
        run();
        expect(RUN_OK, "no cover: ");
        assert_int_equal(json_array_size(b.files), 1);
    }
}

static void an_expired_cover_does_not_fail_the_run(void **state)
{
    (void)state;
    b.fresh_error = "provider unreachable";
    set_one("/good/v", "", "/status/403");
    run();
    expect(RUN_OK, "no cover: no fresh URL: provider unreachable");
    assert_int_equal(b.refreshes, 1);
    b.fresh_error = NULL;
    run(); /* nobody answers */
    expect(RUN_OK, "no cover: no fresh URL came in time");
}

static void failures_have_their_outcome(void **state)
{
    static const struct {
        const char *video;
        enum run_outcome outcome;
        const char *detail;
    } rows[] = {
        {"/status/500?after=9", RUN_AGAIN, "status 500"},
        {"/status/429?after=9", RUN_AGAIN, "status 429"},
        {"/status/401?after=9", RUN_FAILED, "status 401"},
        {"/garbage?after=9", RUN_FAILED, "not an MP4"},
        {"/redirect?to=http://169.254.169.254/", RUN_FAILED, "link local"},
        {"/redirect?to=http://%5B::ffff:127.0.0.1%5D:1/", RUN_FAILED, "loopback"},
        {"/redirect?to=http://2130706433:1/", RUN_FAILED, "loopback"},
        {"/close", RUN_AGAIN, "reply"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        set_one(rows[i].video, "", "");
        run();
        expect(rows[i].outcome, rows[i].detail);
        assert_int_equal(json_array_size(b.files), 0);
        assert_int_equal(b.retry_after_ms, str_starts(rows[i].video, "/status") ? 9000 : -1);
    }
}

static void a_failed_copy_fails_the_run_but_not_the_video(void **state)
{
    (void)state;
    json_object_set_new(b.action, "watermarked", json_string("both"));
    set_one("/good/v", "/status/503", "/kind/jpg/c");
    run();
    expect(RUN_AGAIN, "status 503");
    assert_int_equal(json_array_size(b.files), 1);
    assert_file(0, "video", "2026-11/A cat [vidu-t3k9].mp4");
    set_one("/good/v", "", "/kind/jpg/c");
    run();
    expect(RUN_OK, "no watermarked copy: the result has none");
}

static void the_watermarked_copy_takes_the_place_of_the_plain_one(void **state)
{
    (void)state;
    json_object_set_new(b.action, "watermarked", json_string("yes"));
    set_one("/status/500", "/good/w", "/kind/jpg/c");
    run();
    expect(RUN_OK, "2 files, ");
    assert_file(0, "video", "2026-11/A cat [vidu-t3k9].mp4");
    assert_file(1, "cover", "2026-11/A cat [vidu-t3k9].jpg");
    set_one("/good/v?seed=2", "", "");
    set_task("id", "other");
    run();
    expect(RUN_FATAL, "no watermarked copy; watermarked: no takes the plain one");
    assert_int_equal(b.refreshes, 0);
}

/* The keeper hands the files of the first attempt to the second. */
static void what_is_there_is_not_fetched_again(void **state)
{
    (void)state;
    json_object_set_new(b.action, "watermarked", json_string("both"));
    set_one("/good/v", "/status/503", "/kind/jpg/c");
    run();
    json_object_set(b.context, "files", b.files);
    set_one("/status/500", "/good/w?seed=2", "/kind/jpg/c");
    run();
    expect(RUN_OK, "3 files, ");
    assert_file(0, "video", "2026-11/A cat [vidu-t3k9].mp4");
    assert_int_equal(unlink(json_string_value(json_object_get(json_array_get(b.files, 0), "path"))),
                     0);
    run();
    expect(RUN_AGAIN, "status 500"); /* it is not there any more */
}

static void an_expired_url_is_asked_for_and_resumed(void **state)
{
    (void)state;
    set_one("/expires/a", "", "/kind/jpg/c");
    run(); /* breaks off after the half */
    expect(RUN_AGAIN, "");
    b.fresh = json_pack("[o]", creation("/expires/a?fresh=1", "", "/kind/jpg/c"));
    run();
    expect(RUN_OK, "2 files, ");
    assert_int_equal(b.refreshes, 1);
    assert_file(0, "video", "2026-11/A cat [vidu-t3k9].mp4");
}

static void urls_are_asked_for_three_times_at_most(void **state)
{
    (void)state;
    b.fresh = json_pack("[o]", creation("/status/403", "", ""));
    set_one("/status/403", "", "");
    run();
    expect(RUN_FAILED, "status 403");
    assert_int_equal(b.refreshes, 3);
}

static void a_result_without_url_is_asked_for(void **state)
{
    (void)state;
    b.fresh = json_pack("[o]", creation("/good/v", "", "/kind/jpg/c"));
    set_result(json_array());
    run();
    expect(RUN_OK, "2 files, ");
    assert_int_equal(b.refreshes, 1);
    json_decref(b.fresh);
    b.fresh = json_array();
    run();
    expect(RUN_FAILED, "the result has no URL");
    json_object_del(b.context, "result");
    run();
    expect(RUN_FAILED, "the result has no URL");
}

static void without_an_answer_the_run_comes_again(void **state)
{
    (void)state;
    set_one("/status/410", "", "");
    run();
    expect(RUN_AGAIN, "no fresh URL came in time");
    b.fresh_error = "unknown task";
    run();
    expect(RUN_AGAIN, "no fresh URL: unknown task");
}

static void an_answer_nobody_waits_for_is_dropped(void **state)
{
    (void)state;
    set_one("/good/v", "", "/kind/jpg/c");
    b.fresh_error = "late";
    b.running = download_ops.start(&b.env, b.action, b.context, SLICE_LIT(""), &events, NULL);
    download_ops.fresh(b.running, NULL, "early");
    assert_non_null(b.running);
    download_ops.free(b.running);
    run();
    expect(RUN_OK, "2 files, ");
}

static void images_and_sounds_have_their_own_kind(void **state)
{
    (void)state;
    set_task("endpoint", "reference2image");
    set_one("/kind/png", "", "/kind/jpg/c");
    run();
    expect(RUN_OK, "1 file, "); /* an image is its own cover */
    assert_file(0, "image", "2026-11/A cat [vidu-t3k9].png");
    set_task("endpoint", "text2audio");
    set_one("/kind/mp3", "", "");
    run();
    assert_file(0, "audio", "2026-11/A cat [vidu-t3k9].mp3");
    set_task("endpoint", "audio-tts"); /* the endpoint counts, not what the URL ends in */
    set_one("/kind/wav/a.mp4", "", "");
    run();
    assert_file(0, "audio", "2026-11/A cat [vidu-t3k9].wav");
    set_task("endpoint", "img2video");
    set_one("/kind/wav/a.wav?x=.mp4", "", "");
    run();
    assert_file(0, "audio", "2026-11/A cat [vidu-t3k9].wav");
}

static void strangers_choose_no_directory(void **state)
{
    static const struct {
        const char *prompt, *name;
    } rows[] = {
        {"../../etc/passwd", NULL},
        {"/etc/cron.d/x", NULL},
        {".hidden", NULL},
        {"", "2026-11/img2video [vidu-t3k9].mp4"},
        {"\xe7\x8c\xab", "2026-11/\xe7\x8c\xab [vidu-t3k9].mp4"},
        {"v1.5 beta", "2026-11/v1.5 beta [vidu-t3k9].mp4"},
        {"a\nb\x1b[31m", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autofree char *inside = mem_printf("%s/media/2026-11/", b.dir);
        const char *path;

        set_task("prompt", rows[i].prompt);
        set_one("/good/v", "", "");
        run();
        expect(RUN_OK, "1 file, ");
        path = json_string_value(json_object_get(json_array_get(b.files, 0), "path"));
        assert_true(str_starts(path, inside));
        assert_null(strchr(path + strlen(inside), '/'));
        assert_true(path[strlen(inside)] != '.');
        if (rows[i].name != NULL)
            assert_file(0, "video", rows[i].name);
    }
}

static void a_long_prompt_makes_no_long_name(void **state)
{
    autofree char *prompt = mem_calloc(5001, 1);
    const char *path;

    (void)state;
    memset(prompt, 'x', 5000);
    set_task("prompt", prompt);
    set_one("/good/v", "", "/kind/jpg/c");
    run();
    expect(RUN_OK, "2 files, ");
    path = json_string_value(json_object_get(json_array_get(b.files, 0), "path"));
    assert_int_equal(strlen(strrchr(path, '/') + 1), 120 + strlen(" [vidu-t3k9].mp4"));
}

static void an_odd_task_id_is_refused(void **state)
{
    static const char *const ids[] = {"", "a/b", "..", "a b", "a\n"};

    (void)state;
    set_one("/good/v", "", "");
    for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
        set_task("id", ids[i]);
        run();
        expect(RUN_FATAL, "id");
    }
}

static void the_month_is_the_task_s(void **state)
{
    char month[8];
    static const char *const odd[] = {"", "yesterday", "2026-1", "../../../x", "2026-11"};

    (void)state;
    download_month(b.context, month);
    assert_string_equal(month, "2026-11");
    clock_freeze(1000, 1746533400000);
    for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
        set_task("created_at", odd[i]);
        download_month(b.context, month);
        assert_string_equal(month, "2025-05");
    }
    clock_freeze(-1, -1);
}

static void a_link_for_the_month_is_not_followed(void **state)
{
    autofree char *media = mem_printf("%s/media", b.dir);
    autofree char *month = mem_printf("%s/2026-11", media);

    (void)state;
    assert_int_equal(mkdir(media, 0755), 0);
    assert_int_equal(symlink("/tmp", month), 0);
    set_one("/good/v", "", "");
    run();
    expect(RUN_FAILED, "2026-11");
}

static void a_directory_that_cannot_be_is_told(void **state)
{
    (void)state;
    set_one("/good/v", "", "");
    json_object_set_new(b.action, "dir", json_string("/proc/nothing/here"));
    run();
    expect(RUN_FAILED, "/proc/nothing");
    json_object_set_new(b.action, "dir", json_string("media"));
    run();
    expect(RUN_FAILED, "not an absolute directory");
}

static void a_full_disk_means_again(void **state)
{
    (void)state;
    b.env.keep_free = UINT64_MAX / 2;
    set_one("/good/v", "", "");
    run();
    expect(RUN_AGAIN, "no room for the file: 300000 bytes to come, and fetch.keep_free is");
}

static void sizes_are_limited_by_the_action(void **state)
{
    (void)state;
    json_object_set_new(b.action, "max_size", json_integer(1000));
    set_one("/good/v", "", "");
    run();
    expect(RUN_FAILED, "size");
}

static void the_time_is_limited_by_the_action(void **state)
{
    (void)state;
    json_object_set_new(b.action, "timeout_ms", json_integer(300));
    set_one("/stall/v", "", "");
    run();
    expect(RUN_AGAIN, "timed out");
}

static void a_stopped_download_keeps_its_part(void **state)
{
    autofree char *part = mem_printf("%s/media/2026-11/.A cat [vidu-t3k9].mp4.part", b.dir);

    (void)state;
    b.stop_at_progress = true;
    set_one("/stall/x", "", "");
    run();
    expect(RUN_AGAIN, "stopped with the daemon");
    assert_int_equal(json_array_size(b.files), 0);
    assert_int_equal(access(part, F_OK), 0);
    set_one("/good/x", "", "");
    run();
    expect(RUN_OK, "1 file, ");
    assert_int_equal(access(part, F_OK), -1);
}

static void old_parts_are_swept(void **state)
{
    autofree char *month = mem_printf("%s/media/2026-11", b.dir);
    static const char *const names[] = {".old.mp4.part", ".old.mp4.part.meta", ".young.mp4.part",
                                        "old.part", ".other"};
    static const struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};

    (void)state;
    assert_int_equal(fs_mkdirs(month, 0755, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        autofree char *path = fs_join(month, names[i]);

        assert_int_equal(fs_create_file(path, "x", 1, 0600, NULL), 0);
        if (i != 2)
            assert_int_equal(utimensat(AT_FDCWD, path, old, 0), 0);
    }
    set_one("/good/v", "", "");
    run();
    expect(RUN_OK, "1 file, ");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        autofree char *path = fs_join(month, names[i]);

        assert_int_equal(access(path, F_OK) == 0, i >= 2);
    }
    assert_int_equal(b.sweep.n, 1);
}

static void want(const char *option)
{
    json_object_set_new(b.action, option, json_true());
}

static void set_layout(const char *layout)
{
    json_object_set_new(b.action, "layout", json_string(layout));
}

static char *read_media(const char *name)
{
    autofree char *path = mem_printf("%s/media/%s", b.dir, name);
    char *text;
    size_t n;

    assert_int_equal(fs_read_file(path, 1 << 20, &text, &n, NULL), 0);
    return text;
}

static void everything_stands_beside_a_video(void **state)
{
    autofree char *nfo = NULL;
    autofree char *json = NULL;
    json_t *sidecar;

    (void)state;
    want("nfo");
    want("posters");
    want("sidecar");
    set_one("/good/v?secret=1", "", "/kind/png/c");
    run();
    expect(RUN_OK, "6 files, ");
    assert_file(0, "nfo", "2026-11/A cat [vidu-t3k9].nfo");
    assert_file(1, "sidecar", "2026-11/A cat [vidu-t3k9].json");
    assert_file(2, "video", "2026-11/A cat [vidu-t3k9].mp4");
    assert_file(3, "cover", "2026-11/A cat [vidu-t3k9].png");
    assert_file(4, "poster", "2026-11/A cat [vidu-t3k9]-poster.png");
    assert_file(5, "thumb", "2026-11/A cat [vidu-t3k9]-thumb.png");
    nfo = read_media("2026-11/A cat [vidu-t3k9].nfo");
    assert_non_null(strstr(nfo, "<title>A cat</title>"));
    assert_non_null(strstr(nfo, "<premiered>2026-11-20</premiered>"));
    assert_non_null(strstr(nfo, "default=\"true\">t3k9</uniqueid>"));
    json = read_media("2026-11/A cat [vidu-t3k9].json");
    assert_null(strstr(json, "secret"));
    sidecar = json_loads(json, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json_object_get(sidecar, "task"), "id")),
                        "t3k9");
    json_decref(sidecar);
    run(); /* again, with everything there */
    expect(RUN_OK, "6 files, ");
    assert_null(strchr(b.detail, ';'));
}

static void a_folder_for_each_creation(void **state)
{
    (void)state;
    want("nfo");
    want("posters");
    set_layout("folder");
    set_result(json_pack("[o, o]", creation("/good/1", "", "/kind/jpg/1"),
                         creation("/good/2?seed=2", "", "")));
    run();
    expect(RUN_OK, "8 files, ");
    assert_file(0, "nfo", "A cat [vidu-t3k9]/A cat [vidu-t3k9].nfo");
    assert_file(1, "video", "A cat [vidu-t3k9]/A cat [vidu-t3k9].mp4");
    assert_file(2, "cover", "A cat [vidu-t3k9]/A cat [vidu-t3k9].jpg");
    assert_file(5, "poster", "A cat [vidu-t3k9]/poster.jpg");
    assert_file(6, "nfo", "A cat [vidu-t3k9-c2]/A cat [vidu-t3k9-c2].nfo");
    assert_file(7, "video", "A cat [vidu-t3k9-c2]/A cat [vidu-t3k9-c2].mp4");
}

static void a_folder_for_nothing_goes_again(void **state)
{
    autofree char *media = mem_printf("%s/media", b.dir);
    autofree char *folder = mem_printf("%s/A cat [vidu-t3k9]", media);
    autofree char *mine = mem_printf("%s/mine", folder);

    (void)state;
    set_layout("folder");
    set_one("/status/401?after=9", "", "");
    run();
    expect(RUN_FAILED, "status 401");
    assert_int_equal(access(media, F_OK), 0);
    assert_int_equal(access(folder, F_OK), -1);
    assert_int_equal(mkdir(folder, 0755), 0);
    run(); /* somebody else's */
    assert_int_equal(access(folder, F_OK), 0);
    assert_int_equal(rmdir(folder), 0);
    b.stop_at_progress = true;
    set_one("/stall/x", "", "");
    run();
    assert_int_equal(access(folder, F_OK), 0); /* the part is in it */
}

static json_t *creations(int n, int first_seed)
{
    json_t *many = json_array();

    for (int i = 0; i < n; i++) {
        autofree char *path = mem_printf("/good/%d?seed=%d", i, first_seed + i);

        json_array_append_new(many, creation(path, "", ""));
    }
    return many;
}

static void results_that_are_too_many_are_told(void **state)
{
    (void)state;
    json_object_set_new(b.action, "cover", json_false());
    set_result(creations(18, 0));
    run();
    expect(RUN_OK, "16 files, ");
    expect(RUN_OK, "; of 18 results only 16 were fetched");
}

static void notes_that_are_too_many_are_told(void **state)
{
    char prompt[200];

    (void)state;
    memset(prompt, 'x', sizeof(prompt) - 1);
    prompt[sizeof(prompt) - 1] = '\0';
    set_task("prompt", prompt);
    for (int i = 0; i < 2; i++) {
        set_result(creations(16, 16 * i));
        run();
    }
    expect(RUN_OK, "; other bytes had the name already, so it is xxx");
    expect(RUN_OK, "; and more that is not told here");
}

static void a_template_names_folders_and_title(void **state)
{
    (void)state;
    set_layout("{task.model}/{task.provider}/{task.prompt} by {task.endpoint}");
    set_task("model", "../viduq3");
    set_task("provider", "Trailers");
    set_one("/good/v", "", "");
    run();
    expect(RUN_OK, "1 file, ");
    assert_file(0, "video", "viduq3/Trailers_/A cat by img2video [vidu-t3k9].mp4");
}

static void files_and_folders_get_the_mode(void **state)
{
    autofree char *folder = mem_printf("%s/media/2026-11", b.dir);
    struct stat st;

    (void)state;
    wanted_mode = 0660; /* what the umask would take away */
    want("nfo");
    want("posters");
    json_object_set_new(b.action, "mode", json_integer(0660));
    set_one("/good/v", "", "/kind/jpg/c");
    run();
    expect(RUN_OK, "5 files, ");
    assert_file(0, "nfo", "2026-11/A cat [vidu-t3k9].nfo");
    assert_file(1, "video", "2026-11/A cat [vidu-t3k9].mp4");
    assert_file(4, "thumb", "2026-11/A cat [vidu-t3k9]-thumb.jpg");
    assert_int_equal(stat(folder, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0770);
    wanted_mode = 0644;
}

/* What stands there under our names, by whomever, stays; and what belongs together is called so. */
static void nothing_is_overwritten(void **state)
{
    autofree char *month = mem_printf("%s/media/2026-11", b.dir);
    static const char *const names[] = {"A cat [vidu-t3k9].mp4", "A cat [vidu-t3k9].nfo",
                                        "A cat [vidu-t3k9]-2-thumb.jpg"};

    (void)state;
    want("nfo");
    want("posters");
    assert_int_equal(fs_mkdirs(month, 0755, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        autofree char *path = fs_join(month, names[i]);

        assert_int_equal(fs_create_file(path, "mine", 4, 0644, NULL), 0);
    }
    set_one("/good/v", "", "/kind/jpg/c");
    run();
    expect(RUN_OK, "other bytes had the name already, so it is A cat [vidu-t3k9]-2.mp4");
    expect(RUN_OK, "A cat [vidu-t3k9]-2-thumb.jpg: another one is there and stays");
    assert_file(0, "nfo", "2026-11/A cat [vidu-t3k9]-2.nfo");
    assert_file(1, "video", "2026-11/A cat [vidu-t3k9]-2.mp4");
    assert_file(2, "cover", "2026-11/A cat [vidu-t3k9]-2.jpg");
    assert_file(3, "poster", "2026-11/A cat [vidu-t3k9]-2-poster.jpg");
    assert_int_equal(json_array_size(b.files), 4);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        autofree char *name = mem_printf("2026-11/%s", names[i]);
        autofree char *text = read_media(name);

        assert_string_equal(text, "mine");
    }
}

/* A kill between the two leaves the temporary file, and the next attempt is not held up by it. */
static void a_description_that_was_cut_off_is_written_again(void **state)
{
    autofree char *month = mem_printf("%s/media/2026-11", b.dir);
    autofree char *temp = fs_join(month, ".A cat [vidu-t3k9].nfo.part");

    (void)state;
    want("nfo");
    assert_int_equal(fs_mkdirs(month, 0755, NULL), 0);
    assert_int_equal(fs_create_file(temp, "<?xm", 4, 0600, NULL), 0);
    set_one("/good/v", "", "");
    run();
    expect(RUN_OK, "2 files, ");
    assert_file(0, "nfo", "2026-11/A cat [vidu-t3k9].nfo");
    assert_int_equal(access(temp, F_OK), -1);
}

/* A video that a server sees has its description: the name it gets is the last thing to happen. */
static void a_video_that_does_not_come_has_no_description(void **state)
{
    (void)state;
    want("nfo");
    set_one("/status/500", "", "");
    run();
    expect(RUN_AGAIN, "status 500");
    assert_int_equal(json_array_size(b.files), 0);
    set_task("endpoint", "reference2image");
    set_one("/kind/png", "", "");
    run();
    expect(RUN_OK, "1 file, ");
}

static int set_up(void **state)
{
    struct client_policy p = {
        .public_only = true, .allow_http = true, .max_transfers = 8, .redirects = 3, .n_rules = 1};
    autofree char *rule = mem_printf("127.0.0.1:%d", b.server.port);
    autofree char *media = NULL;
    struct file_server server = b.server;

    (void)state;
    b = (struct bench){.server = server, .descriptors = open_descriptors()};
    snprintf(b.dir, sizeof(b.dir), "/tmp/test_download.XXXXXX");
    if (mkdtemp(b.dir) == NULL || address_rule_parse(rule, &p.rules[0], NULL) < 0)
        return -1;
    media = mem_printf("%s/media", b.dir);
    b.base = event_base_new();
    b.client = client_new(b.base, &p, NULL);
    b.env = (struct action_env){.base = b.base, .client = b.client, .sweep = &b.sweep};
    b.action = json_pack("{s:s, s:s, s:b, s:s}", "kind", "download", "dir", media, "cover", 1,
                         "watermarked", "no");
    b.context = json_pack("{s:{s:s, s:s, s:s, s:s}, s:[], s:[]}", "task", "id", "t3k9", "prompt",
                          "A cat", "endpoint", "img2video", "created_at",
                          "2026-11-20T17:05:27.123Z", "result", "files");
    return b.action == NULL || b.context == NULL;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int tear_down(void **state)
{
    (void)state;
    client_free(b.client);
    event_base_free(b.base);
    json_decref(b.action);
    json_decref(b.context);
    json_decref(b.files);
    json_decref(b.fresh);
    nftw(b.dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return open_descriptors() == b.descriptors ? 0 : -1;
}

static int start_all(void **state)
{
    (void)state;
    umask(022);
    return file_server_start(&b.server, NULL);
}

static int stop_all(void **state)
{
    (void)state;
    file_server_stop(&b.server);
    return 0;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(everything_wanted_arrives_in_order),
        TEST(only_what_is_wanted_is_fetched),
        TEST(every_creation_has_its_own_name),
        TEST(a_video_without_its_cover_is_worth_having),
        TEST(an_expired_cover_does_not_fail_the_run),
        TEST(failures_have_their_outcome),
        TEST(a_failed_copy_fails_the_run_but_not_the_video),
        TEST(the_watermarked_copy_takes_the_place_of_the_plain_one),
        TEST(what_is_there_is_not_fetched_again),
        TEST(an_expired_url_is_asked_for_and_resumed),
        TEST(urls_are_asked_for_three_times_at_most),
        TEST(a_result_without_url_is_asked_for),
        TEST(without_an_answer_the_run_comes_again),
        TEST(an_answer_nobody_waits_for_is_dropped),
        TEST(images_and_sounds_have_their_own_kind),
        TEST(strangers_choose_no_directory),
        TEST(a_long_prompt_makes_no_long_name),
        TEST(an_odd_task_id_is_refused),
        TEST(the_month_is_the_task_s),
        TEST(a_link_for_the_month_is_not_followed),
        TEST(a_directory_that_cannot_be_is_told),
        TEST(a_full_disk_means_again),
        TEST(sizes_are_limited_by_the_action),
        TEST(the_time_is_limited_by_the_action),
        TEST(a_stopped_download_keeps_its_part),
        TEST(old_parts_are_swept),
        TEST(everything_stands_beside_a_video),
        TEST(a_folder_for_each_creation),
        TEST(a_folder_for_nothing_goes_again),
        TEST(results_that_are_too_many_are_told),
        TEST(notes_that_are_too_many_are_told),
        TEST(a_template_names_folders_and_title),
        TEST(files_and_folders_get_the_mode),
        TEST(nothing_is_overwritten),
        TEST(a_description_that_was_cut_off_is_written_again),
        TEST(a_video_that_does_not_come_has_no_description),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
