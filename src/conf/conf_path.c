/* SPDX-License-Identifier: MIT */
#include "conf/conf_path.h"

#include "base/mem.h"
#include "base/str.h"
#include "conf/conf.h"

#include <string.h>
#include <unistd.h>

/* NULL unless it is an absolute path. */
static char *env_dir(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] == '/' ? mem_strdup(value) : NULL;
}

/* The first of those that systemd gives, with colons between. */
static char *first_dir(const char *name)
{
    char *dirs = env_dir(name);

    if (dirs != NULL)
        dirs[strcspn(dirs, ":")] = '\0';
    return dirs;
}

/* $name, or $HOME/fallback, or NULL. */
static char *xdg_dir(const char *name, const char *fallback)
{
    char *dir = env_dir(name);
    const char *home = getenv("HOME");

    if (dir != NULL)
        return dir;
    return home != NULL && home[0] == '/' ? mem_printf("%s/%s", home, fallback) : NULL;
}

static char *state_dir(void)
{
    autofree char *given = first_dir("STATE_DIRECTORY");
    autofree char *own = geteuid() != 0 ? xdg_dir("XDG_STATE_HOME", ".local/state") : NULL;

    if (given != NULL)
        return mem_strdup(given);
    return own != NULL ? mem_printf("%s/viduhook", own)
                       : mem_strdup(VIDUHOOK_LOCALSTATEDIR "/lib/viduhook");
}

char *conf_path_store(void)
{
    autofree char *dir = state_dir();

    return mem_printf("sqlite:%s/viduhook.db", dir);
}

char *conf_path_control(void)
{
    autofree char *given = first_dir("RUNTIME_DIRECTORY");
    autofree char *own = env_dir("XDG_RUNTIME_DIR");
    autofree char *state = state_dir();

    if (given != NULL)
        return mem_printf("%s/control.sock", given);
    if (geteuid() == 0)
        return mem_strdup(VIDUHOOK_RUNSTATEDIR "/viduhook/control.sock");
    return own != NULL ? mem_printf("%s/viduhook/control.sock", own)
                       : mem_printf("%s/control.sock", state);
}

char *conf_default_path(void)
{
    static const char machine[] = VIDUHOOK_SYSCONFDIR "/viduhook/viduhook.yaml";
    autofree char *dir = geteuid() != 0 ? xdg_dir("XDG_CONFIG_HOME", ".config") : NULL;
    autofree char *own = dir != NULL ? mem_printf("%s/viduhook/viduhook.yaml", dir) : NULL;
    bool use_own = own != NULL && (access(own, F_OK) == 0 || access(machine, F_OK) != 0);

    return mem_strdup(use_own ? own : machine);
}
