/* SPDX-License-Identifier: MIT */
#include "conf/conf_hook.h"

#include "conf/conf_command.h"
#include "conf/conf_download.h"
#include "conf/conf_http.h"
#include "conf/conf_provider.h"
#include "conf/conf_type.h"
#include "vidu/nearest.h"
#include "vidu/template.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXEC_TIMEOUT_MS     300000
#define DOWNLOAD_TIMEOUT_MS 3600000

/* The command of an exec hook. */

static int check_program(const char *path, struct err *err)
{
    struct stat st;

    if (strpbrk(path, "{}") != NULL)
        return err_set(err, -EINVAL, "the program must not contain placeholders: %s", path);
    if (path[0] != '/')
        return err_set(err, -EINVAL, "the program must be an absolute path, not '%s'", path);
    if (stat(path, &st) < 0 && strchr(path, ' ') != NULL)
        return err_set(err, -errno, "%s: %s; arguments are items of their own: [PROGRAM, ARGUMENT]",
                       path, strerror(errno));
    if (stat(path, &st) < 0)
        return err_sys(err, -errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return err_set(err, -EINVAL, "%s: not a regular file", path);
    if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) < 0)
        return err_set(err, -EACCES, "%s: not executable; run: chmod +x %s", path, path);
    return 0;
}

static void add_argument(const struct conf_fill *fill, const struct conf_row *row,
                         const struct conf_node *item, void *object)
{
    struct conf_list *argv = conf_slot(row, object);
    struct err err;
    int rc = argv->n == 0 ? check_program(item->text, &err) : template_check(item->text, &err);

    if (rc < 0)
        conf_found_at(fill->found, item, "'%s': %s", row->doc.name, err.text);
    conf_list_add(argv, item->text);
}

static void set_argv(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *node, void *object)
{
    struct conf_list *argv = conf_slot(row, object);

    conf_list_free(argv);
    if (conf_each(fill, row, node, CONF_MAX_LIST, add_argument, object) && argv->n == 0)
        conf_found_at(fill->found, node, "'%s' names no program", row->doc.name);
}

const struct conf_type conf_type_argv = {set_argv, conf_list_show, conf_list_release};

/* What one option alone cannot tell. */

static void check_name(const struct conf_fill *fill, const struct conf_node *node,
                       const struct conf *c, const struct conf_hook *hook)
{
    const struct conf_node *at = conf_node_get(node, "name");
    const struct conf_hook *first = conf_hook_find(c, hook->name);

    if (hook->name == NULL)
        return;
    if (!conf_name_is_good(hook->name))
        conf_found_at(fill->found, at, "the name of a hook must be " CONF_NAME_FORM);
    if (first != hook)
        conf_found_at(fill->found, at, "a hook '%s' stands above already", hook->name);
}

static void check_download(const struct conf_fill *fill, const struct conf_node *download,
                           const struct conf_hook *hook)
{
    if (download->kind != NODE_MAP && download->kind != NODE_EMPTY)
        return;
    if (conf_node_get(download, "dir") == NULL)
        conf_found_at(fill->found, download, "'hooks[].download.dir' is missing");
    else if (hook->download.dir != NULL && strpbrk(hook->download.dir, "{}") != NULL)
        conf_found_at(fill->found, conf_node_get(download, "dir"),
                      "'hooks[].download.dir' must not contain placeholders");
    conf_download_check(fill, download, hook);
}

static void check_action(const struct conf_fill *fill, const struct conf_node *node,
                         struct conf_hook *hook)
{
    const struct conf_node *download = conf_node_get(node, "download");
    const struct conf_node *http = conf_node_get(node, "http");
    const struct conf_node *exec = conf_node_get(node, "exec");

    if ((exec != NULL) + (download != NULL) + (http != NULL) != 1) {
        conf_found_at(fill->found, node,
                      "hook '%s' must have exactly one of exec, download and http",
                      str_or(hook->name, "?"));
        return;
    }
    if (download != NULL) {
        hook->action = ACTION_DOWNLOAD;
        check_download(fill, download, hook);
    } else if (http != NULL) {
        hook->action = ACTION_HTTP;
        conf_http_check(fill, http, hook);
    } else {
        hook->action = ACTION_EXEC;
    }
}

/* Until the option says otherwise. */
static int64_t timeout_of(const struct conf_node *node)
{
    const struct conf_node *http = conf_node_get(node, "http");

    if (conf_node_get(node, "download") != NULL)
        return DOWNLOAD_TIMEOUT_MS;
    return http != NULL ? conf_http_timeout_ms(http) : EXEC_TIMEOUT_MS;
}

static void check_events(const struct conf_fill *fill, const struct conf_node *node,
                         const struct conf_hook *hook)
{
    for (int e = EVENT_DISK_LOW; hook->action == ACTION_DOWNLOAD && e < EVENT_COUNT; e++)
        if ((hook->on & 1U << e) != 0)
            conf_found_at(fill->found, conf_node_get(node, "on"),
                          "'hooks[].on': %s is of no task, so there is nothing to download",
                          conf_event_name((enum conf_event)e));
}

static void check_retry(const struct conf_fill *fill, const struct conf_node *node,
                        const struct conf_hook *hook)
{
    const struct conf_node *retry = conf_node_get(node, "retry");

    if (hook->retry.from_ms > hook->retry.to_ms)
        conf_found_at(fill->found, retry, "'hooks[].retry.from' is longer than 'hooks[].retry.to'");
}

/* Only a hook above can be waited for, so no circle can arise. */
static void check_before(const struct conf_fill *fill, const struct conf_node *at,
                         const struct conf *c, const struct conf_hook *hook, const char *name)
{
    const struct conf_hook *before = conf_hook_find(c, name);
    struct nearest nearest = NEAREST_INIT(name);

    if ((before == NULL && fill->partial) || (before != NULL && before < hook))
        return;
    if (before == hook) {
        conf_found_at(fill->found, at, "hook '%s' waits for itself", name);
        return;
    }
    if (before != NULL) {
        conf_found_at(fill->found, at, "hook '%s' stands below; move it above '%s'", name,
                      str_or(hook->name, "?"));
        return;
    }
    for (const struct conf_hook *h = c->hooks; h < hook; h++)
        if (h->name != NULL)
            nearest_offer(&nearest, h->name);
    if (nearest.best != NULL)
        conf_found_at(fill->found, at, "there is no hook '%s'; did you mean '%s'?", name,
                      nearest.best);
    else
        conf_found_at(fill->found, at, "there is no hook '%s'", name);
}

/* A hook is called together with the one it waits for; only `viduhook trigger` lets none wait. */
static void check_common(const struct conf_fill *fill, const struct conf_node *at,
                         const struct conf_hook *hook, const struct conf_hook *before)
{
    if (before == NULL || before >= hook || before->on == 0 || hook->on == 0 ||
        (hook->on & (before->on | 1U << EVENT_TEST)) != 0)
        return;
    conf_found_at(fill->found, at,
                  "hook '%s' is never called: hook '%s', which it waits for, has none of its "
                  "events; without 'on' that is success",
                  str_or(hook->name, "?"), before->name);
}

/* Runs find the one they wait for by task and event, so that must be one. */
static void check_chain(const struct conf_fill *fill, const struct conf_node *node,
                        const struct conf *c, const struct conf_hook *hook)
{
    const struct conf_node *at =
        conf_node_get(node, hook->after != NULL ? "after" : "after_failure");

    if (conf_hook_before(hook) == NULL)
        return;
    check_before(fill, at, c, hook, conf_hook_before(hook));
    check_common(fill, at, hook, conf_hook_find(c, conf_hook_before(hook)));
    if (hook->after != NULL && hook->after_failure != NULL)
        conf_found_at(fill->found, conf_node_get(node, "after_failure"),
                      "hook '%s' can have only one of after and after_failure",
                      str_or(hook->name, "?"));
    for (int e = EVENT_QUARANTINED; e < EVENT_COUNT; e++)
        if ((hook->on & 1U << e) != 0)
            conf_found_at(fill->found, conf_node_get(node, "on"),
                          "'hooks[].on': a hook that waits for another one cannot have %s, which "
                          "may happen more than once",
                          conf_event_name((enum conf_event)e));
}

static void fill_hook(const struct conf_fill *fill, const struct conf_node *node,
                      struct conf_hook *hook)
{
    if (node->kind != NODE_MAP) {
        conf_found_at(fill->found, node, "a hook must be a map of options, not %s",
                      conf_node_kind_name(node));
        return;
    }
    hook->timeout_ms = timeout_of(node);
    if (conf_node_get(node, "http") != NULL)
        conf_http_begin(conf_node_get(node, "http"), hook);
    conf_table_fill(fill, SCOPE_HOOK, node, hook);
    check_action(fill, node, hook);
    conf_command_check(fill, node, hook);
    check_events(fill, node, hook);
    check_retry(fill, node, hook);
}

static void release_hooks(const struct conf_row *row, void *object)
{
    struct conf *c = object;

    (void)row;
    for (size_t i = 0; i < c->n_hooks; i++) {
        conf_table_release(SCOPE_HOOK, &c->hooks[i]);
        free(c->hooks[i].as.home);
        c->hooks[i].as.home = NULL;
    }
    c->n_hooks = 0;
}

static void set_hooks(const struct conf_fill *fill, const struct conf_row *row,
                      const struct conf_node *node, void *object)
{
    struct conf *c = object;

    release_hooks(row, object);
    if (node->kind == NODE_EMPTY)
        return;
    if (node->kind != NODE_LIST || node->n > CONF_MAX_HOOKS) {
        conf_found_at(fill->found, node, "'hooks' must be a list of at most %d hooks",
                      CONF_MAX_HOOKS);
        return;
    }
    for (size_t i = 0; i < node->n; i++)
        fill_hook(fill, node->items[i], &c->hooks[c->n_hooks++]);
    for (size_t i = 0; i < node->n; i++) {
        check_name(fill, node->items[i], c, &c->hooks[i]);
        check_chain(fill, node->items[i], c, &c->hooks[i]);
    }
}

const struct conf_type conf_type_hooks = {set_hooks, NULL, release_hooks};

/* Events */

static const struct event {
    const char *name;
    int state; /* that causes it; -1: none does */
} events[EVENT_COUNT] = {
    [EVENT_PROCESSING] = {"processing", STATE_PROCESSING},
    [EVENT_SUCCESS] = {"success", STATE_SUCCESS},
    [EVENT_FAILED] = {"failed", STATE_FAILED},
    [EVENT_CANCELLED] = {"cancelled", STATE_CANCELLED},
    [EVENT_LOST] = {"lost", STATE_LOST},
    [EVENT_TEST] = {"test", -1},
    [EVENT_QUARANTINED] = {"quarantined", -1},
    [EVENT_DEAD] = {"dead", -1},
    [EVENT_DISK_LOW] = {"disk_low", -1},
    [EVENT_CERT_EXPIRING] = {"cert_expiring", -1},
    [EVENT_SIGNATURE_FAILURES] = {"signature_failures", -1},
    [EVENT_PROVIDER_DOWN] = {"provider_down", -1},
};

const char *conf_event_name(enum conf_event e)
{
    return (unsigned)e < EVENT_COUNT ? events[e].name : "?";
}

bool conf_event_from_name(const char *name, enum conf_event *out)
{
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        if (!str_eq(events[i].name, name))
            continue;
        *out = (enum conf_event)i;
        return true;
    }
    return false;
}

bool conf_event_from_state(enum task_state s, enum conf_event *out)
{
    for (size_t i = 0; i < EVENT_COUNT; i++) {
        if (events[i].state != (int)s)
            continue;
        *out = (enum conf_event)i;
        return true;
    }
    return false;
}

const struct conf_hook *conf_hook_find(const struct conf *c, const char *name)
{
    for (size_t i = 0; name != NULL && i < c->n_hooks; i++)
        if (str_eq(c->hooks[i].name, name))
            return &c->hooks[i];
    return NULL;
}

const char *conf_hook_before(const struct conf_hook *h)
{
    return h->after != NULL ? h->after : h->after_failure;
}
