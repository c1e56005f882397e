/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fake_daemon.h"
#include "store/store.h"

static char dir[64];
static const char *const names[] = {"viduhook.yaml",   "cert.pem",        "key.pem",
                                    "vidu.key",        "viduhook.db",     "viduhook.db-wal",
                                    "viduhook.db-shm", "viduhook.db.lock"};

static void fill(struct store *s)
{
    struct store_task task = {.id = "tabcdefghijkl",
                              .provider = "vidu",
                              .endpoint = "img2video",
                              .model = "viduq3",
                              .prompt = "a boat",
                              .payload = "",
                              .remote_id = "912",
                              .callback_path = "",
                              .callback_query = "",
                              .request = "{}",
                              .tags = "{\"album\":\"x\"}",
                              .forward_url = "",
                              .result = "[]",
                              .err_code = "",
                              .err_msg = "",
                              .trace_id = "",
                              .state = STATE_PROCESSING,
                              .pending = STATE_PROCESSING,
                              .credits = 4,
                              .created_ms = 1000,
                              .updated_ms = 2000,
                              .next_look_ms = 3000};
    struct store_event event = {.at_ms = 1500,
                                .source = SOURCE_CALLBACK,
                                .verdict = "accepted",
                                .state = STATE_PROCESSING,
                                .detail = "because"};
    struct store_run run = {.hook = "archive",
                            .trigger = "processing",
                            .after = "",
                            .state = RUN_DEAD,
                            .attempt = 8,
                            .detail = "exit status 1",
                            .output = "oh"};
    struct store_file file = {.path = "/media/a boat.mp4",
                              .kind = "video",
                              .sha256 = "00ff",
                              .bytes = 5,
                              .created_ms = 1};
    struct err err;

    assert_int_equal(s->ops->begin(s, &err), 0);
    assert_int_equal(s->ops->task_insert(s, &task, &task.row, &err), 0);
    run.task = task.row;
    assert_int_equal(s->ops->event_insert(s, &task, &event, &err), 0);
    assert_int_equal(s->ops->run_insert(s, &run, &run.row, &err), 0);
    file.task = task.row;
    assert_int_equal(s->ops->file_insert(s, &file, &err), 0);
    assert_int_equal(s->ops->commit(s, &err), 0);
}

/* A folder as init makes it, with one task in its store, and no daemon. */
static int setup(void **state)
{
    struct printed p;
    struct store *s;
    struct err err;
    autofree char *store_url = NULL;

    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/viduhook-offline-XXXXXX");
    if (mkdtemp(dir) == NULL || chdir(dir) < 0)
        return -1;
    p = VIDUHOOK("init", dir);
    printed_free(&p);
    store_url = mem_printf("sqlite:%s/viduhook.db", dir);
    if (store_open(store_url, false, &s, &err) < 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    fill(s);
    store_close(s);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unlink(names[i]);
    unlink("viduhook/viduhook.yaml");
    rmdir("viduhook");
    rmdir("media");
    return chdir("/") < 0 ? -1 : rmdir(dir);
}

static void assert_answers(struct printed p, const char *const *parts)
{
    if (p.status != EXIT_OK)
        fail_msg("exit status %d: %s", p.status, p.err);
    assert_non_null(strstr(p.err, "viduhookd is not running; this is read from"));
    for (; *parts != NULL; parts++)
        if (strstr(p.out, *parts) == NULL)
            fail_msg("\"%s\" does not have \"%s\"", p.out, *parts);
    printed_free(&p);
}

#define ASSERT_ANSWERS(p, ...) assert_answers(p, (const char *const[]){__VA_ARGS__, NULL})

static void questions_are_answered_from_the_store(void **state)
{
    (void)state;
    ASSERT_ANSWERS(VIDUHOOK("-c", "viduhook.yaml", "list"), "tabcdefg", "processing", "a boat");
    ASSERT_ANSWERS(VIDUHOOK("-c", "viduhook.yaml", "show", "tabc"), "tabcdefghijkl", "album=x",
                   "remote_id    912", "archive");
    ASSERT_ANSWERS(VIDUHOOK("-c", "viduhook.yaml", "files"), "tabcdefg", "/media/a boat.mp4");
    ASSERT_ANSWERS(VIDUHOOK("-c", "viduhook.yaml", "files", "--task", "tab", "--json"),
                   "\"task\": \"tabcdefghijkl\"", "\"bytes\": 5");
    ASSERT_ANSWERS(VIDUHOOK("-c", "viduhook.yaml", "explain", "tabc"),
                   "callback accepted -> processing: because", "    | oh",
                   "next: nothing before viduhookd runs again");
    ASSERT_ANSWERS(VIDUHOOK("-c", "viduhook.yaml", "runs", "--state", "dead", "--task", "tab"),
                   "archive", "exit status 1");
    ASSERT_ANSWERS(VIDUHOOK("-c", "viduhook.yaml", "--json", "show", "tabc"),
                   "\"created_at\": \"1970-01-01T00:00:01.000Z\"", "\"album\": \"x\"");
}

static void filters_hold_for_the_store_too(void **state)
{
    struct printed p = VIDUHOOK("-c", "viduhook.yaml", "list", "--state", "success");

    (void)state;
    assert_int_equal(p.status, EXIT_OK);
    assert_string_equal(p.out, "");
    printed_free(&p);
    p = VIDUHOOK("-c", "viduhook.yaml", "runs", "--hook", "other");
    assert_string_equal(p.out, "");
    printed_free(&p);
    p = VIDUHOOK("-c", "viduhook.yaml", "show", "tzzz");
    assert_int_equal(p.status, EXIT_NOT_FOUND);
    printed_free(&p);
}

/* Exit status of a question asked by a user whose own configuration is this folder's. */
static int ask_as_user(const char *socket_option)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        setenv("XDG_CONFIG_HOME", dir, 1);
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
            _exit(99);
        _exit(VIDUHOOK("list", socket_option).status);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void somebody_elses_socket_has_another_store(void **state)
{
    (void)state;
    assert_int_equal(mkdir("viduhook", 0755), 0);
    assert_int_equal(symlink("../viduhook.yaml", "viduhook/viduhook.yaml"), 0);
    for (size_t i = 0; geteuid() == 0 && i < ARRAY_LEN(names); i++)
        (void)!chown(names[i], 65534, 65534);
    (void)!chown(".", geteuid() == 0 ? 65534 : (uid_t)-1, (gid_t)-1);
    assert_int_equal(ask_as_user("--no-color"), EXIT_OK);
    assert_int_equal(ask_as_user("--socket=/nonexistent/s"), EXIT_UNREACHABLE);
}

static void what_changes_something_needs_the_daemon(void **state)
{
    struct printed p = VIDUHOOK("-c", "viduhook.yaml", "status");

    (void)state;
    assert_int_equal(p.status, EXIT_UNREACHABLE);
    printed_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_are_answered_from_the_store),
        cmocka_unit_test(filters_hold_for_the_store_too),
        cmocka_unit_test(somebody_elses_socket_has_another_store),
        cmocka_unit_test(what_changes_something_needs_the_daemon),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
