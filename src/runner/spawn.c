/* SPDX-License-Identifier: MIT */
#include "runner/spawn.h"

#include "base/buf.h"
#include "base/fs.h"
#include "vidu/template.h"
#include "wire/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 1024
#define ARGUMENT_MAX  (128U << 10) /* the kernel's own limit, NUL included */
#define VALUE_MAX     (32U << 10)
#define PROMPT_MAX    (4U << 10)
#define CONTEXT_MAX   (64U << 20)
#define SEARCH_PATH   "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* Strings one behind the other, and where each of them starts; NULL terminated when it is done. */
struct strings {
    struct buf text;
    size_t n, room;
    size_t *starts;
    char **pointers;
};

static void strings_free(struct strings *s)
{
    buf_free(&s->text);
    free(s->starts);
    free(s->pointers);
}

#define autostrings __attribute__((cleanup(strings_free)))

/* Whatever is appended to s->text now belongs to a new string. */
static void begin_string(struct strings *s)
{
    if (s->n == s->room) {
        s->room = s->room * 2 + 32;
        s->starts = mem_realloc(s->starts, s->room, sizeof(*s->starts));
    }
    s->starts[s->n++] = s->text.len;
}

static char **pointers_of(struct strings *s)
{
    s->pointers = mem_calloc(s->n + 1, sizeof(*s->pointers));
    for (size_t i = 0; i < s->n; i++)
        s->pointers[i] = s->text.data + s->starts[i];
    return s->pointers;
}

struct lookup {
    const json_t *context;
    struct buf scratch;
};

static const char *look_up(const char *name, void *ctx)
{
    struct lookup *l = ctx;

    return run_context_value(l->context, name, &l->scratch);
}

/* The program itself is taken as it is written: what a stranger sends never chooses it. */
static int fill_arguments(const json_t *argv, struct lookup *l, struct strings *out,
                          struct err *err)
{
    size_t n = json_array_size(argv);

    if (n == 0 || n > ARGUMENTS_MAX)
        return err_set(err, -EINVAL, "argv: 1 to %d arguments are needed", ARGUMENTS_MAX);
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(argv, i));
        autobuf struct buf one = BUF_INIT(ARGUMENT_MAX - 1);

        if (text == NULL)
            return err_set(err, -EINVAL, "argv: not text");
        if (i == 0)
            buf_adds(&one, text);
        else
            template_fill(text, look_up, l, &one);
        if (!buf_ok(&one))
            return err_set(err, -E2BIG, "argument %zu is over %u bytes", i, ARGUMENT_MAX - 1);
        begin_string(out);
        buf_add(&out->text, buf_text(&one), one.len + 1);
    }
    return buf_ok(&out->text) ? 0 : err_set(err, -E2BIG, "the arguments are too long");
}

static void add_variable(struct strings *out, const char *name, const char *value, size_t max)
{
    begin_string(out);
    buf_adds(&out->text, name);
    buf_addc(&out->text, '=');
    buf_add(&out->text, value, str_utf8_cut(value, strlen(value), max));
    buf_addc(&out->text, '\0');
}

static void fill_environment(struct lookup *l, struct strings *out)
{
    const char *zone = getenv("TZ");

    add_variable(out, "PATH", SEARCH_PATH, VALUE_MAX);
    add_variable(out, "HOME", str_or(getenv("HOME"), "/"), VALUE_MAX);
    add_variable(out, "LANG", "C.UTF-8", VALUE_MAX);
    if (zone != NULL)
        add_variable(out, "TZ", zone, VALUE_MAX);
    for (const struct template_name *t = template_names; t->name != NULL; t++)
        if (t->env != NULL)
            add_variable(out, t->env, look_up(t->name, l),
                         str_eq(t->name, "task.prompt") ? PROMPT_MAX : VALUE_MAX);
}

/* The context as a file that nobody can change any more. */
static int make_stdin(const json_t *context)
{
    autofree char *text = json_dumps(context, JSON_COMPACT);
    autoclose int fd = memfd_create("viduhook-context", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int kept = fd;
    int rc;

    if (fd < 0)
        return -errno;
    if (text == NULL)
        return -EINVAL;
    rc = fs_write_all(fd, text, strlen(text));
    if (rc == 0)
        rc = fs_write_all(fd, "\n", 1);
    if (rc < 0)
        return rc;
    if (lseek(fd, 0, SEEK_SET) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0)
        return -errno;
    fd = -1;
    return kept;
}

static int spawn(char **argv, char **envp, int in, int out, pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, all;
    int rc;

    sigemptyset(&none);
    sigfillset(&all);
    if (posix_spawn_file_actions_init(&actions) != 0 || posix_spawnattr_init(&attributes) != 0)
        abort();
    posix_spawn_file_actions_adddup2(&actions, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    rc = posix_spawn(pid, argv[0], &actions, &attributes, argv, envp);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return -rc;
}

/* The child's end blocks like any pipe; only ours does not. */
static int make_pipe(int ends[2])
{
    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    return fs_set_nonblock(ends[0]);
}

static int start(char **argv, char **envp, const json_t *context, struct spawned *out)
{
    autoclose int in = make_stdin(context);
    int ends[2] = {-1, -1};
    int rc = in < 0 ? in : make_pipe(ends);

    if (rc == 0)
        rc = spawn(argv, envp, in, ends[1], &out->pid);
    fs_close_slot(&ends[1]);
    if (rc == 0) {
        out->pidfd = pidfd_open(out->pid, 0);
        if (out->pidfd < 0) {
            rc = -errno;
            kill(-out->pid, SIGKILL);
            waitpid(out->pid, NULL, 0);
        }
    }
    if (rc < 0)
        fs_close_slot(&ends[0]);
    out->output = ends[0];
    return rc;
}

int spawn_command(const json_t *argv, const json_t *context, struct spawned *out, struct err *err)
{
    struct lookup l = {.context = context, .scratch = BUF_INIT(CONTEXT_MAX)};
    autostrings struct strings arguments = {.text = BUF_INIT(ARGUMENTS_MAX * ARGUMENT_MAX)};
    autostrings struct strings environment = {.text = BUF_INIT(ARGUMENTS_MAX * ARGUMENT_MAX)};
    int rc = fill_arguments(argv, &l, &arguments, err);

    if (rc == 0)
        fill_environment(&l, &environment);
    buf_free(&l.scratch);
    if (rc < 0)
        return rc;
    pointers_of(&arguments);
    rc = start(arguments.pointers, pointers_of(&environment), context, out);
    return rc < 0 ? err_sys(err, rc, "%s", arguments.pointers[0]) : 0;
}
