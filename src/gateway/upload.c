/* SPDX-License-Identifier: MIT */
#include "gateway/upload.h"

#include "gateway/account.h"
#include "gateway/call.h"
#include "vidu/id.h"
#include "vidu/percent.h"

#include <errno.h>
#include <string.h>

#define URL_MAX  8192
#define WORD_MAX 1024
#define ETAG_MAX 256

/* The account, if its provider takes uploads; the client has been refused otherwise. */
static const struct hello_provider *find_account(struct gateway *g, const struct command *cmd)
{
    const char *name = json_string_value(json_object_get(cmd->args, "provider"));
    struct err err = {""};
    const struct hello_provider *account = account_find(&g->hello, name, &err);

    if (account == NULL) {
        control_refuse(g->control, cmd->asker, EXIT_USAGE, "%s", err.text);
    } else if (account_profile(account)->upload == NULL) {
        control_refuse(g->control, cmd->asker, EXIT_USAGE, "%s takes no uploads: give a URL",
                       account->name);
        account = NULL;
    }
    return account;
}

/* Copies a text of the answer; false when it is none, or too long. */
static bool copy_member(json_t *to, const json_t *from, const char *name, size_t max)
{
    const char *text = json_string_value(json_object_get(from, name));

    if (str_empty(text) || strlen(text) > max)
        return false;
    return json_object_set_new(to, name, json_string(text)) == 0;
}

static json_t *read_begun(const json_t *body, struct err *err)
{
    json_t *json = json_object();

    if (copy_member(json, body, "id", WORD_MAX) && copy_member(json, body, "put_url", URL_MAX))
        return json;
    json_decref(json);
    err_set(err, -EPROTO, "it names no id and no put_url");
    return NULL;
}

void upload_begin(struct gateway *g, const struct command *cmd)
{
    const struct hello_provider *account = find_account(g, cmd);

    if (account == NULL)
        return;
    call_provider(g, cmd, account,
                  (struct call_plain){.what = "upload",
                                      .method = "POST",
                                      .path = mem_strdup(account_profile(account)->upload),
                                      .body = mem_strdup("{\"scene\":\"vidu\"}"),
                                      .read = read_begun});
}

static json_t *read_finished(const json_t *body, struct err *err)
{
    json_t *json = json_object();

    if (copy_member(json, body, "uri", WORD_MAX))
        return json;
    json_decref(json);
    err_set(err, -EPROTO, "it names no uri");
    return NULL;
}

static char *finish_path(const struct hello_provider *account, const char *id)
{
    struct buf path = BUF_INIT(URL_MAX);

    buf_addf(&path, "%s/", account_profile(account)->upload);
    percent_encode(id, strlen(id), &path);
    buf_adds(&path, "/finish");
    return buf_take(&path);
}

void upload_finish(struct gateway *g, const struct command *cmd)
{
    const char *id = json_string_value(json_object_get(cmd->args, "id"));
    const char *etag = json_string_value(json_object_get(cmd->args, "etag"));
    const struct hello_provider *account = find_account(g, cmd);
    json_t *body;

    if (account == NULL)
        return;
    if (str_empty(id) || strlen(id) > WORD_MAX || etag == NULL || strlen(etag) > ETAG_MAX) {
        control_refuse(g->control, cmd->asker, EXIT_USAGE, "uploaded needs an id and an etag");
        return;
    }
    body = json_pack("{s:s}", "etag", etag);
    call_provider(g, cmd, account,
                  (struct call_plain){.what = "uploaded",
                                      .method = "PUT",
                                      .path = finish_path(account, id),
                                      .body = json_dumps(body, JSON_COMPACT),
                                      .read = read_finished});
    json_decref(body);
}
