/* SPDX-License-Identifier: MIT */
#include "http/fetch.h"

#include "base/clock.h"
#include "base/encode.h"
#include "base/fs.h"
#include "tests/unit/http/file_server.h"
#include "vidu/crypto.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cmocka.h>

#define SIZE 300000

/* Faults of the file system come from here: these take the place of the library's. */
static int fault_fallocate, fault_renameat2, fault_fsync;

int fallocate(int fd, int mode, off_t from, off_t n)
{
    (void)mode;
    (void)from;
    (void)n;
    errno = fault_fallocate != 0 ? fault_fallocate : EOPNOTSUPP;
    return fd < 0 ? -1 : -1;
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    if (fault_renameat2 != 0) {
        errno = fault_renameat2;
        return -1;
    }
    assert_int_equal(flags, RENAME_NOREPLACE);
    if (faccessat(to_fd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
        errno = EEXIST;
        return -1;
    }
    return renameat(from_fd, from, to_fd, to);
}

/* Given once, as the kernel does. */
static int fault_fdatasync, fault_writeback;
static int writebacks;
static int64_t writeback_from, writeback_until;
static bool writeback_gap;

int fdatasync(int fd)
{
    errno = fault_fdatasync;
    fault_fdatasync = 0;
    return errno != 0 ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int sync_file_range(int fd, off_t from, off_t n, unsigned flags)
{
    assert_true(fd >= 0);
    assert_true(n > 0);
    assert_int_equal(flags, SYNC_FILE_RANGE_WRITE);
    if (writebacks++ == 0)
        writeback_from = from;
    else
        writeback_gap = writeback_gap || from != writeback_until;
    writeback_until = from + n;
    errno = fault_writeback;
    fault_writeback = 0;
    return errno != 0 ? -1 : 0;
}

int fsync(int fd)
{
    if (fault_fsync != 0) {
        errno = fault_fsync;
        return -1;
    }
    return fdatasync(fd);
}

/* Somebody else publishes the part and begins a new one, between our open and our lock. */
static int part_swaps;
static int swap_dir_fd;

int flock(int fd, int operation)
{
    if (part_swaps > 0) {
        part_swaps--;
        renameat(swap_dir_fd, ".clip.mp4.part", swap_dir_fd, ".published");
        close(openat(swap_dir_fd, ".clip.mp4.part", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    }
    return (int)syscall(SYS_flock, fd, operation);
}

struct bench {
    struct file_server server;
    struct event_base *base;
    struct client *client;
    char dir[64];
    int dir_fd;
    struct fetch_outcome last;
    int dones, running, progress, visible_before;
    bool seen_partial, bad_progress;
    bool cancel_at_progress;
};

static struct bench bench;

/* The generator of file_server.py, again. */
static char *content(size_t size, unsigned seed)
{
    static const char head[] = "\0\0\0\x20"
                               "ftypisom\0\0\2";
    char *p = mem_calloc(size + 1, 1);

    for (size_t i = 0; i < size; i++) {
        size_t at = (i - sizeof(head)) % 4096;

        p[i] = (char)(i < sizeof(head) ? (unsigned char)head[i]
                                       : (unsigned)(at * 31 + (at >> 8) * seed * 7) & 0xff);
    }
    return p;
}

static int visible_files(void)
{
    DIR *d = opendir(bench.dir);
    const struct dirent *e;
    int n = 0;

    while ((e = readdir(d)) != NULL)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}

static bool exists(const char *name)
{
    return faccessat(bench.dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void on_progress(struct fetch *f, uint64_t done, uint64_t total, void *ctx)
{
    (void)ctx;
    bench.seen_partial = bench.seen_partial || visible_files() != bench.visible_before;
    bench.bad_progress = bench.bad_progress || (total != 0 && done > total);
    bench.progress++;
    if (!bench.cancel_at_progress)
        return;
    fetch_cancel(f);
    event_base_loopbreak(bench.base);
}

static void on_done(struct fetch *f, const struct fetch_outcome *o, void *ctx)
{
    (void)f;
    (void)ctx;
    bench.last = *o;
    bench.dones++;
    if (--bench.running == 0)
        event_base_loopbreak(bench.base);
}

static char named[512]; /* what files were about to be called */

static void on_naming(struct fetch *f, const char *name, void *ctx)
{
    (void)f;
    (void)ctx;
    assert_int_equal(faccessat(bench.dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW), -1);
    assert_true(strlen(named) + strlen(name) + 2 < sizeof(named));
    strcat(strcat(named, name), " ");
}

static const struct fetch_ops ops = {
    .on_progress = on_progress, .on_naming = on_naming, .on_done = on_done};

static struct fetch_request request_for(const char *path, const char *name)
{
    static char url[512];

    snprintf(url, sizeof(url), "http://127.0.0.1:%d%s", bench.server.port, path);
    return (struct fetch_request){.url = url,
                                  .dir_fd = bench.dir_fd,
                                  .name = name,
                                  .kind = FETCH_VIDEO,
                                  .max_size = 10 << 20,
                                  .mode = 0640,
                                  .timeout_ms = 10000};
}

static void start(const struct fetch_request *req)
{
    struct err err;

    if (fetch_start(bench.client, req, &ops, NULL, &err) == NULL)
        fail_msg("%s", err.text);
    bench.running++;
}

static void wait_all(void)
{
    struct timeval limit = {.tv_sec = 20};

    bench.visible_before = visible_files();
    event_base_loopexit(bench.base, &limit);
    event_base_dispatch(bench.base);
    assert_false(bench.seen_partial);
    assert_false(bench.bad_progress);
}

static const struct fetch_outcome *run(const struct fetch_request *req)
{
    bench.dones = 0;
    start(req);
    wait_all();
    assert_int_equal(bench.dones, 1);
    return &bench.last;
}

static const struct fetch_outcome *get(const char *path)
{
    struct fetch_request req = request_for(path, "clip.mp4");

    return run(&req);
}

static void assert_file(const char *name, size_t size, unsigned seed)
{
    autofree char *path = fs_join(bench.dir, name);
    autofree char *want = content(size, seed);
    autofree char *got = NULL;
    char hex[SHA256_HEX_LEN + 1];
    uint8_t digest[SHA256_LEN];
    struct err err;
    struct stat st;
    size_t n;

    if (fs_read_file(path, 100 << 20, &got, &n, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(n, size);
    assert_memory_equal(got, want, size);
    crypto_sha256(want, size, digest);
    encode_hex(digest, SHA256_LEN, hex);
    assert_string_equal(bench.last.sha256, hex);
    assert_int_equal(bench.last.bytes, size);
    assert_string_equal(bench.last.name, name);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    assert_int_equal(st.st_nlink, 1);
}

static void assert_no_litter(void)
{
    DIR *d = opendir(bench.dir);
    const struct dirent *e;

    while ((e = readdir(d)) != NULL)
        if (strstr(e->d_name, ".part") != NULL)
            fail_msg("left behind: %s", e->d_name);
    closedir(d);
}

static void expect(const struct fetch_outcome *o, enum fetch_result result)
{
    if (o->result != result)
        fail_msg("result %d instead of %d: %s", o->result, result, o->detail);
    if (result != FETCH_OK) {
        assert_string_not_equal(o->detail, "");
        assert_null(strchr(o->detail, '?'));
    }
}

static void a_file_arrives_whole(void **state)
{
    (void)state;
    expect(get("/good/whole"), FETCH_OK);
    assert_file("clip.mp4", SIZE, 1);
    assert_no_litter();
    assert_false(bench.last.existed);
    assert_int_equal(bench.last.resumed_at, 0);
    assert_int_equal(bench.last.http_status, 200);
}

static void a_chunked_file_arrives_whole(void **state)
{
    (void)state;
    expect(get("/chunked"), FETCH_OK);
    assert_file("clip.mp4", SIZE, 1);
}

/* Breaks off in the middle, keeps the part, and the next call asks for the rest only. */
static void resumes(const char *path)
{
    const struct fetch_outcome *o = get(path);

    expect(o, FETCH_AGAIN);
    assert_true(exists(".clip.mp4.part"));
    assert_int_equal(visible_files(), 0);
    assert_true(o->bytes > 0 && o->bytes < SIZE);
    o = get(path);
    expect(o, FETCH_OK);
    assert_true(o->resumed_at > 0);
    assert_int_equal(o->http_status, 206);
    assert_file("clip.mp4", SIZE, 1);
    assert_no_litter();
}

static void a_short_body_is_resumed(void **state)
{
    (void)state;
    resumes("/halves/short");
}

static void a_cut_chunked_body_is_resumed(void **state)
{
    (void)state;
    resumes("/chunkcut/fetch");
}

static void an_old_date_is_a_strong_validator(void **state)
{
    (void)state;
    resumes("/dated");
}

/* What arrives before a reset depends on the moment; the end does not. */
static void a_reset_costs_nothing_but_time(void **state)
{
    (void)state;
    expect(get("/reset/fetch"), FETCH_AGAIN);
    expect(get("/reset/fetch"), FETCH_OK);
    assert_file("clip.mp4", SIZE, 1);
}

/* The first half is there, the second answer does not fit it: all of it is fetched anew. */
static void starts_over(const char *path, unsigned seed)
{
    const struct fetch_outcome *o = get(path);

    expect(o, FETCH_AGAIN);
    assert_true(exists(".clip.mp4.part"));
    o = get(path);
    expect(o, FETCH_OK);
    assert_int_equal(o->resumed_at, 0);
    assert_file("clip.mp4", SIZE, seed);
    assert_no_litter();
}

static void another_version_starts_over(void **state)
{
    (void)state;
    starts_over("/changed", 2);
}

static void another_version_is_noticed_in_a_206_too(void **state)
{
    (void)state;
    starts_over("/changed206", 2);
}

static void a_wrong_range_starts_over(void **state)
{
    (void)state;
    starts_over("/badstart", 1);
}

static void a_wrong_total_starts_over(void **state)
{
    (void)state;
    starts_over("/badtotal", 1);
}

static void a_206_without_range_starts_over(void **state)
{
    (void)state;
    starts_over("/unranged", 1);
}

static void a_200_to_a_range_starts_over(void **state)
{
    (void)state;
    starts_over("/ignores", 1);
}

/* Where the rest ends would say nothing about where the file does. */
static void a_rest_of_an_unknown_whole_starts_over(void **state)
{
    (void)state;
    starts_over("/sizeless", 1);
}

static void an_unknown_total_is_no_obstacle(void **state)
{
    (void)state;
    resumes("/starred");
}

static void a_server_may_send_it_bit_by_bit(void **state)
{
    (void)state;
    expect(get("/bits"), FETCH_AGAIN);
    expect(get("/bits"), FETCH_AGAIN);
    assert_int_equal(bench.last.bytes, SIZE / 2 + 100000);
    assert_int_equal(visible_files(), 0);
    expect(get("/bits"), FETCH_OK);
    assert_file("clip.mp4", SIZE, 1);
}

static void a_416_starts_over(void **state)
{
    (void)state;
    starts_over("/416", 1);
}

/* Weak and young validators name no bytes: nothing is kept. */
static void without_a_strong_validator_nothing_is_kept(void **state)
{
    static const char *const paths[] = {"/weak", "/bare", "/fresh_date"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        expect(get(paths[i]), FETCH_AGAIN);
        assert_no_litter();
        expect(get(paths[i]), FETCH_OK);
        assert_file("clip.mp4", SIZE, 1);
        assert_int_equal(unlinkat(bench.dir_fd, "clip.mp4", 0), 0);
    }
}

static void an_unasked_206_is_not_believed(void **state)
{
    (void)state;
    expect(get("/odd206"), FETCH_AGAIN);
    assert_no_litter();
}

static void put(const char *name, const void *p, size_t n)
{
    autoclose int fd = openat(bench.dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(fs_write_all(fd, p, n), 0);
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static void put_part(size_t size, const char *meta)
{
    autofree char *bytes = content(size, 1);

    put(".clip.mp4.part", bytes, size);
    if (meta != NULL)
        put_text(".clip.mp4.part.meta", meta);
}

/* The daemon died between the last byte and the name. */
static void a_complete_part_is_published_after_a_look(void **state)
{
    const struct fetch_outcome *o;

    (void)state;
    put_part(SIZE, "viduhook-part 1\n300000\n300000\n\"one\"\n");
    o = get("/good/complete");
    expect(o, FETCH_OK);
    assert_int_equal(o->http_status, 416);
    assert_file("clip.mp4", SIZE, 1);
    assert_no_litter();
}

/* Bytes behind the last sync may be anything after a power cut. */
static void only_synced_bytes_are_resumed(void **state)
{
    autofree char *bytes = content(SIZE, 1);
    const struct fetch_outcome *o;

    (void)state;
    memset(bytes + 100000, 0, 50000);
    put(".clip.mp4.part", bytes, 150000);
    put_text(".clip.mp4.part.meta", "viduhook-part 1\n100000\n300000\n\"one\"\n");
    o = get("/good/synced");
    expect(o, FETCH_OK);
    assert_int_equal(o->resumed_at, 100000);
    assert_file("clip.mp4", SIZE, 1);
}

static void doubtful_parts_are_thrown_away(void **state)
{
    static const char *const metas[] = {
        NULL,
        "",
        "viduhook-part 1\n",
        "viduhook-part 2\n1000\n300000\n\"one\"\n",
        "viduhook-part 1\n0\n300000\n\"one\"\n",
        "viduhook-part 1\n1001\n300000\n\"one\"\n",
        "viduhook-part 1\n1000\n999\n\"one\"\n",
        "viduhook-part 1\n1000\n300000\n\n",
        "viduhook-part 1\n1000\n300000\n\"one\"",
        "viduhook-part 1\n-5\n300000\n\"one\"\n",
        "viduhook-part 1\n99999999999999999999\n300000\n\"one\"\n",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(metas); i++) {
        const struct fetch_outcome *o;

        put_part(1000, metas[i]);
        o = get("/good/doubt");
        expect(o, FETCH_OK);
        assert_int_equal(o->resumed_at, 0);
        assert_file("clip.mp4", SIZE, 1);
        assert_no_litter();
        assert_int_equal(unlinkat(bench.dir_fd, "clip.mp4", 0), 0);
    }
}

static void links_in_the_place_of_the_part_are_not_followed(void **state)
{
    autofree char *victim = fs_join(bench.dir, "../victim");
    autofree char *text = NULL;
    size_t n;

    (void)state;
    put("../victim", "precious", 8);
    assert_int_equal(symlinkat("../victim", bench.dir_fd, ".clip.mp4.part"), 0);
    assert_int_equal(symlinkat("../victim", bench.dir_fd, ".clip.mp4.part.meta"), 0);
    expect(get("/good/link"), FETCH_OK);
    assert_file("clip.mp4", SIZE, 1);
    assert_no_litter();
    assert_int_equal(linkat(bench.dir_fd, "../victim", bench.dir_fd, ".clip.mp4.part", 0), 0);
    expect(get("/good/link"), FETCH_OK);
    assert_int_equal(mkfifoat(bench.dir_fd, ".clip.mp4.part", 0600), 0);
    expect(get("/good/link"), FETCH_OK);
    assert_no_litter();
    assert_int_equal(fs_read_file(victim, 100, &text, &n, NULL), 0);
    assert_string_equal(text, "precious");
    unlink(victim);
}

static void the_same_bytes_are_taken_as_done(void **state)
{
    (void)state;
    expect(get("/good/twice"), FETCH_OK);
    expect(get("/good/twice"), FETCH_OK);
    assert_true(bench.last.existed);
    assert_file("clip.mp4", SIZE, 1);
    assert_int_equal(visible_files(), 1);
    assert_no_litter();
}

/* So that what belongs beside a file can be there first. */
static void a_name_is_told_before_it_is_seen(void **state)
{
    (void)state;
    expect(get("/good/a"), FETCH_OK);
    expect(get("/good/a"), FETCH_OK);
    assert_true(bench.last.existed);
    assert_string_equal(named, "clip.mp4 ");
    expect(get("/good/b?seed=2"), FETCH_OK);
    assert_string_equal(named, "clip.mp4 clip-2.mp4 ");
    expect(get("/garbage"), FETCH_BAD);
    assert_string_equal(named, "clip.mp4 clip-2.mp4 ");
}

static void other_bytes_get_another_name(void **state)
{
    (void)state;
    expect(get("/good/a"), FETCH_OK);
    expect(get("/good/b?seed=2"), FETCH_OK);
    assert_file("clip-2.mp4", SIZE, 2);
    expect(get("/good/c?seed=3"), FETCH_OK);
    assert_file("clip-3.mp4", SIZE, 3);
    expect(get("/good/b?seed=2"), FETCH_OK);
    assert_true(bench.last.existed);
    assert_file("clip-2.mp4", SIZE, 2);
    assert_int_equal(visible_files(), 3);
}

static void what_is_no_file_is_never_taken_for_one(void **state)
{
    (void)state;
    assert_int_equal(mkdirat(bench.dir_fd, "clip.mp4", 0755), 0);
    assert_int_equal(symlinkat("/etc/passwd", bench.dir_fd, "clip-2.mp4"), 0);
    assert_int_equal(mkfifoat(bench.dir_fd, "clip-3.mp4", 0644), 0);
    expect(get("/good/nofile"), FETCH_OK);
    assert_file("clip-4.mp4", SIZE, 1);
}

static void file_systems_without_noreplace_work_too(void **state)
{
    (void)state;
    fault_renameat2 = EINVAL;
    expect(get("/good/a"), FETCH_OK);
    assert_file("clip.mp4", SIZE, 1);
    expect(get("/good/a"), FETCH_OK);
    assert_true(bench.last.existed);
    expect(get("/good/b?seed=2"), FETCH_OK);
    assert_file("clip-2.mp4", SIZE, 2);
    assert_no_litter();
    fault_renameat2 = 0;
}

static void a_failed_sync_publishes_nothing(void **state)
{
    (void)state;
    fault_fsync = EIO;
    expect(get("/good/sync"), FETCH_AGAIN);
    fault_fsync = 0;
    assert_int_equal(visible_files(), 0);
    assert_no_litter();
}

static const struct fetch_outcome *get_large(const char *path)
{
    struct fetch_request req = request_for(path, "clip.mp4");

    req.max_size = 100 << 20;
    writebacks = 0;
    writeback_gap = false;
    return run(&req);
}

static void the_disk_starts_while_bytes_arrive(void **state)
{
    (void)state;
    expect(get_large("/good/early?size=3500000"), FETCH_OK);
    assert_file("clip.mp4", 3500000, 1);
    assert_int_equal(writeback_from, 0);
    assert_int_equal(writeback_until, 3 << 20);
    assert_true(writebacks >= 2);
    assert_false(writeback_gap);
    assert_int_equal(unlinkat(bench.dir_fd, "clip.mp4", 0), 0);
    expect(get_large("/halves/early?size=5000000"), FETCH_AGAIN);
    expect(get_large("/halves/early?size=5000000"), FETCH_OK);
    assert_int_equal(writeback_from, 2500000); /* not again what is safe already */
    assert_file("clip.mp4", 5000000, 1);
}

static void a_disk_that_cannot_start_early_is_good_enough(void **state)
{
    (void)state;
    fault_writeback = ENOSYS;
    expect(get_large("/good/late?size=3500000"), FETCH_OK);
    assert_file("clip.mp4", 3500000, 1);
}

/* The next sync would succeed, and vouch for bytes that the disk does not have. */
static void what_the_disk_lost_is_fetched_again(void **state)
{
    static const struct {
        int *fault, error;
        enum fetch_result result;
    } losses[] = {
        {&fault_writeback, EIO, FETCH_AGAIN},
        {&fault_writeback, ENOSPC, FETCH_FULL},
        {&fault_writeback, EDQUOT, FETCH_FULL},
        {&fault_fdatasync, EIO, FETCH_AGAIN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
        put_part(1000, "viduhook-part 1\n1000\n41943040\n\"one\"\n");
        *losses[i].fault = losses[i].error;
        expect(get_large("/good/lost?size=41943040"), losses[i].result);
        assert_int_equal(*losses[i].fault, 0);
        assert_int_equal(bench.last.bytes, 1000);
        expect(get_large("/good/lost?size=41943040"), FETCH_OK);
        assert_int_equal(bench.last.resumed_at, 1000);
        assert_file("clip.mp4", 41943040, 1);
        assert_int_equal(unlinkat(bench.dir_fd, "clip.mp4", 0), 0);
    }
    fault_fdatasync = EIO;
    expect(get_large("/good/lost?size=41943040"), FETCH_AGAIN);
    assert_no_litter();
}

static void what_is_no_video_is_refused(void **state)
{
    (void)state;
    expect(get("/garbage"), FETCH_BAD);
    assert_no_litter();
    expect(get("/empty"), FETCH_BAD);
    assert_no_litter();
    assert_int_equal(visible_files(), 0);
}

static void images_are_named_by_what_they_are(void **state)
{
    static const struct {
        enum fetch_kind kind;
        const char *path, *name;
    } rows[] = {
        {FETCH_IMAGE, "/kind/jpg", "thing.jpg"},
        {FETCH_IMAGE, "/kind/png", "thing.png"},
        {FETCH_IMAGE, "/kind/webp", "thing.webp"},
        {FETCH_IMAGE, "/kind/gif", "thing.gif"},
        {FETCH_AUDIO, "/kind/mp3", "thing.mp3"},
        {FETCH_AUDIO, "/kind/wav", "thing.wav"},
        {FETCH_AUDIO, "/kind/mp4", "thing.m4a"},
        {FETCH_ANY, "/kind/html", "thing"},
        {FETCH_AUDIO, "/kind/flac", "thing.flac"},
        {FETCH_AUDIO, "/kind/ogg", "thing.ogg"},
        {FETCH_AUDIO, "/kind/mp3-bare", "thing-2.mp3"},
        {FETCH_AUDIO, "/kind/mp3-checked", "thing-3.mp3"},
        {FETCH_AUDIO, "/kind/mp3-slow", "thing-4.mp3"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct fetch_request req = request_for(rows[i].path, "thing");

        req.kind = rows[i].kind;
        expect(run(&req), FETCH_OK);
        assert_string_equal(bench.last.name, rows[i].name);
    }
}

static void a_page_is_no_image(void **state)
{
    struct fetch_request req = request_for("/kind/html", "cover");

    (void)state;
    req.kind = FETCH_IMAGE;
    expect(run(&req), FETCH_BAD);
    assert_no_litter();
}

static void sizes_are_limited_however_they_are_told(void **state)
{
    struct fetch_request req = request_for("/endless", "clip.mp4");

    (void)state;
    req.max_size = 1 << 20;
    expect(run(&req), FETCH_BAD);
    expect(get("/huge"), FETCH_BAD);
    req = request_for("/good/large", "clip.mp4");
    req.max_size = SIZE - 1;
    expect(run(&req), FETCH_BAD);
    req.max_size = SIZE;
    expect(run(&req), FETCH_OK);
    req.max_size = SIZE - 1;
    put_part(250000, "viduhook-part 1\n250000\n0\n\"one\"\n");
    expect(run(&req), FETCH_BAD);
    expect(get("/starred/large"), FETCH_AGAIN);
    req = request_for("/starred/large", "clip.mp4");
    req.max_size = SIZE - 1;
    put_part(250000, "viduhook-part 1\n250000\n0\n\"one\"\n");
    expect(run(&req), FETCH_BAD);
    put_part(1000, "viduhook-part 1\n1000\n0\n\"one\"\n");
    req.max_size = 999;
    expect(run(&req), FETCH_BAD);
    assert_no_litter();
}

static void a_body_longer_than_it_said_is_cut_there(void **state)
{
    (void)state;
    expect(get("/long"), FETCH_OK);
    assert_file("clip.mp4", 1000, 1);
}

static void expiry_keeps_the_part(void **state)
{
    const struct fetch_outcome *o;

    (void)state;
    expect(get("/expires/half?at=0"), FETCH_EXPIRED);
    assert_no_litter();
    expect(get("/expires/other"), FETCH_AGAIN);
    o = get("/expires/other");
    expect(o, FETCH_EXPIRED);
    assert_int_equal(o->http_status, 403);
    assert_true(exists(".clip.mp4.part"));
    o = get("/expires/other?fresh=1");
    expect(o, FETCH_OK);
    assert_true(o->resumed_at > 0);
    assert_file("clip.mp4", SIZE, 1);
}

static void every_status_has_its_meaning(void **state)
{
    static const struct {
        int status;
        enum fetch_result result;
    } rows[] = {
        {204, FETCH_BAD},   {302, FETCH_BAD},     {304, FETCH_BAD},     {400, FETCH_BAD},
        {401, FETCH_BAD},   {403, FETCH_EXPIRED}, {404, FETCH_EXPIRED}, {405, FETCH_BAD},
        {408, FETCH_AGAIN}, {410, FETCH_EXPIRED}, {416, FETCH_BAD},     {425, FETCH_AGAIN},
        {429, FETCH_AGAIN}, {500, FETCH_AGAIN},   {502, FETCH_AGAIN},   {503, FETCH_AGAIN},
        {504, FETCH_AGAIN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autofree char *path = mem_printf("/status/%d?after=7", rows[i].status);

        expect(get(path), rows[i].result);
        assert_int_equal(bench.last.http_status, rows[i].status);
        assert_int_equal(bench.last.retry_after_ms, 7000);
    }
    assert_no_litter();
}

static void a_refused_address_is_final(void **state)
{
    static const char *const to[] = {"http://169.254.169.254/x?secret=1",
                                     "http://[::ffff:127.0.0.1]:1/", "http://2130706433:1/",
                                     "file:///etc/passwd"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(to); i++) {
        autofree char *path = mem_printf("/redirect?to=%s", to[i]);

        expect(get(path), FETCH_BAD);
    }
    assert_no_litter();
}

static void a_stall_ends_with_the_time(void **state)
{
    struct fetch_request req = request_for("/stall/fetch", "clip.mp4");

    (void)state;
    req.timeout_ms = 400;
    expect(run(&req), FETCH_AGAIN);
    assert_true(exists(".clip.mp4.part"));
    assert_int_equal(bench.last.bytes, SIZE / 2);
}

static void nobody_there_means_again(void **state)
{
    struct fetch_request req = request_for("/x", "clip.mp4");

    (void)state;
    req.url = "http://127.0.0.1:1/x";
    assert_true(req.timeout_ms > 0);
    expect(run(&req), FETCH_BAD); /* no rule names this port */
}

static void a_full_disk_is_known_before_it_is_full(void **state)
{
    struct fetch_request req = request_for("/good/full", "clip.mp4");

    (void)state;
    fault_fallocate = ENOSPC;
    expect(run(&req), FETCH_FULL);
    fault_fallocate = 0;
    req.keep_free = UINT64_MAX / 2;
    expect(run(&req), FETCH_FULL);
    put_part(1000, "viduhook-part 1\n1000\n300000\n\"one\"\n");
    expect(run(&req), FETCH_FULL);
    assert_true(exists(".clip.mp4.part"));
    req.url = NULL;
    req = request_for("/chunked", "clip.mp4");
    req.keep_free = UINT64_MAX;
    expect(run(&req), FETCH_FULL);
    assert_int_equal(visible_files(), 0);
}

static void two_at_once_do_not_mix(void **state)
{
    struct fetch_request req = request_for("/good/both", "clip.mp4");

    (void)state;
    bench.dones = 0;
    start(&req);
    start(&req);
    wait_all();
    assert_int_equal(bench.dones, 2);
    expect(&bench.last, FETCH_OK);
    assert_file("clip.mp4", SIZE, 1);
    assert_int_equal(visible_files(), 1);
    assert_no_litter();
}

static void a_locked_part_means_again(void **state)
{
    autoclose int fd = openat(bench.dir_fd, ".clip.mp4.part", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    (void)state;
    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    expect(get("/good/locked"), FETCH_AGAIN);
    assert_true(exists(".clip.mp4.part"));
    assert_int_equal(visible_files(), 0);
}

static void a_part_published_meanwhile_is_left_alone(void **state)
{
    autofree char *path = fs_join(bench.dir, ".published");
    autofree char *text = NULL;
    size_t n;

    (void)state;
    put(".clip.mp4.part", "finished", 8);
    swap_dir_fd = bench.dir_fd;
    part_swaps = 1;
    expect(get("/good/meanwhile"), FETCH_OK);
    assert_int_equal(part_swaps, 0);
    assert_file("clip.mp4", SIZE, 1);
    assert_int_equal(fs_read_file(path, 100, &text, &n, NULL), 0);
    assert_string_equal(text, "finished");
}

static void cancelling_keeps_the_part(void **state)
{
    struct fetch_request req = request_for("/good/cancel?size=4000000", "clip.mp4");
    struct fetch *f = fetch_start(bench.client, &req, &ops, NULL, NULL);

    (void)state;
    fetch_cancel(f);
    fetch_cancel(NULL);
    bench.dones = 0;
    bench.cancel_at_progress = true;
    assert_non_null(fetch_start(bench.client, &req, &ops, NULL, NULL));
    wait_all();
    bench.cancel_at_progress = false;
    assert_int_equal(bench.dones, 0);
    assert_true(exists(".clip.mp4.part"));
    expect(run(&req), FETCH_OK);
    assert_true(bench.last.resumed_at > 0);
    assert_file("clip.mp4", 4000000, 1);
    assert_no_litter();
}

static void a_long_part_is_hashed_in_pieces(void **state)
{
    enum { LARGE = 40 << 20 };
    struct fetch_request req = request_for("/halves/long?size=41943040", "clip.mp4");

    (void)state;
    req.max_size = 100 << 20;
    bench.progress = 0;
    expect(run(&req), FETCH_AGAIN);
    assert_true(bench.progress >= 1);
    expect(run(&req), FETCH_OK);
    assert_int_equal(bench.last.resumed_at, LARGE / 2);
    assert_file("clip.mp4", LARGE, 1);
}

static void only_plain_names_are_taken(void **state)
{
    static const char *const bad[] = {"", ".hidden", "a/b", "../x", "/x", "..", "\xff.mp4"};
    autofree char *longest = mem_calloc(300, 1);

    (void)state;
    memset(longest, 'x', 221);
    for (size_t i = 0; i <= ARRAY_LEN(bad); i++) {
        struct fetch_request req = request_for("/good/name", i < ARRAY_LEN(bad) ? bad[i] : longest);

        assert_null(fetch_start(bench.client, &req, &ops, NULL, NULL));
    }
}

static void clear_dir(void)
{
    DIR *d = opendir(bench.dir);
    const struct dirent *e;

    while ((e = readdir(d)) != NULL)
        if (!str_eq(e->d_name, ".") && !str_eq(e->d_name, ".."))
            if (unlinkat(bench.dir_fd, e->d_name, 0) < 0)
                unlinkat(bench.dir_fd, e->d_name, AT_REMOVEDIR);
    closedir(d);
}

static int set_up(void **state)
{
    struct client_policy p = {
        .public_only = true, .allow_http = true, .max_transfers = 8, .redirects = 3, .n_rules = 1};
    autofree char *rule = mem_printf("127.0.0.1:%d", bench.server.port);

    *state = (void *)(intptr_t)open_descriptors();
    if (address_rule_parse(rule, &p.rules[0], NULL) < 0)
        return -1;
    bench.running = 0;
    named[0] = '\0';
    bench.seen_partial = bench.bad_progress = false;
    bench.base = event_base_new();
    bench.client = client_new(bench.base, &p, NULL);
    bench.dir_fd = open(bench.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return bench.dir_fd < 0;
}

static int tear_down(void **state)
{
    clear_dir();
    close(bench.dir_fd);
    client_free(bench.client);
    event_base_free(bench.base);
    return open_descriptors() == (int)(intptr_t)*state ? 0 : -1;
}

static int start_all(void **state)
{
    (void)state;
    snprintf(bench.dir, sizeof(bench.dir), "/tmp/test_fetch.XXXXXX");
    if (mkdtemp(bench.dir) == NULL)
        return -1;
    strcat(bench.dir, "/d");
    return mkdir(bench.dir, 0755) < 0 || file_server_start(&bench.server, NULL) < 0;
}

static int stop_all(void **state)
{
    (void)state;
    file_server_stop(&bench.server);
    rmdir(bench.dir);
    bench.dir[strlen(bench.dir) - 2] = '\0';
    return rmdir(bench.dir);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_file_arrives_whole),
        TEST(a_chunked_file_arrives_whole),
        TEST(a_short_body_is_resumed),
        TEST(a_cut_chunked_body_is_resumed),
        TEST(an_old_date_is_a_strong_validator),
        TEST(a_reset_costs_nothing_but_time),
        TEST(another_version_starts_over),
        TEST(another_version_is_noticed_in_a_206_too),
        TEST(a_wrong_range_starts_over),
        TEST(a_wrong_total_starts_over),
        TEST(a_206_without_range_starts_over),
        TEST(a_200_to_a_range_starts_over),
        TEST(an_unknown_total_is_no_obstacle),
        TEST(a_rest_of_an_unknown_whole_starts_over),
        TEST(a_server_may_send_it_bit_by_bit),
        TEST(a_416_starts_over),
        TEST(without_a_strong_validator_nothing_is_kept),
        TEST(an_unasked_206_is_not_believed),
        TEST(a_complete_part_is_published_after_a_look),
        TEST(only_synced_bytes_are_resumed),
        TEST(doubtful_parts_are_thrown_away),
        TEST(links_in_the_place_of_the_part_are_not_followed),
        TEST(the_same_bytes_are_taken_as_done),
        TEST(a_name_is_told_before_it_is_seen),
        TEST(other_bytes_get_another_name),
        TEST(what_is_no_file_is_never_taken_for_one),
        TEST(file_systems_without_noreplace_work_too),
        TEST(a_failed_sync_publishes_nothing),
        TEST(the_disk_starts_while_bytes_arrive),
        TEST(a_disk_that_cannot_start_early_is_good_enough),
        TEST(what_the_disk_lost_is_fetched_again),
        TEST(what_is_no_video_is_refused),
        TEST(images_are_named_by_what_they_are),
        TEST(a_page_is_no_image),
        TEST(sizes_are_limited_however_they_are_told),
        TEST(a_body_longer_than_it_said_is_cut_there),
        TEST(expiry_keeps_the_part),
        TEST(every_status_has_its_meaning),
        TEST(a_refused_address_is_final),
        TEST(a_stall_ends_with_the_time),
        TEST(nobody_there_means_again),
        TEST(a_full_disk_is_known_before_it_is_full),
        TEST(two_at_once_do_not_mix),
        TEST(a_locked_part_means_again),
        TEST(a_part_published_meanwhile_is_left_alone),
        TEST(cancelling_keeps_the_part),
        TEST(a_long_part_is_hashed_in_pieces),
        TEST(only_plain_names_are_taken),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
