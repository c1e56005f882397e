/* import. SPDX-License-Identifier: MIT */
#include "base/fs.h"
#include "cli/body.h"
#include "cli/commands.h"
#include "cli/field.h"
#include "vidu/endpoint.h"
#include "vidu/id.h"
#include "vidu/tag.h"

#include <errno.h>
#include <string.h>

#define MAX_FILE  (64U << 20)
#define MAX_LINE  (64U << 10)
#define MAX_TASKS 100000

struct import {
    struct cli *cli;
    const struct options *o;
    const char *file;
    struct control *control;
    json_t *tags;  /* of the command line, for all */
    json_t *tasks; /* arguments of `adopt`, in the order of the file */
    json_t *lines; /* their numbers */
    size_t n_bad;
    json_t *adopted;
};

static int check_provider(const struct import *im, const char *name, struct err *err)
{
    autobuf struct buf names = BUF_INIT(4096);
    const json_t *known;
    size_t i;

    json_array_foreach (field_array(control_hello(im->control), "providers"), i, known) {
        if (str_eq(json_string_value(known), name))
            return 0;
        buf_addf(&names, "%s%s", i > 0 ? ", " : "", json_string_value(known));
    }
    return err_set(err, -EINVAL, "provider %s is not configured; there are: %s", name,
                   buf_text(&names));
}

static int check_members(const json_t *task, struct err *err)
{
    static const char *const names[] = {"remote_id", "provider", "endpoint", "tags"};
    const char *name;
    json_t *value;

    json_object_foreach ((json_t *)(uintptr_t)task, name, value) { /* only reads it */
        bool known = false;

        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            known = known || str_eq(name, names[i]);
        if (!known)
            return err_set(err, -EINVAL,
                           "unknown member %s; there are remote_id, provider, endpoint and tags",
                           name);
        if (str_eq(name, "tags") ? !json_is_object(value) : !json_is_string(value))
            return err_set(err, -EINVAL, "%s is not %s", name,
                           str_eq(name, "tags") ? "an object" : "a text");
    }
    return 0;
}

/* What was left out comes from the command line. What the daemon would refuse is refused here,
 * before the first line is taken over. */
static int complete(const struct import *im, json_t *task, struct err *err)
{
    const char *id = field_text(task, "remote_id");
    const char *endpoint = json_string_value(json_object_get(task, "endpoint"));
    autofree char *tags = NULL;

    if (json_object_get(task, "provider") == NULL)
        field_set_text(task, "provider", options_text(im->o, "provider"));
    if (json_object_get(task, "tags") == NULL)
        (void)json_object_set_new(task, "tags", json_object());
    (void)json_object_update_missing(json_object_get(task, "tags"), im->tags);
    if (json_object_get(task, "remote_id") == NULL)
        return err_set(err, -EINVAL, "remote_id is missing");
    if (!id_is_remote(id, strlen(id)))
        return err_set(err, -EINVAL, "'%s' is not an id of a provider", id);
    if (json_object_get(task, "provider") == NULL)
        return err_set(err, -EINVAL, "who has it? there is no provider, and no --provider");
    if (endpoint != NULL && endpoint_check_task(endpoint, err) < 0)
        return -EINVAL;
    tags = tags_text(json_object_get(task, "tags"), err);
    if (tags == NULL)
        return -EINVAL;
    return check_provider(im, field_text(task, "provider"), err);
}

static int read_line(struct import *im, const char *p, size_t n, size_t number, struct err *err)
{
    json_error_t at;
    json_t *task;
    int rc;

    if (n > MAX_LINE)
        return err_set(err, -E2BIG, "longer than %u KiB", MAX_LINE >> 10);
    if (json_array_size(im->tasks) >= MAX_TASKS)
        return err_set(err, -E2BIG, "more than %d tasks; split the file", MAX_TASKS);
    task = json_loadb(p, n, JSON_REJECT_DUPLICATES, &at);
    if (!json_is_object(task)) {
        json_decref(task);
        return err_set(err, -EINVAL, "not an object of JSON%s%s", task == NULL ? ": " : "",
                       task == NULL ? at.text : "");
    }
    rc = check_members(task, err);
    if (rc == 0)
        rc = complete(im, task, err);
    if (rc == 0) {
        (void)json_array_append(im->tasks, task);
        (void)json_array_append_new(im->lines, json_integer((json_int_t)number));
    }
    json_decref(task);
    return rc;
}

/* Every bad line is reported; blank ones are none. */
static void read_lines(struct import *im, const char *text, size_t len)
{
    size_t number = 0;

    for (size_t at = 0; at < len; at++) {
        const char *p = text + at;
        const char *newline = memchr(p, '\n', len - at);
        size_t n = newline != NULL ? (size_t)(newline - p) : len - at;
        struct err err;

        number++;
        if (n != strspn(p, " \t\r") && read_line(im, p, n, number, &err) < 0) {
            cli_note("%s:%zu: %s", im->file, number, err.text);
            im->n_bad++;
        }
        at += n;
    }
}

static int adopt_one(struct import *im, size_t i)
{
    json_t *args = json_array_get(im->tasks, i);
    json_t *answer = NULL;
    int status = cli_ask_on(im->cli, im->control, "adopt", json_incref(args), &answer);

    if (status == EXIT_OK)
        (void)json_array_append_new(im->adopted, json_pack("{s:s, s:s}", "remote_id",
                                                           field_text(args, "remote_id"), "task",
                                                           field_text(answer, "task")));
    json_decref(answer);
    return status;
}

static int adopt_all(struct import *im)
{
    json_t *all = json_pack("{s:O}", "tasks", im->adopted);
    size_t n = json_array_size(im->tasks);
    int status = EXIT_OK;

    im->cli->document = all;
    for (size_t i = 0; i < n && status == EXIT_OK; i++) {
        status = adopt_one(im, i);
        if (status != EXIT_OK)
            cli_note("%s:%lld: not taken over, and neither is what follows; once more is harmless",
                     im->file, (long long)json_integer_value(json_array_get(im->lines, i)));
    }
    if (im->cli->json)
        cli_print_json(all);
    else
        printf("%zu of %zu taken over\n", json_array_size(im->adopted), n);
    im->cli->document = NULL;
    json_decref(all);
    return status;
}

static int import(struct import *im)
{
    autofree char *text = NULL;
    struct err err;
    size_t len;

    if (body_tags(im->o, &im->tags, &err) < 0)
        return cli_fail(im->cli, EXIT_USAGE, &err);
    if (fs_read_file(im->file, MAX_FILE, &text, &len, &err) < 0)
        return cli_fail(im->cli, EXIT_FAILED, &err);
    if (cli_connect(im->cli, &im->control, &err) < 0)
        return cli_fail(im->cli, EXIT_UNREACHABLE, &err);
    read_lines(im, text, len);
    if (im->n_bad > 0) {
        err_set(&err, -EINVAL, "%s: %zu bad line%s; nothing was taken over", im->file, im->n_bad,
                im->n_bad == 1 ? "" : "s");
        return cli_fail(im->cli, EXIT_USAGE, &err);
    }
    return adopt_all(im);
}

int command_import(struct cli *cli, const struct options *o)
{
    struct import im = {.cli = cli,
                        .o = o,
                        .file = o->words[0],
                        .tasks = json_array(),
                        .lines = json_array(),
                        .adopted = json_array()};
    int status = import(&im);

    control_close(im.control);
    json_decref(im.tags);
    json_decref(im.tasks);
    json_decref(im.lines);
    json_decref(im.adopted);
    return status;
}
