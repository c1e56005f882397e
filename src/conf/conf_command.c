/* SPDX-License-Identifier: MIT */
#include "conf/conf_command.h"

#include "conf/conf_type.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define VALUE_MAX (32U << 10)
#define OWN_NAMES "VIDUHOOK_"

/* env */

static bool is_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

    return name[0] != '\0' && (name[0] < '0' || name[0] > '9') &&
           name[strspn(name, letters)] == '\0';
}

static void add_variable(const struct conf_fill *fill, const struct conf_row *row,
                         const struct conf_node *item, void *object)
{
    const char *value = item->kind == NODE_TEXT ? item->text : "";
    autofree char *text = NULL;

    if (!is_name(item->key))
        conf_found_key(fill->found, item, "'%s': '%s' cannot be the name of a variable",
                       row->doc.name, item->key);
    else if (str_starts(item->key, OWN_NAMES))
        conf_found_key(fill->found, item, "'%s': names that begin with " OWN_NAMES " are taken",
                       row->doc.name);
    else if (item->kind != NODE_TEXT && item->kind != NODE_EMPTY)
        conf_found_at(fill->found, item, "'%s': the value of %s must be a text, not %s",
                      row->doc.name, item->key, conf_node_kind_name(item));
    else if (strlen(value) > VALUE_MAX)
        conf_found_at(fill->found, item, "'%s': the value of %s is over %u KiB", row->doc.name,
                      item->key, VALUE_MAX >> 10);
    else {
        text = mem_printf("%s=%s", item->key, value);
        conf_list_add(conf_slot(row, object), text);
    }
}

static void set_env(const struct conf_fill *fill, const struct conf_row *row,
                    const struct conf_node *node, void *object)
{
    conf_list_release(row, object);
    if (node->kind == NODE_EMPTY)
        return;
    if (node->kind != NODE_MAP || node->n > CONF_MAX_LIST) {
        conf_found_at(fill->found, node, "'%s' must be a map of at most %d names to texts",
                      row->doc.name, CONF_MAX_LIST);
        return;
    }
    for (size_t i = 0; i < node->n; i++)
        add_variable(fill, row, node->items[i], object);
}

static bool show_env(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_list *env = conf_slot_const(row, object);

    for (size_t i = 0; i < env->n; i++) {
        const char *value = strchr(env->v[i], '=');

        buf_adds(out, i == 0 ? "{ " : ", ");
        buf_add(out, env->v[i], (size_t)(value - env->v[i]));
        buf_adds(out, ": ");
        buf_add_json(out, value + 1, strlen(value + 1));
    }
    if (env->n != 0)
        buf_adds(out, " }");
    return env->n != 0;
}

const struct conf_type conf_type_env = {set_env, show_env, conf_list_release};

/* umask */

static void set_umask(const struct conf_fill *fill, const struct conf_row *row,
                      const struct conf_node *node, void *object)
{
    const char *text = conf_want_text(fill, row->doc.name, node);

    if (text != NULL && !conf_parse_octal(text, conf_slot(row, object)))
        conf_found_at(fill->found, node, "'%s' must be octal, like 0022, not '%s'", row->doc.name,
                      text);
}

const struct conf_type conf_type_umask = {set_umask, conf_show_octal, NULL};

/* What the options alone cannot tell. */

static int find_user(struct conf_hook *hook, struct err *err)
{
    int n = CONF_MAX_GROUPS;
    const struct passwd *user = getpwnam(hook->user);

    if (user == NULL)
        return err_set(err, -ENOENT, "there is no user %s", hook->user);
    if (geteuid() != 0 && user->pw_uid != geteuid())
        return err_set(err, -EPERM,
                       "only a daemon that root has started can run commands as %s; leave it out, "
                       "or start the daemon as %s",
                       hook->user, hook->user);
    hook->as.uid = user->pw_uid;
    hook->as.gid = user->pw_gid;
    mem_replace(&hook->as.home, user->pw_dir);
    if (getgrouplist(hook->user, user->pw_gid, hook->as.groups, &n) < 0)
        return err_set(err, -E2BIG, "%s is in more than %d groups", hook->user, CONF_MAX_GROUPS);
    hook->as.n_groups = (size_t)n;
    return 0;
}

static void check_cwd(const struct conf_fill *fill, const struct conf_node *node,
                      const struct conf_hook *hook)
{
    struct stat st;

    if (stat(hook->cwd, &st) < 0)
        conf_found_at(fill->found, node, "'hooks[].cwd': %s: %s", hook->cwd, strerror(errno));
    else if (!S_ISDIR(st.st_mode))
        conf_found_at(fill->found, node, "'hooks[].cwd': %s: not a directory", hook->cwd);
}

/* Less, and the program ends before its first line: its loader finds no room. */
#define MEMORY_MIN (1U << 20)
#define FILES_MIN  4 /* the three that are open, and a library */

static void check_limits(const struct conf_fill *fill, const struct conf_node *node,
                         const struct conf_hook *hook)
{
    const struct conf_node *limits = conf_node_get(node, "limits");

    if (hook->limits.memory != 0 && hook->limits.memory < MEMORY_MIN)
        conf_found_at(fill->found, conf_node_get(limits, "memory"),
                      "'hooks[].limits.memory': no command starts with less than 1MiB; "
                      "0 is no limit");
    if (hook->limits.files != 0 && hook->limits.files < FILES_MIN)
        conf_found_at(fill->found, conf_node_get(limits, "files"),
                      "'hooks[].limits.files': no command starts with less than %d; 0 is no limit",
                      FILES_MIN);
}

void conf_command_check(const struct conf_fill *fill, const struct conf_node *node,
                        struct conf_hook *hook)
{
    static const char *const options[] = {"cwd", "umask", "env", "user", "limits"};
    struct err err;

    for (size_t i = 0; hook->action != ACTION_EXEC && i < ARRAY_LEN(options); i++)
        if (conf_node_get(node, options[i]) != NULL)
            conf_found_at(fill->found, conf_node_get(node, options[i]),
                          "'hooks[].%s' is for exec: nothing else starts a command", options[i]);
    if (hook->action != ACTION_EXEC)
        return;
    if (hook->cwd != NULL)
        check_cwd(fill, conf_node_get(node, "cwd"), hook);
    if (hook->user != NULL && find_user(hook, &err) < 0)
        conf_found_at(fill->found, conf_node_get(node, "user"), "'hooks[].user': %s", err.text);
    check_limits(fill, node, hook);
}
