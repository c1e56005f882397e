/* SPDX-License-Identifier: MIT */
#include "runner/spawn.h"

#include "base/buf.h"
#include "base/fs.h"
#include "runner/spawn_settings.h"
#include "vidu/template.h"
#include "wire/frame.h"
#include "wire/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 1024
#define ARGUMENT_MAX  (128U << 10) /* the kernel's own limit, NUL included */
#define VALUE_MAX     (32U << 10)
#define PROMPT_MAX    (4U << 10)
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

/* The program itself is taken as it is written: what a stranger sends never chooses it. */
static int fill_arguments(const json_t *argv, struct run_lookup *l, struct strings *out,
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
            template_fill(text, run_look_up, l, &one);
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

static bool sets(const char *assignment, const char *name)
{
    size_t n = strlen(name);

    return strncmp(assignment, name, n) == 0 && assignment[n] == '=';
}

/* Of the usual variables; those of the hook stand in their place. */
static void add_usual(struct strings *out, const json_t *own, const char *name, const char *value)
{
    for (size_t i = 0; i < json_array_size(own); i++)
        if (sets(str_or(json_string_value(json_array_get(own, i)), ""), name))
            return;
    if (value != NULL)
        add_variable(out, name, value, VALUE_MAX);
}

static void add_own(struct strings *out, const json_t *own)
{
    for (size_t i = 0; i < json_array_size(own); i++) {
        const char *assignment = json_string_value(json_array_get(own, i));

        if (assignment == NULL)
            continue;
        begin_string(out);
        buf_add(&out->text, assignment, strlen(assignment) + 1);
    }
}

static void fill_environment(const json_t *action, struct run_lookup *l, struct strings *out)
{
    const json_t *own = json_object_get(action, "env");
    const char *home = json_string_value(json_object_get(json_object_get(action, "user"), "home"));

    add_usual(out, own, "PATH", SEARCH_PATH);
    add_usual(out, own, "HOME", home != NULL ? home : str_or(getenv("HOME"), "/"));
    add_usual(out, own, "LANG", "C.UTF-8");
    add_usual(out, own, "TZ", getenv("TZ"));
    add_own(out, own);
    for (const struct template_name *t = template_names; t->name != NULL; t++)
        if (t->env != NULL)
            add_variable(out, t->env, run_look_up(t->name, l),
                         str_eq(t->name, "task.prompt") ? PROMPT_MAX : VALUE_MAX);
}

/* The context as a file that nobody can change any more. */
static int make_stdin(struct slice line)
{
    autoclose int fd = memfd_create("viduhook-context", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int kept = fd;
    int rc;

    if (fd < 0)
        return -errno;
    rc = fs_write_all(fd, line.p, line.n);
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

/* The child's end blocks like any pipe; only ours does not. */
static int make_pipe(int ends[2])
{
    int rc;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    rc = fs_set_nonblock(ends[0]);
    if (rc < 0) {
        fs_close_slot(&ends[0]);
        fs_close_slot(&ends[1]);
    }
    return rc;
}

/* Who runs it may open /dev/stdout as well. */
static void give(int fd, const struct child_plan *plan)
{
    if (plan->switch_user && fchown(fd, plan->uid, plan->gid) < 0)
        return; /* it is open already; that is what counts */
}

static int start(struct child_plan *plan, struct slice line, struct spawned *out, struct err *err)
{
    autoclose int in = make_stdin(line);
    int ends[2] = {-1, -1};
    int rc = in < 0 ? in : make_pipe(ends);

    if (rc < 0)
        return err_sys(err, rc, "%s", plan->argv[0]);
    plan->in = in;
    plan->out = ends[1];
    give(ends[1], plan);
    rc = spawn_child(plan, &out->pid, err);
    fs_close_slot(&ends[1]);
    if (rc == 0) {
        out->pidfd = pidfd_open(out->pid, 0);
        if (out->pidfd < 0) {
            rc = err_sys(err, -errno, "%s", plan->argv[0]);
            kill(-out->pid, SIGKILL);
            waitpid(out->pid, NULL, 0);
        }
    }
    if (rc < 0)
        fs_close_slot(&ends[0]);
    out->output = ends[0];
    return rc;
}

static json_t *words_of(char *const *words)
{
    json_t *list = json_array();

    for (; *words != NULL; words++)
        json_array_append_new(list, json_string(*words)); /* all of it is UTF-8 */
    return list;
}

static char *show_all(char *const *argv, char *const *envp, struct slice line)
{
    json_t *all = json_pack("{s:o, s:o, s:s%}", "argv", words_of(argv), "env", words_of(envp),
                            "stdin", line.p, line.n);
    char *text = json_dumps(all, JSON_COMPACT);

    json_decref(all);
    return text;
}

int spawn_command(const json_t *action, const json_t *context, struct slice line,
                  struct spawned *out, struct err *err)
{
    struct run_lookup l = {.context = context, .scratch = BUF_INIT(FRAME_MAX)};
    autostrings struct strings arguments = {.text = BUF_INIT(ARGUMENTS_MAX * ARGUMENT_MAX)};
    autostrings struct strings environment = {.text = BUF_INIT(ARGUMENTS_MAX * ARGUMENT_MAX)};
    struct child_plan plan;
    int rc = fill_arguments(json_object_get(action, "argv"), &l, &arguments, err);

    if (rc == 0)
        fill_environment(action, &l, &environment);
    buf_free(&l.scratch);
    if (rc < 0)
        return rc;
    spawn_settings_read(action, &plan);
    plan.argv = pointers_of(&arguments);
    plan.envp = pointers_of(&environment);
    if (json_is_true(json_object_get(action, "show")))
        out->shown = show_all(plan.argv, plan.envp, line);
    return start(&plan, line, out, err);
}
