/* submit: the request is built, shown or sent. SPDX-License-Identifier: MIT */
#include "cli/submit.h"

#include "base/fs.h"
#include "cli/body.h"
#include "cli/commands.h"
#include "cli/field.h"
#include "cli/upload.h"
#include "vidu/request.h"

#include <errno.h>
#include <string.h>

#define SUBMIT_MS (5 * 60 * 1000) /* 20 MiB up a slow line, and the provider's time to think */

static void on_warning(const char *line, void *ctx)
{
    (void)ctx;
    cli_note("warning: %s", line);
}

static bool is_synchronous(const struct submission *s)
{
    return s->endpoint != NULL && s->endpoint->query == ENDPOINT_QUERY_NONE;
}

static bool wants_to_wait(const struct submission *s)
{
    return options_has(s->o, "wait") || options_has(s->o, "output") || options_has(s->o, "timeout");
}

static int find_endpoint(struct submission *s, struct err *err)
{
    const char *name = s->o->words[0];
    const char *near = endpoint_suggest(name);

    s->endpoint = endpoint_find(name);
    if (s->endpoint != NULL && strchr(name, '{') != NULL)
        return err_set(err, -EINVAL,
                       "%s: write the id that the provider gave the task in the place of {id}",
                       name);
    if (is_synchronous(s) && wants_to_wait(s))
        return err_set(err, -EINVAL,
                       "%s answers at once and makes no task to wait for: leave out --wait, "
                       "--timeout and --output",
                       name);
    if (s->endpoint != NULL || options_has(s->o, "force"))
        return 0;
    if (near != NULL)
        return err_set(err, -EINVAL, "unknown endpoint %s; did you mean %s?", name, near);
    return err_set(
        err, -EINVAL,
        "unknown endpoint %s; `viduhook help submit` lists them (--force sends it anyway)", name);
}

/* Whose rules shape the request. Without a readable configuration the daemon knows better. */
static int find_profile(struct submission *s, struct err *err)
{
    const char *name = options_text(s->o, "provider");
    const struct conf *conf = cli_conf(s->cli);
    const struct conf_provider *provider = NULL;

    if (conf != NULL && name != NULL)
        provider = conf_provider_find(conf, name);
    else if (conf != NULL && conf->n_providers > 0)
        provider = &conf->providers[0];
    if (provider != NULL)
        s->speech = conf_provider_speech(provider);
    s->profile = provider != NULL ? &s->speech : provider_profile_find(str_or(name, "vidu"));
    if (s->profile == NULL && options_has(s->o, "dry-run"))
        return err_set(err, -EINVAL, "--provider %s: neither configured nor built in", name);
    if (s->profile == NULL)
        s->profile = provider_profile_find("vidu");
    s->base_url = provider != NULL ? provider->base_url : s->profile->base_url;
    s->called_back = s->endpoint != NULL && s->endpoint->accepts_callback &&
                     (provider != NULL ? provider->mode != MODE_POLL : s->profile->callbacks);
    return 0;
}

static int prepare(struct submission *s, struct err *err)
{
    int rc = find_endpoint(s, err);

    if (rc == 0)
        rc = find_profile(s, err);
    if (rc == 0)
        rc = body_tags(s->o, &s->tags, err);
    if (rc == 0)
        rc = body_begin(s->o, s->profile, &s->files, &s->body, err);
    if (rc == 0 && options_has(s->o, "output") && !options_has(s->o, "dry-run"))
        rc = save_open(&s->save, options_text(s->o, "output"), options_has(s->o, "force"), err);
    return rc;
}

/* Its files are where they belong. */
static int complete(struct submission *s, struct err *err)
{
    const struct media_file *beside = media_files_beside(&s->files);
    const char *type;
    int rc = body_finish(s->o, s->profile, &s->files, s->body, err);

    if (rc == 0 && beside != NULL)
        rc = media_file_open(beside, &s->beside_fd, &type, err);
    if (rc == 0)
        rc = body_text(s->body, &s->text, &s->len, err);
    if (rc == 0 && s->endpoint != NULL)
        (void)request_check(s->endpoint, s->body, on_warning, NULL);
    if (rc == 0 && s->called_back && json_object_get(s->body, "callback_url") != NULL)
        on_warning("callback_url is replaced by viduhookd's own; what it names is told nothing (a "
                   "hook can tell it)",
                   NULL);
    return rc;
}

static char *create_url(const struct submission *s)
{
    return mem_printf("%s%s/%s", s->base_url, s->profile->prefix, s->o->words[0]);
}

static int print_dry_run(const struct submission *s)
{
    autofree char *url = create_url(s);
    autofree char *authorization = mem_printf("%s [redacted]", s->profile->auth);
    bool form = s->endpoint != NULL && s->endpoint->form == ENDPOINT_MULTIPART;
    const char *type = form ? "multipart/form-data" : "application/json";
    const struct media_file *beside = media_files_beside(&s->files);
    json_t *body = body_shortened(s->body);

    if (beside != NULL)
        (void)json_object_set_new(body, s->endpoint->image,
                                  json_sprintf("[%s, %llu bytes, as a file]", beside->name,
                                               (unsigned long long)beside->size));
    if (s->cli->json) {
        json_t *all =
            json_pack("{s:s, s:s, s:{s:s, s:s}, s:O}", "method", "POST", "url", url, "headers",
                      "Authorization", authorization, "Content-Type", type, "body", body);

        cli_print_json(all);
        json_decref(all);
    } else {
        autobuf struct buf head = BUF_INIT(64U << 10);

        buf_addf(&head, "POST %s\nAuthorization: %s\nContent-Type: %s\n\n", url, authorization,
                 type);
        cli_print(&head);
        cli_print_json(body);
    }
    json_decref(body);
    if (form)
        cli_note("note: viduhookd sends these fields as a form");
    if (s->called_back)
        cli_note("note: viduhookd adds callback_url when it sends the request");
    return EXIT_OK;
}

static json_t *question(const struct submission *s)
{
    json_t *args = field_object("endpoint", s->o->words[0]);

    field_set_text(args, "provider", options_text(s->o, "provider"));
    (void)json_object_set(args, "tags", s->tags);
    if (options_has(s->o, "force"))
        (void)json_object_set_new(args, "force", json_true());
    return args;
}

/* EXIT_OK and *answer, or the exit status of a failure that has been said. */
static int send_request(struct submission *s, json_t **answer)
{
    struct control *c = NULL;
    struct control_answer got;
    json_t *args;
    struct err err;
    int rc = cli_connect(s->cli, &c, &err);

    if (rc < 0)
        return cli_fail(s->cli, EXIT_UNREACHABLE, &err);
    args = question(s);
    control_pass(c, s->beside_fd);
    rc = control_ask(c, "submit", args, (struct slice){s->text, s->len}, SUBMIT_MS, &got, &err);
    json_decref(args);
    control_close(c);
    if (rc < 0) {
        err_wrap(&err, 0, "the task may have been created all the same, see `viduhook list`");
        return cli_fail(s->cli, cli_status_of(rc), &err);
    }
    if (got.exit != EXIT_OK)
        return cli_refused(s->cli, &got);
    *answer = got.json;
    return EXIT_OK;
}

static int submit_and_print(struct submission *s)
{
    json_t *answer = NULL;
    int status = send_request(s, &answer);

    if (status != EXIT_OK)
        return status;
    if (s->cli->json)
        cli_print_json(answer);
    else if (is_synchronous(s))
        cli_print_json(json_object_get(answer, "answer"));
    else
        submit_print_id(answer);
    json_decref(answer);
    return EXIT_OK;
}

/* Watches before it sends, so that nothing that happens to the task is missed. */
static int submit_and_wait(struct submission *s)
{
    json_t *answer = NULL;
    struct follow follow;
    struct err err;
    int status;
    int rc = follow_open(&follow, s->cli, options_ms(s->o, "timeout", -1), &err);

    if (rc < 0)
        return cli_fail(s->cli, cli_status_of(rc), &err);
    status = send_request(s, &answer);
    if (status == EXIT_OK)
        status = submit_await(s, &follow, answer);
    json_decref(answer);
    follow_close(&follow);
    return status;
}

static int submit(struct submission *s)
{
    struct err err;
    int rc = prepare(s, &err);

    if (rc == 0 && media_files_to_upload(&s->files) != 0 && !options_has(s->o, "dry-run")) {
        int status = upload_files(s->cli, options_text(s->o, "provider"), &s->files);

        if (status != EXIT_OK)
            return status;
    }
    if (rc == 0)
        rc = complete(s, &err);
    if (rc < 0)
        return cli_fail(s->cli, rc == -EINVAL ? EXIT_USAGE : EXIT_FAILED, &err);
    if (options_has(s->o, "dry-run"))
        return print_dry_run(s);
    if (wants_to_wait(s))
        return submit_and_wait(s);
    return submit_and_print(s);
}

int command_submit(struct cli *cli, const struct options *o)
{
    struct submission s = {.cli = cli, .o = o, .beside_fd = -1, .save = {.dir_fd = -1}};
    int status = submit(&s);

    save_close(&s.save);
    media_files_clear(&s.files);
    fs_close_slot(&s.beside_fd);
    json_decref(s.body);
    json_decref(s.tags);
    free(s.text);
    return status;
}
