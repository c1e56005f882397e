/* SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include "base/fs.h"
#include "conf/conf_check.h"
#include "conf/conf_load.h"
#include "conf/conf_path.h"
#include "conf/conf_yaml.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FILES 64

/* Files in the order they are laid upon each other; nodes point to the names. */
struct sources {
    char *names[MAX_FILES];
    size_t n;
};

static void sources_free(struct sources *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->names[i]);
}

static int is_yaml(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && str_ends(entry->d_name, ".yaml");
}

/* By bytes, whatever the locale. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* The yaml files of conf.d beside the file; that there is no such directory is fine. */
static int add_dropins(struct sources *s, const char *path, struct conf_findings *found)
{
    autofree char *dir = fs_dirname(path);
    autofree char *inner = fs_join(dir, "conf.d");
    struct dirent **entries = NULL;
    int n = scandir(inner, &entries, is_yaml, by_name);
    int rc = n < 0 && errno != ENOENT && errno != ENOTDIR ? -errno : 0;

    if (rc < 0)
        conf_found(found, inner, 0, 0, "%s", strerror(-rc));
    if (n > (int)(MAX_FILES - s->n)) {
        conf_found(found, inner, 0, 0, "more than %zu files", MAX_FILES - s->n);
        rc = -EINVAL;
    }
    for (int i = 0; i < n; i++) {
        if (s->n < MAX_FILES)
            s->names[s->n++] = fs_join(inner, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

/* What everybody may write decides what runs here. */
static int read_source(const char *path, char **data, size_t *len, struct err *err)
{
    autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    int rc;

    if (fd < 0 && errno == ENOENT)
        return err_set(err, -ENOENT,
                       "there is no such file; name one with -c, or let `viduhook init DIR` write "
                       "one to begin with");
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_set(err, -errno, "%s", strerror(errno));
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EINVAL, "not a regular file");
    if ((st.st_mode & 0002) != 0)
        return err_set(err, -EPERM, "every user may write to it (mode %04o); run: chmod o-w %s",
                       (unsigned)st.st_mode & 07777, path);
    rc = fs_read_fd(fd, CONF_YAML_MAX_BYTES, data, len);
    if (rc == -EFBIG)
        return err_set(err, rc, "larger than %u bytes", CONF_YAML_MAX_BYTES);
    return rc < 0 ? err_set(err, rc, "%s", strerror(-rc)) : 0;
}

/* One file onto the tree so far; *root stays as it is when the file cannot be read. */
static int add_file(const char *path, struct conf_node **root, struct conf_findings *found)
{
    autofree char *data = NULL;
    struct conf_node *node;
    struct err err;
    size_t len;
    int rc = read_source(path, &data, &len, &err);

    if (rc < 0) {
        conf_found(found, path, 0, 0, "%s", err.text);
        return rc;
    }
    node = conf_yaml_parse(path, data, len, found);
    if (node == NULL)
        return -EINVAL;
    if (*root == NULL)
        *root = node;
    else
        conf_node_merge(*root, node);
    return 0;
}

/* The directory of the file, absolute, so that a path means the same after a chdir. */
static char *base_dir(const char *path)
{
    autofree char *dir = fs_dirname(path);
    char *cwd = dir[0] != '/' ? getcwd(NULL, 0) : NULL;
    char *joined = cwd != NULL && !str_eq(dir, ".") ? fs_join(cwd, dir) : NULL;

    if (joined == NULL)
        return cwd != NULL ? cwd : mem_strdup(dir);
    free(cwd);
    return joined;
}

static char *absolute(const char *path)
{
    autofree char *dir = base_dir(path);
    const char *slash = strrchr(path, '/');

    return path[0] == '/' ? mem_strdup(path) : fs_join(dir, slash != NULL ? slash + 1 : path);
}

/* With errors among the findings it is not fit for use. partial: a file could not be read. */
static struct conf *fill_all(const char *path, const struct conf_node *root, conf_check_pair *pair,
                             bool partial, struct conf_findings *found)
{
    autofree char *dir = base_dir(path);
    const struct conf_fill fill = {found, dir, pair, partial};
    struct conf *c = mem_calloc(1, sizeof(*c));

    c->file = absolute(path);
    c->control = conf_path_control();
    c->store = conf_path_store();
    conf_table_fill(&fill, SCOPE_FILE, root, c);
    conf_check(&fill, root, c);
    return c;
}

static int build(const char *path, const struct conf_node *root, conf_check_pair *pair,
                 bool partial, struct conf_findings *found, struct conf **out)
{
    struct conf *c = fill_all(path, root, pair, partial, found);

    if (found->errors == 0) {
        *out = c;
        return 0;
    }
    conf_free(c);
    return -EINVAL;
}

int conf_load_text(const char *file, const char *text, size_t n, conf_report *report, void *ctx,
                   struct conf **out)
{
    struct conf_findings found = {.report = report, .ctx = ctx};
    struct conf_node *root = conf_yaml_parse(file, text, n, &found);
    int rc = root != NULL ? build(file, root, NULL, false, &found, out) : -EINVAL;

    conf_node_free(root);
    return rc;
}

/* The file and what is laid upon it. */
static int read_all(const char *path, struct sources *sources, struct conf_node **root,
                    struct conf_findings *found)
{
    int rc;

    sources->names[sources->n++] = mem_strdup(path);
    rc = add_dropins(sources, path, found);
    for (size_t i = 0; i < sources->n; i++) {
        int one = add_file(sources->names[i], root, found);

        rc = rc == 0 ? one : rc;
    }
    return rc;
}

int conf_load_checked(const char *path, conf_check_pair *pair, conf_report *report, void *ctx,
                      struct conf **out)
{
    struct conf_findings found = {.report = report, .ctx = ctx};
    struct sources sources = {.n = 0};
    struct conf_node *root = NULL;
    int read = read_all(path, &sources, &root, &found);
    int rc = root != NULL ? build(path, root, pair, read < 0, &found, out) : read;

    rc = read < 0 ? read : rc;
    conf_node_free(root);
    sources_free(&sources);
    return rc;
}

int conf_load(const char *path, conf_report *report, void *ctx, struct conf **out)
{
    return conf_load_checked(path, NULL, report, ctx, out);
}

char *conf_control(const char *path)
{
    struct conf_findings found = {0};
    struct sources sources = {.n = 0};
    struct conf_node *root = NULL;
    struct conf *c = NULL;
    char *control = NULL;
    int read = read_all(path, &sources, &root, &found);

    if (root != NULL)
        c = fill_all(path, root, NULL, read < 0, &found);
    if (c != NULL && c->control != NULL)
        control = mem_strdup(c->control);
    conf_free(c);
    conf_node_free(root);
    sources_free(&sources);
    return control;
}

void conf_free(struct conf *c)
{
    if (c == NULL)
        return;
    conf_table_release(SCOPE_FILE, c);
    free(c->tls.certificate_pem);
    mem_wipe_free(c->tls.key_pem, c->tls.key_pem != NULL ? strlen(c->tls.key_pem) : 0);
    free(c->file);
    free(c);
}

const struct conf_provider *conf_provider_find(const struct conf *c, const char *name)
{
    for (size_t i = 0; i < c->n_providers; i++)
        if (str_eq(c->providers[i].name, name))
            return &c->providers[i];
    return NULL;
}
