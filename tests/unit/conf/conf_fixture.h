/*
 * A directory with configuration files, and what loading them reports.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef TESTS_CONF_FIXTURE_H
#define TESTS_CONF_FIXTURE_H

#include "base/fs.h"
#include "conf/conf.h"

#include <errno.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Three lines; what a test adds starts with line 4. */
#define CONF_GOOD                                                                                  \
    "public_url: http://127.0.0.1:8080\n"                                                          \
    "listen: [http://127.0.0.1:8080]\n"                                                            \
    "providers: { vidu: { key: { file: vidu.key } } }\n"

#define CONF_SECRET "vda_0123456789"

struct conf_fixture {
    char dir[64];
    char found[16384]; /* "FILE:LINE:COLUMN: TEXT\n" each; DIR stands for the directory */
    struct conf *conf;
};

static inline void fixture_path(const struct conf_fixture *f, const char *name, char out[256])
{
    snprintf(out, 256, "%s/%s", f->dir, name);
}

static inline void fixture_write(const struct conf_fixture *f, const char *name, const char *text,
                                 mode_t mode)
{
    char path[256];

    fixture_path(f, name, path);
    assert_int_equal(fs_replace_file(path, text, strlen(text), mode, NULL), 0);
}

/* Appends text with every "/tmp/..." of this fixture as DIR. */
static inline void fixture_note(struct conf_fixture *f, const char *text)
{
    size_t n = strlen(f->dir);

    for (size_t at = strlen(f->found); *text != '\0' && at + 4 < sizeof(f->found);) {
        bool dir = strncmp(text, f->dir, n) == 0;

        memcpy(f->found + at, dir ? "DIR" : text, dir ? 3 : 1);
        at += dir ? 3 : 1;
        text += dir ? n : 1;
        f->found[at] = '\0';
    }
}

static inline void fixture_on_finding(const char *file, int line, int column, const char *text,
                                      void *ctx)
{
    autofree char *all = mem_printf("%s:%d:%d: %s\n", file, line, column, text);

    fixture_note(ctx, all);
}

static inline int fixture_load(struct conf_fixture *f)
{
    char path[256];

    conf_free(f->conf);
    f->conf = NULL;
    f->found[0] = '\0';
    fixture_path(f, "viduhook.yaml", path);
    return conf_load(path, fixture_on_finding, f, &f->conf);
}

static inline int fixture_load_text(struct conf_fixture *f, const char *text)
{
    fixture_write(f, "viduhook.yaml", text, 0600);
    return fixture_load(f);
}

static inline int fixture_setup(void **state)
{
    struct conf_fixture *f = mem_calloc(1, sizeof(*f));

    mem_copy_text(f->dir, sizeof(f->dir), "/tmp/viduhook-conf-XXXXXX");
    if (mkdtemp(f->dir) == NULL)
        return -1;
    fixture_write(f, "vidu.key", CONF_SECRET "\n", 0600);
    *state = f;
    return 0;
}

static inline int fixture_remove(const char *path, const struct stat *st, int kind,
                                 struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline int fixture_teardown(void **state)
{
    struct conf_fixture *f = *state;
    int rc = nftw(f->dir, fixture_remove, 8, FTW_DEPTH | FTW_PHYS);

    conf_free(f->conf);
    free(f);
    return rc;
}

#define CONF_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

/* Rows of text and the exact findings. */
struct conf_case {
    const char *text;
    const char *found;
};

static inline void fixture_expect(struct conf_fixture *f, const struct conf_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int rc = fixture_load_text(f, cases[i].text);

        assert_string_equal(f->found, cases[i].found);
        assert_int_equal(rc, cases[i].found[0] != '\0' ? -EINVAL : 0);
        assert_true((f->conf != NULL) == (rc == 0));
    }
}

#endif
