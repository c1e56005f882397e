/*
 * A runner that is killed at any step of putting a result into a library: what people see is
 * complete and in order at every moment, and the next attempt ends with exactly what was wanted.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/fs.h"
#include "http/client.h"
#include "runner/action.h"
#include "runner/sweep.h"
#include "tests/unit/http/file_server.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define STEPS_MAX 200
#define FOLDER    "A cat [vidu-t3k9]"

static struct file_server server;
static int kill_at; /* the step that is not made any more; 0: none */
static int steps;

static void count_step(void)
{
    if (++steps == kill_at)
        raise(SIGKILL);
}

/* What changes the library, in place of the library's. */
#define REAL(name, type) ((type)dlsym(RTLD_NEXT, name))

int fsync(int fd)
{
    count_step();
    return REAL("fsync", int (*)(int))(fd);
}

int fchmod(int fd, mode_t mode)
{
    count_step();
    return REAL("fchmod", int (*)(int, mode_t))(fd, mode);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
    count_step();
    return REAL("renameat2", int (*)(int, const char *, int, const char *, unsigned))(
        from_fd, from, to_fd, to, flags);
}

int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
    count_step();
    return REAL("linkat", int (*)(int, const char *, int, const char *, int))(from_fd, from, to_fd,
                                                                              to, flags);
}

int unlinkat(int fd, const char *name, int flags)
{
    count_step();
    return REAL("unlinkat", int (*)(int, const char *, int))(fd, name, flags);
}

int mkdirat(int fd, const char *name, mode_t mode)
{
    count_step();
    return REAL("mkdirat", int (*)(int, const char *, mode_t))(fd, name, mode);
}

/* ---- one attempt, in a process of its own ---- */

static struct event_base *base;
static int outcome = -1;

static void on_done(const struct msg_done *done, void *ctx)
{
    (void)ctx;
    outcome = (int)done->outcome;
    if (done->outcome != RUN_OK || strstr(done->detail.p, "; ") != NULL)
        fprintf(stderr, "%s\n", done->detail.p);
    event_base_loopbreak(base);
}

static void on_progress(const char *name, uint64_t done, uint64_t total, void *ctx)
{
    (void)name;
    (void)done;
    (void)total;
    (void)ctx;
}

static json_t *make_context(void)
{
    autofree char *video = mem_printf("http://127.0.0.1:%d/good/v", server.port);
    autofree char *cover = mem_printf("http://127.0.0.1:%d/kind/jpg/c", server.port);

    return json_pack("{s:{s:s, s:s, s:s, s:s}, s:[{s:s, s:s}], s:[]}", "task", "id", "t3k9",
                     "prompt", "A cat", "endpoint", "img2video", "created_at",
                     "2026-11-20T17:05:27.123Z", "result", "url", video, "cover_url", cover,
                     "files");
}

/* Never returns: 0 when the download is done. */
static void attempt(const char *dir)
{
    static const struct action_events events = {.on_done = on_done, .on_progress = on_progress};
    struct client_policy p = {
        .public_only = true, .allow_http = true, .max_transfers = 8, .redirects = 3, .n_rules = 1};
    autofree char *rule = mem_printf("127.0.0.1:%d", server.port);
    struct timeval limit = {.tv_sec = 20};
    struct sweep sweep = {0};
    struct action_env env = {.sweep = &sweep};
    json_t *action =
        json_pack("{s:s, s:s, s:s, s:b, s:b, s:b, s:b}", "kind", "download", "dir", dir, "layout",
                  "folder", "cover", 1, "nfo", 1, "posters", 1, "sidecar", 1);

    if (address_rule_parse(rule, &p.rules[0], NULL) < 0)
        _exit(2);
    base = env.base = event_base_new();
    env.client = client_new(base, &p, NULL);
    (void)download_ops.start(&env, action, make_context(), SLICE_LIT(""), &events, NULL);
    event_base_loopexit(base, &limit);
    event_base_dispatch(base);
    _exit(outcome == RUN_OK ? 0 : 1);
}

/* The exit status, or -1 when it was killed. */
static int run_attempt(const char *dir, int at)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        kill_at = at;
        attempt(dir);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (WIFSIGNALED(status))
        assert_int_equal(WTERMSIG(status), SIGKILL);
    return WIFSIGNALED(status) ? -1 : WEXITSTATUS(status);
}

/* ---- what is there ---- */

static const char *const wanted[] = {
    FOLDER ".nfo",        FOLDER ".json",      FOLDER ".mp4", FOLDER ".jpg",
    FOLDER "-poster.jpg", FOLDER "-thumb.jpg", "poster.jpg",
};
#define N_WANTED ARRAY_LEN(wanted)
enum { NFO, SIDECAR, VIDEO, COVER }; /* what follows are links of the cover */

static off_t sizes[N_WANTED]; /* of an attempt that nobody disturbed */

static off_t size_of(const char *dir, size_t i)
{
    autofree char *path = mem_printf("%s/" FOLDER "/%s", dir, wanted[i]);
    struct stat st;

    return stat(path, &st) == 0 ? st.st_size : -1;
}

/* How many names are in the folder; none that people see is unknown. */
static size_t count_names(const char *dir, bool hidden)
{
    autofree char *path = mem_printf("%s/" FOLDER, dir);
    DIR *d = opendir(path);
    const struct dirent *e;
    size_t n = 0;

    while (d != NULL && (e = readdir(d)) != NULL) {
        size_t i = 0;

        if (str_eq(e->d_name, ".") || str_eq(e->d_name, ".."))
            continue;
        n += (e->d_name[0] == '.') == hidden;
        while (i < N_WANTED && !str_eq(e->d_name, wanted[i]))
            i++;
        if (e->d_name[0] != '.' && i == N_WANTED)
            fail_msg("%s is there", e->d_name);
    }
    if (d != NULL)
        closedir(d);
    return n;
}

/* Whatever is seen is whole, and nothing is seen before what it needs. */
static void assert_in_order(const char *dir)
{
    bool there[N_WANTED];

    for (size_t i = 0; i < N_WANTED; i++) {
        off_t size = size_of(dir, i);

        there[i] = size >= 0;
        assert_true(size == -1 || size == sizes[i]);
    }
    assert_true(!there[VIDEO] || (there[NFO] && there[SIDECAR]));
    assert_true(!there[COVER] || there[VIDEO]);
    for (size_t i = COVER + 1; i < N_WANTED; i++)
        assert_true(!there[i] || there[COVER]);
    count_names(dir, false);
}

static void assert_complete(const char *dir)
{
    for (size_t i = 0; i < N_WANTED; i++)
        assert_int_equal(size_of(dir, i), sizes[i]);
    assert_int_equal(count_names(dir, false), N_WANTED);
    assert_int_equal(count_names(dir, true), 0);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void a_kill_at_any_step_leaves_a_library_in_order(void **state)
{
    char dir[] = "/tmp/test_download_crash.XXXXXX";
    int killed = 0;
    int status = -1;

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(run_attempt(dir, 0), 0);
    for (size_t i = 0; i < N_WANTED; i++)
        assert_true((sizes[i] = size_of(dir, i)) > 0);
    assert_complete(dir);
    for (int at = 1; status != 0 && at < STEPS_MAX; at++) {
        nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        assert_int_equal(mkdir(dir, 0755), 0);
        status = run_attempt(dir, at);
        assert_true(status <= 0);
        killed += status < 0;
        assert_in_order(dir);
        assert_int_equal(run_attempt(dir, 0), 0);
        assert_complete(dir);
    }
    assert_int_equal(status, 0);
    assert_true(killed > 20); /* the steps above really are those of the download */
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static int start_all(void **state)
{
    (void)state;
    umask(022);
    return file_server_start(&server, NULL);
}

static int stop_all(void **state)
{
    (void)state;
    file_server_stop(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_at_any_step_leaves_a_library_in_order),
    };

    return cmocka_run_group_tests(tests, start_all, stop_all);
}
