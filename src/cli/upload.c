/* SPDX-License-Identifier: MIT */
#include "cli/upload.h"

#include "cli/field.h"
#include "cli/save.h"

#include <errno.h>
#include <event2/event.h>
#include <string.h>
#include <unistd.h>

#define UPLOAD_TIMEOUT_MS (10 * 60 * 1000)
#define MAX_ANSWER        (64U << 10)
#define ETAG_MAX          256

struct job {
    const struct media_file *file;
    struct event_base *base;
    int fd;
    const char *type;
    char etag[ETAG_MAX]; /* without its quotes */
    int rc;
    struct err *err;
};

/* -- the bytes -- */

static void keep_etag(struct job *job, const char *text)
{
    size_t n = text != NULL ? strlen(text) : 0;

    if (n >= 2 && text[0] == '"' && text[n - 1] == '"') {
        text++;
        n -= 2;
    }
    if (n == 0 || n >= ETAG_MAX) {
        job->rc = err_set(job->err, -EPROTO, "%s: the upload was answered without an ETag",
                          job->file->name);
        return;
    }
    memcpy(job->etag, text, n);
    job->etag[n] = '\0';
    job->rc = 0;
}

static void on_done(struct transfer *t, const struct client_answer *a, void *ctx)
{
    struct job *job = ctx;

    if (a->error != NULL)
        job->rc = err_set(job->err, -EIO, "%s: uploading it: %s", job->file->name, a->error);
    else if (a->status < 200 || a->status > 299)
        job->rc = err_set(job->err, -EIO, "%s: uploading it: HTTP %d", job->file->name, a->status);
    else
        keep_etag(job, transfer_header(t, "ETag"));
    (void)event_base_loopbreak(job->base);
}

static const struct transfer_ops put_ops = {.on_done = on_done};

static int put(struct job *job, const struct conf *conf, const char *url)
{
    const struct client_file file = {.fd = job->fd, .size = job->file->size};
    struct client_policy policy = save_policy(conf);
    autofree char *type = mem_printf("Content-Type: %s", job->type);
    struct client *client;

    policy.redirects = 0;
    job->base = event_base_new();
    job->rc = -EIO;
    client = client_new(job->base, &policy, job->err);
    if (client != NULL &&
        client_start(client,
                     &(struct client_request){.method = "PUT",
                                              .url = url,
                                              .headers = (const char *const[]){type, NULL},
                                              .file = &file,
                                              .max_body = MAX_ANSWER,
                                              .timeout_ms = UPLOAD_TIMEOUT_MS},
                     &put_ops, job, job->err) != NULL)
        (void)event_base_dispatch(job->base);
    client_free(client);
    event_base_free(job->base);
    return job->rc;
}

/* -- one file: an address, the bytes, a name -- */

static int begin(struct cli *cli, const char *provider, json_t **answer)
{
    return cli_ask(cli, "upload", field_object("provider", provider), answer);
}

static int finish(struct cli *cli, const char *provider, const json_t *begun, const char *etag,
                  char **uri)
{
    json_t *args = field_object("provider", provider);
    json_t *answer = NULL;
    int status;

    field_set_text(args, "id", field_text(begun, "id"));
    field_set_text(args, "etag", etag);
    status = cli_ask(cli, "uploaded", args, &answer);
    if (status == EXIT_OK)
        *uri = mem_strdup(field_text(answer, "uri"));
    json_decref(answer);
    return status;
}

static int upload(struct cli *cli, const char *provider, struct media_file *f)
{
    struct err err = {""};
    struct job job = {.file = f, .fd = -1, .err = &err};
    json_t *begun = NULL;
    int rc = media_file_open(f, &job.fd, &job.type, &err);
    int status = rc < 0 ? cli_fail(cli, rc == -EINVAL ? EXIT_USAGE : EXIT_FAILED, &err)
                        : begin(cli, provider, &begun);

    if (status == EXIT_OK && put(&job, cli_conf(cli), field_text(begun, "put_url")) < 0)
        status = cli_fail(cli, EXIT_FAILED, &err);
    if (status == EXIT_OK)
        status = finish(cli, provider, begun, job.etag, &f->uri);
    if (job.fd >= 0)
        close(job.fd);
    json_decref(begun);
    return status;
}

int upload_files(struct cli *cli, const char *provider, struct media_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        int status = files->v[i].upload ? upload(cli, provider, &files->v[i]) : EXIT_OK;

        if (status != EXIT_OK)
            return status;
    }
    return EXIT_OK;
}
