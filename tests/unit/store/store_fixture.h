/*
 * A store in a directory of its own, and rows to put into it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TEST_STORE_FIXTURE_H
#define TEST_STORE_FIXTURE_H

#include "base/fs.h"
#include "store/store.h"

#include <dirent.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define T0 INT64_C(1700000000000)

struct fixture {
    char dir[40];
    char path[64], url[80];
    struct store *s;
    const struct store_ops *ops;
    struct err err;
};

#define assert_ok(f, call)                                                                         \
    do {                                                                                           \
        int rc_ = (call);                                                                          \
                                                                                                   \
        if (rc_ != 0)                                                                              \
            fail_msg("%s: %d %s", #call, rc_, (f)->err.text);                                      \
    } while (0)

static inline void fixture_open(struct fixture *f)
{
    assert_ok(f, store_open(f->url, false, &f->s, &f->err));
    f->ops = f->s->ops;
}

static inline void fixture_close(struct fixture *f)
{
    store_close(f->s);
    f->s = NULL;
}

static inline int fixture_setup(void **state)
{
    struct fixture *f = mem_calloc(1, sizeof(*f));

    snprintf(f->dir, sizeof(f->dir), "/tmp/test_store.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/s.db", f->dir);
    snprintf(f->url, sizeof(f->url), "sqlite:%s", f->path);
    *state = f;
    return 0;
}

static inline int fixture_setup_open(void **state)
{
    fixture_setup(state);
    fixture_open(*state);
    return 0;
}

static inline int fixture_teardown(void **state)
{
    struct fixture *f = *state;
    DIR *d;

    store_close(f->s);
    d = opendir(f->dir);
    for (struct dirent *e = d != NULL ? readdir(d) : NULL; e != NULL; e = readdir(d)) {
        autofree char *path = fs_join(f->dir, e->d_name);

        unlink(path);
    }
    if (d != NULL)
        closedir(d);
    rmdir(f->dir);
    free(f);
    return 0;
}

static inline void fixture_begin(struct fixture *f)
{
    assert_ok(f, f->ops->begin(f->s, &f->err));
}

static inline void fixture_commit(struct fixture *f)
{
    assert_ok(f, f->ops->commit(f->s, &f->err));
}

/* A submitted task number n; its id, key and remote id follow from n. */
static inline struct store_task task_number(int n)
{
    static char remote_id[24];
    static uint8_t hash[SHA256_LEN];
    struct store_task t = {
        .provider = "vidu",
        .endpoint = "img2video",
        .model = "viduq3",
        .prompt = "a lighthouse",
        .payload = "p",
        .remote_id = remote_id,
        .key_hash = {(const char *)hash, sizeof(hash)},
        .callback_path = "/callback",
        .callback_query = "",
        .request = "{\"duration\":8}",
        .tags = "{\"album\":\"sea\",\"n\":\"1\"}",
        .forward_url = "",
        .result = "",
        .err_code = "",
        .err_msg = "",
        .trace_id = "",
        .state = STATE_SUBMITTED,
        .pending = STATE_SUBMITTED,
        .source = SOURCE_SUBMIT,
        .credits = -1,
        .expects_callback = true,
        .created_ms = T0 + n,
        .updated_ms = T0 + n,
    };

    snprintf(t.id, sizeof(t.id), "t%012d", n);
    snprintf(remote_id, sizeof(remote_id), "r%06d", n);
    crypto_sha256(t.id, TASK_ID_LEN, hash);
    return t;
}

/* In a transaction of its own when none is open. */
static inline int64_t add_task(struct fixture *f, const struct store_task *t)
{
    bool alone = f->ops->begin(f->s, NULL) == 0;
    int64_t row = 0;

    assert_ok(f, f->ops->task_insert(f->s, t, &row, &f->err));
    if (alone)
        fixture_commit(f);
    return row;
}

static inline int64_t add_number(struct fixture *f, int n)
{
    struct store_task t = task_number(n);

    return add_task(f, &t);
}

static inline struct store_run run_of(int64_t task, const char *hook, enum run_state state)
{
    return (struct store_run){.task = task,
                              .hook = hook,
                              .trigger = "success",
                              .after = "",
                              .details = "",
                              .state = state,
                              .due_ms = T0,
                              .created_ms = T0,
                              .detail = "",
                              .output = ""};
}

static inline int64_t add_run(struct fixture *f, const struct store_run *r)
{
    bool alone = f->ops->begin(f->s, NULL) == 0;
    int64_t row = 0;

    assert_ok(f, f->ops->run_insert(f->s, r, &row, &f->err));
    if (alone)
        fixture_commit(f);
    return row;
}

static inline char *file_content(const char *path, size_t *n)
{
    char *data = NULL;

    if (fs_read_file(path, 256U << 20, &data, n, NULL) < 0)
        fail_msg("%s cannot be read", path);
    return data;
}

static inline int ask_sqlite(const char *path, const char *query, char *out, size_t size)
{
    struct sqlite3 *db = NULL;
    struct sqlite3_stmt *q = NULL;
    int rc = sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL);

    out[0] = '\0';
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(db, query, -1, &q, NULL);
    if (rc == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW)
        snprintf(out, size, "%s", (const char *)sqlite3_column_text(q, 0));
    sqlite3_finalize(q);
    sqlite3_close(db);
    return rc;
}

static inline void assert_sqlite(const char *path, const char *query, const char *answer)
{
    char out[128];

    assert_int_equal(ask_sqlite(path, query, out, sizeof(out)), SQLITE_OK);
    assert_string_equal(out, answer);
}

#endif
