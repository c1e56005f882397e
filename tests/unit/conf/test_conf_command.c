/* SPDX-License-Identifier: MIT */
#include "conf/conf_command.h"

#include "conf_fixture.h"

#include <grp.h>

/* A hook of one line; its options start in column 6 of line 5. */
#define HOOK(text) CONF_GOOD "hooks:\n  - { " text " }\n"
#define AT         "DIR/viduhook.yaml:5:"

/* Of every user, in place of libc's. */
static int n_groups = 1;

int getgrouplist(const char *user, gid_t group, gid_t *groups, int *n)
{
    int most = *n;

    (void)user;
    *n = n_groups;
    for (int i = 0; i < n_groups && i < most; i++)
        groups[i] = group + (gid_t)i;
    return n_groups <= most ? n_groups : -1;
}

static void settings_of_commands_are_checked(void **state)
{
    static const struct conf_case cases[] = {
        {HOOK("name: a, exec: /bin/true, cwd: /tmp, umask: 0077, env: { A: b, _C9: }"), ""},
        {HOOK("name: a, exec: /bin/true, cwd: /nope"),
         AT "38: 'hooks[].cwd': /nope: No such file or directory\n"},
        {HOOK("name: a, exec: /bin/true, cwd: /etc/passwd"),
         AT "38: 'hooks[].cwd': /etc/passwd: not a directory\n"},
        {HOOK("name: a, exec: /bin/true, cwd: [/tmp]"),
         AT "38: 'hooks[].cwd' must be a single value, not a list\n"},
        {HOOK("name: a, exec: /bin/true, umask: 0888"),
         AT "40: 'hooks[].umask' must be octal, like 0022, not '0888'\n"},
        {HOOK("name: a, exec: /bin/true, umask: 77"),
         AT "40: 'hooks[].umask' must be octal, like 0022, not '77'\n"},
        {HOOK("name: a, exec: /bin/true, umask: 080"),
         AT "40: 'hooks[].umask' must be octal, like 0022, not '080'\n"},
        {HOOK("name: a, exec: /bin/true, umask: 1000"),
         AT "40: 'hooks[].umask' must be octal, like 0022, not '1000'\n"},
        {HOOK("name: a, exec: /bin/true, umask: [0022]"),
         AT "40: 'hooks[].umask' must be a single value, not a list\n"},
        {HOOK("name: a, exec: /bin/true, env: "), ""},
        {HOOK("name: a, exec: /bin/true, env: { 9A: b }"),
         AT "40: 'hooks[].env': '9A' cannot be the name of a variable\n"},
        {HOOK("name: a, exec: /bin/true, env: { A-B: b }"),
         AT "40: 'hooks[].env': 'A-B' cannot be the name of a variable\n"},
        {HOOK("name: a, exec: /bin/true, env: { '': b }"),
         AT "40: 'hooks[].env': '' cannot be the name of a variable\n"},
        {HOOK("name: a, exec: /bin/true, env: { VIDUHOOK_EVENT: b }"),
         AT "40: 'hooks[].env': names that begin with VIDUHOOK_ are taken\n"},
        {HOOK("name: a, exec: /bin/true, env: { A: [b] }"),
         AT "43: 'hooks[].env': the value of A must be a text, not a list\n"},
        {HOOK("name: a, exec: /bin/true, env: [A]"),
         AT "38: 'hooks[].env' must be a map of at most 64 names to texts\n"},
        {HOOK("name: a, exec: /bin/true, user: no-such-user"),
         AT "39: 'hooks[].user': there is no user no-such-user\n"},
        {HOOK("name: a, exec: /bin/true, limits: { memroy: 1GiB }"),
         AT "43: unknown option 'hooks[].limits.memroy'; did you mean 'memory'?\n"},
        {HOOK("name: a, exec: /bin/true, limits: { memory: 1MiB, files: 4 }"), ""},
        {HOOK("name: a, exec: /bin/true, limits: { memory: 0, files: 0 }"), ""},
        {HOOK("name: a, exec: /bin/true, limits: { memory: 1 }"),
         AT "51: 'hooks[].limits.memory': no command starts with less than 1MiB; 0 is no limit\n"},
        {HOOK("name: a, exec: /bin/true, limits: { files: 3 }"),
         AT "50: 'hooks[].limits.files': no command starts with less than 4; 0 is no limit\n"},
        {HOOK("name: a, exec: /bin/true, env: { LD_PRELOAD: /x.so }"), ""},
        {HOOK("name: a, download: { dir: m }, cwd: /nope"),
         AT "43: 'hooks[].cwd' is for exec: nothing else starts a command\n"},
    };

    fixture_expect(*state, cases, ARRAY_LEN(cases));
}

/* What a daemon that is not root's says of it. */
static void load_as_nobody(struct conf_fixture *f, const char *text)
{
    fixture_write(f, "viduhook.yaml", text, 0644);
    assert_int_equal(chmod(f->dir, 0755), 0);
    if (geteuid() == 0 && seteuid(65534) < 0)
        fail_msg("root cannot become nobody for a moment");
    fixture_load(f);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
}

static void only_root_runs_commands_as_others(void **state)
{
    struct conf_fixture *f = *state;

    load_as_nobody(f, HOOK("name: a, exec: /bin/true, user: root"));
    assert_non_null(strstr(f->found, "only a daemon that root has started can run commands as "
                                     "root; leave it out, or start the daemon as root"));
    if (getuid() != 0)
        skip();
    load_as_nobody(f, HOOK("name: a, exec: /bin/true, user: nobody"));
    assert_null(strstr(f->found, "hooks[].user"));
}

static void root_runs_commands_as_anybody_in_64_groups(void **state)
{
    struct conf_fixture *f = *state;
    const struct conf_hook *h;

    if (geteuid() != 0)
        skip();
    n_groups = CONF_MAX_GROUPS;
    assert_int_equal(fixture_load_text(f, HOOK("name: a, exec: /bin/true, user: nobody")), 0);
    h = &f->conf->hooks[0];
    assert_int_equal(h->as.uid, 65534);
    assert_int_equal(h->as.n_groups, CONF_MAX_GROUPS);
    n_groups = CONF_MAX_GROUPS + 1;
    assert_int_equal(fixture_load(f), -EINVAL);
    assert_string_equal(f->found, AT "39: 'hooks[].user': nobody is in more than 64 groups\n");
    n_groups = 1;
}

/* A hook with so many variables, the last of so many bytes. */
static int load_env(struct conf_fixture *f, int n, int bytes)
{
    autobuf struct buf text = BUF_INIT(1U << 17);

    buf_adds(&text, CONF_GOOD "hooks:\n  - name: a\n    exec: /bin/true\n    env:\n");
    for (int i = 0; i < n; i++)
        buf_addf(&text, "      V%02d: %0*d\n", i, i + 1 < n ? 1 : bytes, 7);
    return fixture_load_text(f, buf_text(&text));
}

static void variables_are_few_and_short(void **state)
{
    struct conf_fixture *f = *state;

    assert_int_equal(load_env(f, 64, 32 << 10), 0);
    assert_int_equal(f->conf->hooks[0].env.n, 64);
    assert_int_equal(strlen(f->conf->hooks[0].env.v[63]), (32 << 10) + 4);
    assert_int_equal(load_env(f, 65, 1), -EINVAL);
    assert_string_equal(f->found, "DIR/viduhook.yaml:8:7: 'hooks[].env' must be a map of at most "
                                  "64 names to texts\n");
    assert_int_equal(load_env(f, 1, (32 << 10) + 1), -EINVAL);
    assert_string_equal(f->found,
                        "DIR/viduhook.yaml:8:12: 'hooks[].env': the value of V00 is over 32 KiB\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(settings_of_commands_are_checked),
        CONF_TEST(only_root_runs_commands_as_others),
        CONF_TEST(root_runs_commands_as_anybody_in_64_groups),
        CONF_TEST(variables_are_few_and_short),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
