/* SPDX-License-Identifier: MIT */
#include "cli/edit.h"

#include "base/fs.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_WORDS 16
#define FILE_NAME  "payload.json"

extern char **environ;

static const char *editor(void)
{
    const char *visual = getenv("VISUAL");
    const char *plain = getenv("EDITOR");

    return !str_empty(visual) ? visual : !str_empty(plain) ? plain : "vi";
}

/* Into words, in place; the file comes last. */
static int split(char *text, char *path, char *argv[MOST_WORDS + 2], struct err *err)
{
    size_t n = 0;
    char *rest = NULL;

    for (char *word = strtok_r(text, " \t", &rest); word != NULL;
         word = strtok_r(NULL, " \t", &rest)) {
        if (n == MOST_WORDS)
            return err_set(err, -E2BIG, "the editor has more than %d words", MOST_WORDS);
        argv[n++] = word;
    }
    if (n == 0)
        return err_set(err, -EINVAL, "the editor is blank: set VISUAL or EDITOR");
    argv[n] = path;
    argv[n + 1] = NULL;
    return 0;
}

static int wait_for(pid_t child, const char *name, struct err *err)
{
    int status;

    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return err_sys(err, -errno, "%s", name);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (WIFEXITED(status))
        return err_set(err, -ECANCELED, "the editor %s ended with exit status %d", name,
                       WEXITSTATUS(status));
    return err_set(err, -ECANCELED, "the editor %s was killed by signal %d", name,
                   WTERMSIG(status));
}

/* With the signals that we ignore as they are by default. */
static int start(char **argv, pid_t *child, struct err *err)
{
    posix_spawnattr_t attr;
    sigset_t ours;
    int rc;

    sigemptyset(&ours);
    sigaddset(&ours, SIGINT);
    sigaddset(&ours, SIGQUIT);
    sigaddset(&ours, SIGPIPE);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigdefault(&attr, &ours);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    rc = posix_spawnp(child, argv[0], NULL, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    return rc != 0 ? err_sys(err, -rc, "cannot start the editor %s (set VISUAL or EDITOR)", argv[0])
                   : 0;
}

/* The keys that interrupt are the editor's: what they do there must not end us. */
static int run_editor(char *path, struct err *err)
{
    autofree char *words = mem_strdup(editor());
    char *argv[MOST_WORDS + 2];
    void (*on_int)(int), (*on_quit)(int);
    pid_t child;
    int rc = split(words, path, argv, err);

    if (rc < 0)
        return rc;
    on_int = signal(SIGINT, SIG_IGN);
    on_quit = signal(SIGQUIT, SIG_IGN);
    rc = start(argv, &child, err);
    if (rc == 0)
        rc = wait_for(child, argv[0], err);
    (void)signal(SIGINT, on_int);
    (void)signal(SIGQUIT, on_quit);
    return rc;
}

/* A folder of its own, so that what editors leave beside a file is private too. */
static int write_text(struct slice text, char **path, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    autofree char *dir =
        mem_printf("%s/viduhook.XXXXXX", str_empty(tmp) || tmp[0] != '/' ? "/tmp" : tmp);
    int rc;

    if (mkdtemp(dir) == NULL)
        return err_sys(err, -errno, "%s", dir);
    *path = fs_join(dir, FILE_NAME);
    rc = fs_create_file(*path, text.p, text.n, 0600, err);
    if (rc < 0) {
        edit_forget(*path);
        *path = NULL;
    }
    return rc;
}

int edit_text(struct slice text, struct buf *out, char **path, struct err *err)
{
    autofree char *left = NULL;
    char *file = NULL;
    size_t n = 0;
    int rc = write_text(text, &file, err);

    if (rc == 0)
        rc = run_editor(file, err);
    if (rc == 0)
        rc = fs_read_file(file, EDIT_MAX, &left, &n, err);
    if (rc < 0) {
        edit_forget(file);
        return rc;
    }
    buf_add(out, left, n);
    *path = file;
    return 0;
}

void edit_forget(char *path)
{
    autofree char *dir = NULL;

    if (path == NULL)
        return;
    dir = fs_dirname(path);
    unlink(path);
    rmdir(dir); /* stays when the editor has left something in it */
    free(path);
}
