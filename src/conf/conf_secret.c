/* SPDX-License-Identifier: MIT */
#include "conf/conf_secret.h"

#include "base/fs.h"
#include "conf/conf_type.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define SECRET_MAX 4096

/* The forms: where a source name leads, and what is in front of it in the text form. */

static int read_file(const char *name, char **data, size_t *len, struct err *err)
{
    return fs_read_private_file(name, SECRET_MAX, data, len, err);
}

static int read_env(const char *name, char **data, size_t *len, struct err *err)
{
    const char *value = getenv(name);

    if (value == NULL)
        return err_set(err, -ENOENT, "the environment variable %s is not set", name);
    *len = strlen(value);
    *data = mem_strndup(value, *len);
    return 0;
}

/* Only systemd and its service see this directory, so there is no mode to check. */
static int read_credential(const char *name, char **data, size_t *len, struct err *err)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    autofree char *path = NULL;

    if (strchr(name, '/') != NULL || name[0] == '.')
        return err_set(err, -EINVAL, "'%s' is not the name of a credential", name);
    if (str_empty(dir))
        return err_set(err, -ENOENT,
                       "credential %s: $CREDENTIALS_DIRECTORY is not set; does the unit have "
                       "LoadCredential=%s:...?",
                       name, name);
    path = fs_join(dir, name);
    return fs_read_file(path, SECRET_MAX, data, len, err);
}

static const struct source {
    const char *word;
    int (*read)(const char *name, char **data, size_t *len, struct err *err);
} sources[] = {{"file", read_file}, {"env", read_env}, {"credential", read_credential}};

#define SECRET_FORMS "{ file: PATH }, { env: NAME } or { credential: NAME }"

static struct slice trim(struct slice s)
{
    static const char blanks[] = " \t\r\n";

    while (s.n > 0 && memchr(blanks, s.p[s.n - 1], sizeof(blanks) - 1) != NULL)
        s.n--;
    while (s.n > 0 && memchr(blanks, s.p[0], sizeof(blanks) - 1) != NULL) {
        s.p++;
        s.n--;
    }
    return s;
}

/* What stands in front of a key behind Authorization: */
static const char *const schemes[] = {"Token ", "Bearer "};

/* Nothing but the name of a scheme: what should follow it was forgotten. */
static const char *bare_scheme(struct slice s)
{
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (s.n == strlen(schemes[i]) - 1 && strncasecmp(s.p, schemes[i], s.n) == 0)
            return schemes[i];
    return NULL;
}

/* People paste what stands behind Authorization: as a whole. */
static struct slice without_scheme(struct slice s)
{
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t n = strlen(schemes[i]);

        if (s.n > n && strncasecmp(s.p, schemes[i], n) == 0)
            return trim((struct slice){s.p + n, s.n - n});
    }
    return s;
}

static int take_value(const char *data, size_t len, struct conf_secret *secret, struct err *err)
{
    struct slice value = without_scheme(trim((struct slice){data, len}));
    const char *scheme = bare_scheme(value);

    if (value.n == 0)
        return err_set(err, -EINVAL, "the secret is empty");
    if (scheme != NULL)
        return err_set(err, -EINVAL,
                       "only the word %.*s stands there; write the key behind it, or alone",
                       (int)strlen(scheme) - 1, scheme);
    if (value.n > SECRET_MAX)
        return err_set(err, -EINVAL, "the secret is longer than %d bytes", SECRET_MAX);
    for (size_t i = 0; i < value.n; i++) {
        if ((unsigned char)value.p[i] <= 0x20 || (unsigned char)value.p[i] >= 0x7f)
            return err_set(err, -EINVAL,
                           "the secret is not one line of printable characters without blanks");
    }
    secret->value = mem_strndup(value.p, value.n);
    secret->len = value.n;
    return 0;
}

void conf_secret_free(struct conf_secret *secret)
{
    free(secret->source);
    mem_wipe_free(secret->value, secret->len);
    *secret = (struct conf_secret){0};
}

static int secret_load(const struct source *source, const char *name, struct conf_secret *secret,
                       struct err *err)
{
    char *data = NULL;
    size_t len = 0;
    int rc = source->read(name, &data, &len, err);

    if (rc == 0) {
        rc = take_value(data, len, secret, err);
        if (rc < 0)
            err_wrap(err, rc, "%s %s", source->word, name);
    }
    mem_wipe_free(data, len);
    if (rc == 0)
        secret->source = mem_printf("%s:%s", source->word, name);
    return rc;
}

/* { file: PATH } or file:PATH; NULL for any other. A finding never repeats the text: it may be the
 * secret itself. */
static const struct source *source_of(const struct conf_node *node, const char **name)
{
    bool map = node->kind == NODE_MAP && node->n == 1 && node->items[0]->kind == NODE_TEXT;

    for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
        size_t n = strlen(sources[i].word);

        if (map && str_eq(node->items[0]->key, sources[i].word))
            *name = node->items[0]->text;
        else if (node->kind == NODE_TEXT && str_starts(node->text, sources[i].word) &&
                 node->text[n] == ':')
            *name = node->text + n + 1;
        else
            continue;
        return str_empty(*name) ? NULL : &sources[i];
    }
    return NULL;
}

bool conf_want_secret(const struct conf_fill *fill, const char *option,
                      const struct conf_node *node, struct conf_secret *secret)
{
    const char *name = NULL;
    const struct source *source = source_of(node, &name);
    autofree char *path = NULL;
    struct err err;

    if (source == NULL) {
        conf_found_at(fill->found, node, "'%s' must be %s; the secret itself never stands here",
                      option, SECRET_FORMS);
        return false;
    }
    if (source->read == read_file && conf_is_tilde(fill, option, node, name))
        return false;
    if (source->read == read_file)
        name = path = fs_join(fill->dir, name);
    if (secret_load(source, name, secret, &err) == 0)
        return true;
    conf_found_at(fill->found, node, "'%s': %s", option, err.text);
    return false;
}

static void set_secret(const struct conf_fill *fill, const struct conf_row *row,
                       const struct conf_node *node, void *object)
{
    conf_secret_free(conf_slot(row, object));
    conf_want_secret(fill, row->doc.name, node, conf_slot(row, object));
}

static bool show_secret(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_secret *secret = conf_slot_const(row, object);

    if (secret->source != NULL)
        conf_show_text(secret->source, out);
    return secret->source != NULL;
}

static void release_secret(const struct conf_row *row, void *object)
{
    conf_secret_free(conf_slot(row, object));
}

const struct conf_type conf_type_secret = {set_secret, show_secret, release_secret};

static void release_previous(const struct conf_row *row, void *object)
{
    struct conf_provider *p = object;

    (void)row;
    for (size_t i = 0; i < p->n_previous_keys; i++)
        conf_secret_free(&p->previous_keys[i]);
    p->n_previous_keys = 0;
}

static void set_previous(const struct conf_fill *fill, const struct conf_row *row,
                         const struct conf_node *node, void *object)
{
    struct conf_provider *p = object;

    release_previous(row, object);
    if (node->kind == NODE_EMPTY)
        return;
    if (node->kind != NODE_LIST || node->n > ARRAY_LEN(p->previous_keys)) {
        conf_found_at(fill->found, node, "'%s' must be a list of at most %zu secrets",
                      row->doc.name, ARRAY_LEN(p->previous_keys));
        return;
    }
    for (size_t i = 0; i < node->n; i++) {
        if (conf_want_secret(fill, row->doc.name, node->items[i],
                             &p->previous_keys[p->n_previous_keys]))
            p->n_previous_keys++;
    }
}

static bool show_previous(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_provider *p = object;

    (void)row;
    for (size_t i = 0; i < p->n_previous_keys; i++) {
        buf_adds(out, i == 0 ? "[" : ", ");
        conf_show_text(p->previous_keys[i].source, out);
    }
    if (p->n_previous_keys != 0)
        buf_addc(out, ']');
    return p->n_previous_keys != 0;
}

const struct conf_type conf_type_previous_keys = {set_previous, show_previous, release_previous};
