/* SPDX-License-Identifier: MIT */
#include "cli/signing.h"

#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define SECRET_MAX 4096

static struct slice trimmed(const char *p, size_t n)
{
    while (n > 0 && strchr(" \t\r\n", p[n - 1]) != NULL)
        n--;
    while (n > 0 && strchr(" \t\r\n", p[0]) != NULL) {
        p++;
        n--;
    }
    return (struct slice){p, n};
}

static struct slice without_scheme(struct slice s)
{
    static const char *const schemes[] = {"Token ", "Bearer "};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        size_t n = strlen(schemes[i]);

        if (s.n > n && strncasecmp(s.p, schemes[i], n) == 0)
            return trimmed(s.p + n, s.n - n);
    }
    return s;
}

static int add_secret(struct signing_secrets *s, const char *text, size_t n, const char *source,
                      struct err *err)
{
    struct slice secret = without_scheme(trimmed(text, n));

    if (secret.n == 0)
        return err_set(err, -EINVAL, "%s holds no secret", source);
    if (memchr(secret.p, '\n', secret.n) != NULL)
        return err_set(err, -EINVAL, "%s holds more than one line", source);
    if (s->n == SIGNING_MAX_SECRETS)
        return err_set(err, -E2BIG, "at most %d secrets", SIGNING_MAX_SECRETS);
    s->v[s->n++] = (struct slice){mem_strndup(secret.p, secret.n), secret.n};
    return 0;
}

/* No need of a regular file: a shell may hand over a pipe. */
static int add_file(struct signing_secrets *s, const char *name, struct err *err)
{
    bool standard = str_eq(name, "-");
    autoclose int opened = standard ? -1 : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char *text = NULL;
    size_t n = 0;
    int rc;

    if (!standard && opened < 0)
        return err_sys(err, -errno, "%s", name);
    rc = fs_read_fd(standard ? STDIN_FILENO : opened, SECRET_MAX, &text, &n);
    rc = rc < 0 ? err_sys(err, rc, "%s", name) : add_secret(s, text, n, name, err);
    mem_wipe_free(text, n);
    return rc;
}

static int add_environment(struct signing_secrets *s, const char *name, struct err *err)
{
    const char *text = getenv(name);

    if (text == NULL)
        return err_set(err, -ENOENT, "the environment variable %s is not set", name);
    return add_secret(s, text, strlen(text), name, err);
}

static int read_all(const struct options *o, struct signing_secrets *s, struct err *err)
{
    const char *name;
    size_t at = 0;
    int rc = 0;

    while (rc == 0 && (name = options_next(o, "secret-file", &at)) != NULL)
        rc = add_file(s, name, err);
    at = 0;
    while (rc == 0 && (name = options_next(o, "secret-env", &at)) != NULL)
        rc = add_environment(s, name, err);
    if (rc == 0 && s->n == 0)
        rc = err_set(err, -EINVAL, "--secret-file or --secret-env is needed");
    return rc;
}

int signing_read_secrets(const struct options *o, struct signing_secrets *out, struct err *err)
{
    struct signing_secrets s = {.n = 0};
    int rc = read_all(o, &s, err);

    if (rc < 0)
        signing_clear_secrets(&s);
    else
        *out = s;
    return rc;
}

void signing_clear_secrets(struct signing_secrets *s)
{
    for (size_t i = 0; i < s->n; i++)
        mem_wipe_free((char *)(uintptr_t)s->v[i].p, s->v[i].n);
    s->n = 0;
}

/* Where the path begins: behind the authority of a URL, at once in a request target. */
static const char *path_start(const char *text)
{
    const char *scheme = strstr(text, "://");

    if (text[0] == '/')
        return text;
    return scheme != NULL && scheme != text ? scheme + 3 + strcspn(scheme + 3, "/?") : NULL;
}

int signing_split_url(const char *text, struct slice *path, struct slice *query, struct err *err)
{
    const char *start = path_start(text);
    size_t n;

    if (start == NULL)
        return err_set(err, -EINVAL, "%s: not a URL", text);
    if (strpbrk(text, "# \t\r\n") != NULL)
        return err_set(err, -EINVAL, "%s: a callback URL has no blank and no fragment", text);
    n = strcspn(start, "?");
    *path = (struct slice){start, n};
    *query = slice_str(start[n] == '?' ? start + n + 1 : "");
    return 0;
}
