/*
 * A store with many submitted tasks, and the keys of their callbacks in a file.
 *
 *   fill_store STORE.db COUNT KEYS [HOOK [URL]]
 *
 * With HOOK every task has succeeded already, and one run of that hook waits for it. The result of
 * the task with number I is then at URL/I.mp4.
 *
 * KEYS receives COUNT keys of 42 bytes, nothing between them. The seal secret is the store's, made
 * here when it has none, so that a daemon started on it takes the keys for its own.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/clock.h"
#include "store/store.h"
#include "vidu/key.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PER_TRANSACTION 5000

static void check(int rc, const struct err *err)
{
    if (rc >= 0)
        return;
    fprintf(stderr, "fill_store: %s\n", err->text);
    exit(1);
}

static void load_secret(struct store *s, uint8_t secret[SEAL_SECRET_LEN])
{
    struct err err = {""};
    size_t n;

    if (s->ops->meta_get(s, "seal_secret", secret, SEAL_SECRET_LEN, &n) == 0)
        return;
    crypto_random(secret, SEAL_SECRET_LEN);
    check(s->ops->begin(s, &err), &err);
    check(s->ops->meta_set(s, "seal_secret", secret, SEAL_SECRET_LEN, &err), &err);
    check(s->ops->commit(s, &err), &err);
}

static void add_run(struct store *s, const struct store_task *t, const char *hook)
{
    struct store_run run = {
        .task = t->row,
        .hook = hook,
        .trigger = "success",
        .after = "",
        .state = RUN_READY,
        .created_ms = t->created_ms,
        .due_ms = t->created_ms,
        .detail = "",
        .output = "",
    };
    struct err err = {""};
    int64_t row;

    memcpy(run.task_id, t->id, sizeof(run.task_id));
    check(s->ops->run_insert(s, &run, &row, &err), &err);
}

/* As a callback with the state success leaves it. */
static void end_task(struct store_task *t, const char *result)
{
    t->state = t->pending = STATE_SUCCESS;
    t->source = SOURCE_CALLBACK;
    t->result = result;
    t->finished_ms = t->created_ms;
    t->next_look_ms = 0;
}

/* What waits for a task that has ended; hook NULL: it has not. */
struct waiting {
    const char *hook, *url;
};

static void add_task(struct store *s, const char *key, long i, const struct waiting *w,
                     struct crypto_place *place)
{
    autofree char *result = mem_printf("[{\"id\":\"1\",\"url\":\"%s/%ld.mp4\"}]", w->url, i);
    uint8_t hash[SHA256_LEN];
    char remote_id[32];
    char path[64];
    struct err err = {""};
    struct store_task t = {
        .provider = "vidu",
        .endpoint = "img2video",
        .model = "viduq3-turbo",
        .prompt = "a paper boat crosses a puddle while rain begins to fall",
        .payload = "",
        .remote_id = remote_id,
        .key_hash = {(const char *)hash, sizeof(hash)},
        .callback_path = path,
        .callback_query = "",
        .request = "{\"model\":\"viduq3-turbo\",\"duration\":5}",
        .tags = "{\"album\":\"bench\"}",
        .forward_url = "",
        .result = "",
        .err_code = "",
        .err_msg = "",
        .trace_id = "",
        .state = STATE_SUBMITTED,
        .pending = STATE_SUBMITTED,
        .credits = 40,
        .expects_callback = true,
        .created_ms = clock_wall_ms(),
        .updated_ms = clock_wall_ms(),
        .next_look_ms = clock_wall_ms() + 3600000,
    };

    id_new_task(t.id);
    key_hash(key, KEY_LEN, place, hash);
    snprintf(remote_id, sizeof(remote_id), "9%017ld", i);
    snprintf(path, sizeof(path), "/callback/");
    if (w->hook != NULL)
        end_task(&t, result);
    check(s->ops->task_insert(s, &t, &t.row, &err), &err);
    if (w->hook != NULL)
        add_run(s, &t, w->hook);
}

int main(int argc, char **argv)
{
    uint8_t secret[SEAL_SECRET_LEN];
    struct crypto_place *place = crypto_place_new();
    char key[KEY_SIZE];
    bool usable = argc >= 4 && argc <= 6;
    const struct waiting waiting = {argc > 4 ? argv[4] : NULL,
                                    argc > 5 ? argv[5] : "https://media.example"};
    struct err err = {""};
    struct store *s;
    autofree char *url = usable ? mem_printf("sqlite:%s", argv[1]) : NULL;
    long count = usable ? strtol(argv[2], NULL, 10) : 0;
    FILE *keys = count > 0 ? fopen(argv[3], "we") : NULL;

    if (keys == NULL) {
        fprintf(stderr, "usage: fill_store STORE.db COUNT KEYS [HOOK [URL]]\n");
        return 2;
    }
    check(store_open(url, false, &s, &err), &err);
    load_secret(s, secret);
    for (long i = 0; i < count; i++) {
        if (i % PER_TRANSACTION == 0)
            check(s->ops->begin(s, &err), &err);
        key_new(secret, clock_wall_ms() / 1000, place, key);
        add_task(s, key, i, &waiting, place);
        fwrite(key, KEY_LEN, 1, keys);
        if (i % PER_TRANSACTION == PER_TRANSACTION - 1 || i == count - 1)
            check(s->ops->commit(s, &err), &err);
    }
    crypto_place_free(place);
    store_close(s);
    return fclose(keys) == 0 ? 0 : 1;
}
