/* SPDX-License-Identifier: MIT */
#include "conf/conf_path.h"

#include "conf_fixture.h"

#include <sys/wait.h>

#define ETC VIDUHOOK_SYSCONFDIR "/viduhook/viduhook.yaml"
#define RUN VIDUHOOK_RUNSTATEDIR "/viduhook/control.sock"
#define VAR "sqlite:" VIDUHOOK_LOCALSTATEDIR "/lib/viduhook/viduhook.db"

static const char *const variables[] = {"RUNTIME_DIRECTORY", "STATE_DIRECTORY", "XDG_RUNTIME_DIR",
                                        "XDG_STATE_HOME",    "XDG_CONFIG_HOME", "HOME"};

struct path_case {
    const char *name, *value; /* the variable that is set besides HOME=/home/u */
    const char *control, *store, *config;
};

static const char *differing(const struct path_case *row)
{
    autofree char *control = NULL;
    autofree char *store = NULL;
    autofree char *config = NULL;
    bool installed = access(ETC, F_OK) == 0;

    for (size_t i = 0; i < ARRAY_LEN(variables); i++)
        unsetenv(variables[i]);
    setenv("HOME", "/home/u", 1);
    if (row->name != NULL)
        setenv(row->name, row->value, 1);
    control = conf_path_control();
    store = conf_path_store();
    config = conf_default_path();
    if (!str_eq(control, row->control))
        return "control";
    if (!str_eq(store, row->store))
        return "store";
    return str_eq(config, installed ? ETC : row->config) ? NULL : "config";
}

/* In a child, so that root can be somebody else for a while. */
static void expect_paths(const struct path_case *rows, size_t n, uid_t uid)
{
    for (size_t i = 0; i < n; i++) {
        pid_t child = fork();
        int status;

        if (child == 0) {
            const char *what =
                geteuid() == uid || seteuid(uid) == 0 ? differing(&rows[i]) : "seteuid";

            if (what != NULL)
                print_error("row %zu: %s\n", i, what);
            _exit(what != NULL);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
}

static void root_has_the_directories_of_the_machine(void **state)
{
    static const struct path_case rows[] = {
        {NULL, NULL, RUN, VAR, ETC},
        {"XDG_RUNTIME_DIR", "/run/user/0", RUN, VAR, ETC},
        {"XDG_CONFIG_HOME", "/c", RUN, VAR, ETC},
        {"RUNTIME_DIRECTORY", "/run/a:/run/b", "/run/a/control.sock", VAR, ETC},
        {"STATE_DIRECTORY", "/s", RUN, "sqlite:/s/viduhook.db", ETC},
    };

    (void)state;
    if (geteuid() != 0)
        skip();
    expect_paths(rows, ARRAY_LEN(rows), 0);
}

static void a_user_has_directories_of_their_own(void **state)
{
    static const char home_sock[] = "/home/u/.local/state/viduhook/control.sock";
    static const char home_db[] = "sqlite:/home/u/.local/state/viduhook/viduhook.db";
    static const char home_yaml[] = "/home/u/.config/viduhook/viduhook.yaml";
    static const struct path_case rows[] = {
        {NULL, NULL, home_sock, home_db, home_yaml},
        {"XDG_RUNTIME_DIR", "/run/user/9", "/run/user/9/viduhook/control.sock", home_db, home_yaml},
        {"XDG_STATE_HOME", "/x", "/x/viduhook/control.sock", "sqlite:/x/viduhook/viduhook.db",
         home_yaml},
        {"XDG_STATE_HOME", "/x:y", "/x:y/viduhook/control.sock", "sqlite:/x:y/viduhook/viduhook.db",
         home_yaml},
        {"XDG_STATE_HOME", "relative", home_sock, home_db, home_yaml},
        {"XDG_CONFIG_HOME", "/c", home_sock, home_db, "/c/viduhook/viduhook.yaml"},
        {"RUNTIME_DIRECTORY", "/run/a", "/run/a/control.sock", home_db, home_yaml},
        {"STATE_DIRECTORY", "/s", "/s/control.sock", "sqlite:/s/viduhook.db", home_yaml},
        {"HOME", "", VIDUHOOK_LOCALSTATEDIR "/lib/viduhook/control.sock", VAR, ETC},
    };

    (void)state;
    expect_paths(rows, ARRAY_LEN(rows), geteuid() != 0 ? geteuid() : 65534);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONF_TEST(root_has_the_directories_of_the_machine),
        CONF_TEST(a_user_has_directories_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
