/* SPDX-License-Identifier: MIT */
#include "runner/deliver_recipe.h"

#include "runner/deliver_form.h"
#include "runner/deliver_upload.h"
#include "vidu/document.h"
#include "vidu/percent.h"
#include "wire/path_map.h"

#include <errno.h>
#include <string.h>

/* ---- once: one request, and whatever 2xx says is fine ---- */

static int prepare_once(const struct deliver_exchange *x, struct deliver_request *r,
                        struct err *err)
{
    return deliver_request_fill(x->action, x->context, x->now_s, r, err);
}

static int accept_any(struct deliver_exchange *x, const struct deliver_answer *a, struct err *err)
{
    (void)x;
    (void)a;
    (void)err;
    return 0;
}

/* ---- json-rpc: an error comes with status 200 as well ---- */

static int accept_json_rpc(struct deliver_exchange *x, const struct deliver_answer *a,
                           struct err *err)
{
    json_t *answer = json_loadb(a->body.p, a->body.n, 0, NULL);
    const json_t *error = json_object_get(answer, "error");
    bool fine = json_object_get(answer, "result") != NULL;
    int rc = 0;

    (void)x;
    if (error != NULL)
        rc = err_set(err, -EIO, "the server says: %.200s", document_member(error, "message"));
    else if (!fine)
        rc = err_set(err, -EIO, "the answer is not JSON-RPC");
    json_decref(answer);
    return rc;
}

/* ---- plex: the section whose folder holds the file, then a scan of the file's folder ---- */

/* The key of the section with the longest fitting folder, NULL when none fits. */
static const char *find_section(const json_t *sections, const char *folder)
{
    const char *key = NULL;
    size_t best = 0;

    for (size_t i = 0; i < json_array_size(sections); i++) {
        const json_t *section = json_array_get(sections, i);
        const json_t *places = json_object_get(section, "Location");

        for (size_t j = 0; j < json_array_size(places); j++) {
            const char *path = document_member(json_array_get(places, j), "path");

            if (path[0] == '\0' || !path_is_in(folder, path) || strlen(path) < best)
                continue;
            best = strlen(path);
            key = document_member(section, "key");
        }
    }
    return key;
}

static bool is_known(const json_t *found, const char *path)
{
    for (size_t i = 0; i < json_array_size(found); i++)
        if (str_eq(document_member(json_array_get(found, i), "path"), path))
            return true;
    return false;
}

/* One scan for each folder that has files of this run. */
static int find_scans(struct deliver_exchange *x, const json_t *sections, struct err *err)
{
    const json_t *files = json_object_get(x->context, "files");

    x->found = json_array();
    for (size_t i = 0; i < json_array_size(files); i++) {
        const char *path = document_member(json_array_get(files, i), "path");
        const char *slash = strrchr(path, '/');
        autofree char *folder = mem_strndup(path, slash != NULL ? (size_t)(slash - path) : 0);
        const char *key = find_section(sections, folder);

        if (is_known(x->found, folder))
            continue;
        if (key == NULL || key[0] == '\0' || key[strspn(key, "0123456789")] != '\0')
            return err_set(err, -ENOENT,
                           "no library of the server holds %s; add the folder to one, or name it "
                           "in http.path_map",
                           folder);
        json_array_append_new(x->found, json_pack("{s:s, s:s}", "key", key, "path", folder));
    }
    return json_array_size(x->found) != 0 ? 1 : err_set(err, -ENOENT, "there is no file");
}

static int accept_plex(struct deliver_exchange *x, const struct deliver_answer *a, struct err *err)
{
    json_t *answer;
    const json_t *container;
    int rc;

    if (x->step > 0)
        return x->step < json_array_size(x->found);
    answer = json_loadb(a->body.p, a->body.n, 0, NULL);
    container = json_object_get(answer, "MediaContainer");
    if (container == NULL)
        rc = err_set(err, -EIO, "the answer is no list of libraries");
    else
        rc = find_scans(x, json_object_get(container, "Directory"), err);
    json_decref(answer);
    return rc;
}

static int prepare_plex(const struct deliver_exchange *x, struct deliver_request *r,
                        struct err *err)
{
    const json_t *scan = json_array_get(x->found, x->step - 1);
    const char *path = document_member(scan, "path");

    r->method = "GET";
    r->url = BUF_INIT(16384);
    deliver_url(x->action, x->context, &r->url);
    deliver_headers(x->action, x->context, r);
    if (x->step > 0) {
        buf_addf(&r->url, "/%s/refresh?path=", document_member(scan, "key"));
        percent_encode(path, strlen(path), &r->url);
    }
    return buf_ok(&r->url) ? 0 : err_set(err, -EINVAL, "the URL is too long");
}

/* ---- the table ---- */

static const struct deliver_recipe recipes[] = {
    {"once", prepare_once, accept_any, false, NULL},
    {"json-rpc", prepare_once, accept_json_rpc, true, NULL},
    {"plex", prepare_plex, accept_plex, true, NULL},
    {"upload", deliver_form_prepare, deliver_form_accept, false, NULL},
    {"webdav", deliver_webdav_prepare, deliver_webdav_accept, false, deliver_webdav_expects},
    {"s3", deliver_s3_prepare, deliver_s3_accept, false, deliver_s3_expects},
};

const struct deliver_recipe *deliver_recipe_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(recipes); i++)
        if (str_eq(recipes[i].name, name))
            return &recipes[i];
    return NULL;
}
