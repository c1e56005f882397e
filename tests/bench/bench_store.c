/*
 * How many callbacks a second the store takes, with many tasks in it.
 *
 *   bench_store [DIRECTORY [TASKS [SECONDS]]]
 *
 * Fills a new store with unfinished tasks, then commits batches of callbacks, each of which ends a
 * task: task_by_key, event_insert. "in order" takes tasks as they were
 * made, as providers more or less finish them; "scattered" takes them from all over the table,
 * which is as bad as it gets. The last rows add one run for a hook.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "base/fs.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define FILL_BATCH 1000
#define STRIDE     7368787 /* a prime: walks through a half once */

static const char body[] =
    "{\"id\":\"912345678901234567\",\"state\":\"success\",\"err_code\":\"\",\"credits\":40,"
    "\"payload\":\"\",\"creations\":[{\"id\":\"912345678901234568\",\"url\":\"https://"
    "prod-ss-vidu.s3.example.com/infer/tasks/24/1120/17/912345678901234567/creation-01/video.mp4?"
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAXXXXXXXXXXXXXXXX%2F20251120%2Fcn&"
    "X-Amz-Date=20251120T170527Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\",\"cover_url\":\"https://"
    "prod-ss-vidu.s3.example.com/infer/tasks/24/1120/17/912345678901234567/cover.jpeg\"}]}";
static const char headers[] =
    "date: Thu, 20 Nov 2025 17:05:27 GMT\nx-hmac-signature-algorithm: hmac-sha256\n"
    "x-hmac-access-key: vidu\nx-hmac-signed-headers: x-request-nonce\nx-request-nonce: 8f7b6c5d-"
    "1234-4321-aaaa-0123456789ab\nx-hmac-signature: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

struct bench {
    struct store *store;
    int64_t tasks;
    int64_t next[2]; /* of each order */
    int64_t seconds;
};

struct scenario {
    const char *name;
    bool scattered;
    int batch;
    bool with_run;
};

static const struct scenario scenarios[] = {
    {"in order", false, 32, false},      {"in order", false, 4, false},
    {"in order", false, 1, false},       {"scattered", true, 32, false},
    {"scattered", true, 4, false},       {"scattered", true, 1, false},
    {"in order + run", false, 32, true}, {"scattered + run", true, 32, true},
};

static void check(int rc, const struct err *err, const char *what)
{
    if (rc == 0)
        return;
    fprintf(stderr, "%s: %s (%s)\n", what, err->text, strerror(-rc));
    exit(1);
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void key_of(int64_t i, uint8_t hash[SHA256_LEN])
{
    crypto_sha256(&i, sizeof(i), hash);
}

static void insert_task(struct bench *b, int64_t i, struct err *err)
{
    uint8_t hash[SHA256_LEN];
    char remote_id[32];
    struct store_task t = {
        .provider = "vidu",
        .endpoint = "img2video",
        .model = "viduq3-pro",
        .prompt = "A lighthouse on a cliff at dusk, waves breaking, the camera circles slowly",
        .remote_id = remote_id,
        .key_hash = {(const char *)hash, sizeof(hash)},
        .callback_path = "/callback",
        .request = "{\"model\":\"viduq3-pro\",\"duration\":8,\"resolution\":\"1080p\",\"images\":"
                   "[{\"type\":\"image/png\",\"bytes\":734003,\"sha256\":\"0123456789abcdef0123"
                   "456789abcdef0123456789abcdef0123456789abcdef\"}],\"off_peak\":false}",
        .tags = "{\"album\":\"lighthouses\"}",
        .state = STATE_SUBMITTED,
        .pending = STATE_SUBMITTED,
        .credits = -1,
        .expects_callback = true,
        .created_ms = 1700000000000 + i * 100,
        .updated_ms = 1700000000000 + i * 100,
        .next_look_ms = 1700000900000 + i * 100,
    };
    int64_t row;

    key_of(i, hash);
    id_new_task(t.id);
    snprintf(remote_id, sizeof(remote_id), "9%017lld", (long long)i);
    check(b->store->ops->task_insert(b->store, &t, &row, err), err, "task_insert");
}

static void fill(struct bench *b)
{
    struct err err;
    double start = now_s();

    for (int64_t i = 0; i < b->tasks;) {
        check(b->store->ops->begin(b->store, &err), &err, "begin");
        for (int k = 0; k < FILL_BATCH && i < b->tasks; k++, i++)
            insert_task(b, i, &err);
        check(b->store->ops->commit(b->store, &err), &err, "commit");
    }
    printf("filled %lld tasks in %.1f s\n", (long long)b->tasks, now_s() - start);
}

static void one_callback(struct bench *b, const struct scenario *sc, struct err *err)
{
    const struct store_ops *ops = b->store->ops;
    int64_t half = b->tasks / 2;
    int64_t n = b->next[sc->scattered]++ % half;
    int64_t i = sc->scattered ? half + n * STRIDE % half : n;
    int64_t now = clock_wall_ms();
    uint8_t hash[SHA256_LEN];
    char nonce[48];
    struct store_task t;
    struct store_event e = {.at_ms = now,
                            .source = SOURCE_CALLBACK,
                            .verdict = "accepted",
                            .state = STATE_SUCCESS,
                            .detail = "success",
                            .headers = SLICE_LIT(headers),
                            .body = SLICE_LIT(body)};
    int64_t row;

    key_of(i, hash);
    check(ops->task_by_key(b->store, hash, &t), err, "task_by_key");
    snprintf(nonce, sizeof(nonce), "8f7b6c5d-%d-%020lld", sc->batch,
             (long long)b->next[sc->scattered]);
    e.nonce = slice_str(nonce);
    t.state = t.pending = STATE_SUCCESS;
    t.finished_ms = t.updated_ms = now;
    t.next_look_ms = 0;
    t.n_events++;
    t.result = body + 98;
    check(ops->event_insert(b->store, &t, &e, err), err, "event_insert");
    if (sc->with_run) {
        struct store_run r = {.task = t.row,
                              .hook = "archive",
                              .trigger = nonce,
                              .state = RUN_READY,
                              .due_ms = now,
                              .created_ms = now};

        check(ops->run_insert(b->store, &r, &row, err), err, "run_insert");
    }
}

static double cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Bytes handed to write and pwrite so far: log and database together. */
static double written(void)
{
    autofree char *text = NULL;
    const char *at;
    size_t n;

    if (fs_read_file("/proc/self/io", 4096, &text, &n, NULL) < 0)
        return 0;
    at = strstr(text, "wchar: ");
    return at != NULL ? (double)strtoll(at + 7, NULL, 10) : 0;
}

static void measure(struct bench *b, const struct scenario *sc)
{
    const struct store_ops *ops = b->store->ops;
    double start = now_s();
    double cpu = cpu_s();
    double bytes = written();
    double worst = 0;
    int64_t done = 0;
    struct err err;

    while (now_s() - start < (double)b->seconds) {
        double batch_start = now_s();

        check(ops->begin(b->store, &err), &err, "begin");
        for (int k = 0; k < sc->batch; k++)
            one_callback(b, sc, &err);
        check(ops->commit(b->store, &err), &err, "commit");
        done += sc->batch;
        if (now_s() - batch_start > worst)
            worst = now_s() - batch_start;
    }
    printf("%-16s batch %2d  %8.0f callbacks/s  %6.3f ms a batch, worst %5.1f ms;"
           "  each: cpu %5.1f us, written %5.1f KiB\n",
           sc->name, sc->batch, (double)done / (now_s() - start),
           1000 * (now_s() - start) * sc->batch / (double)done, 1000 * worst,
           1e6 * (cpu_s() - cpu) / (double)done, (written() - bytes) / 1024 / (double)done);
    fflush(stdout);
}

/* What the disk alone does: 4 KiB written and synced, again and again. */
static void measure_disk(const char *dir)
{
    autofree char *path = mem_printf("%s/probe", dir);
    autoclose int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    char page[4096] = {0};
    double start = now_s();
    int n = 0;

    for (; fd >= 0 && now_s() - start < 1; n++)
        if (pwrite(fd, page, sizeof(page), n % 256 * 4096) < 0 || fdatasync(fd) < 0)
            break;
    printf("disk: %d syncs/s\n", n);
    unlink(path);
}

int main(int argc, char **argv)
{
    char made[] = "/var/tmp/bench_store.XXXXXX";
    const char *dir = argc > 1 ? argv[1] : mkdtemp(made);
    struct bench b = {.tasks = argc > 2 ? strtoll(argv[2], NULL, 10) : 20000,
                      .seconds = argc > 3 ? strtoll(argv[3], NULL, 10) : 1};
    autofree char *url = mem_printf("sqlite:%s/bench.db", dir);
    struct store_counts c;
    struct err err;
    double start;

    if (b.tasks < 2 || b.seconds < 1)
        return 2;
    measure_disk(dir);
    check(store_open(url, false, &b.store, &err), &err, "open");
    fill(&b);
    for (size_t i = 0; i < ARRAY_LEN(scenarios); i++)
        measure(&b, &scenarios[i]);
    start = now_s();
    check(b.store->ops->counts(b.store, &c), &err, "counts");
    printf("counts in %.3f ms; file %lld MiB, log %lld KiB\n", 1000 * (now_s() - start),
           (long long)c.bytes >> 20, (long long)c.wal_bytes >> 10);
    start = now_s();
    store_close(b.store);
    printf("closed in %.3f s\n", now_s() - start);
    start = now_s();
    check(store_open(url, false, &b.store, &err), &err, "open again");
    printf("opened in %.3f s\n", now_s() - start);
    store_close(b.store);
    return 0;
}
