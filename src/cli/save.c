/* SPDX-License-Identifier: MIT */
#include "cli/save.h"

#include "base/fs.h"
#include "cli/progress.h"
#include "vidu/provider.h"
#include "vidu/result_kind.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAVE_TIMEOUT_MS (60 * 60 * 1000)
#define SAVE_MAX        (UINT64_C(16) << 30)
#define SAVE_KEEP_FREE  (UINT64_C(64) << 20) /* unless the configuration says more */
#define TRANSFERS       1
#define REDIRECTS       5
#define HTTPS_PORT      443

struct job {
    const struct save *save;
    struct event_base *base;
    struct live live;
    struct fetch_outcome *out;
};

int save_open(struct save *s, const char *path, bool force, struct err *err)
{
    autofree char *dir = fs_dirname(path);
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    struct stat st;

    *s = (struct save){.dir_fd = -1, .path = path, .force = force};
    if (name[0] == '\0' || str_eq(name, ".") || str_eq(name, ".."))
        return err_set(err, -EISDIR, "--output '%s': not the name of a file", path);
    s->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir_fd < 0)
        return err_sys(err, -errno, "%s", dir);
    if (faccessat(s->dir_fd, ".", W_OK, AT_EACCESS) < 0) {
        int code = -errno;

        save_close(s);
        return err_sys(err, code, "%s", dir);
    }
    if (fstatat(s->dir_fd, name, &st, 0) == 0) {
        int code = S_ISREG(st.st_mode) ? -EEXIST : -EISDIR;

        if (code == -EISDIR || !force) {
            save_close(s);
            return code == -EEXIST ? err_set(err, code, "%s exists; --force replaces it", path)
                                   : err_set(err, code, "%s is there and no regular file", path);
        }
    }
    s->name = mem_strdup(name);
    return 0;
}

void save_close(struct save *s)
{
    fs_close_slot(&s->dir_fd);
    s->dir_fd = -1;
    free(s->name);
    s->name = NULL;
}

static void on_progress(struct fetch *f, uint64_t done, uint64_t total, void *ctx)
{
    struct job *job = ctx;
    autobuf struct buf line = BUF_INIT(4096);

    (void)f;
    progress_text(&line, job->save->name, done, total, job->live.width);
    live_show(&job->live, buf_text(&line));
}

static void on_done(struct fetch *f, const struct fetch_outcome *o, void *ctx)
{
    struct job *job = ctx;

    (void)f;
    *job->out = *o;
    live_clear(&job->live);
    (void)event_base_loopbreak(job->base);
}

static const struct fetch_ops save_ops = {.on_progress = on_progress, .on_done = on_done};

static void add_port(struct client_policy *p, const char *text)
{
    uint64_t port;

    if (p->n_ports < ARRAY_LEN(p->ports) && str_to_u64(text, strlen(text), 65535, &port) == 0)
        p->ports[p->n_ports++] = (uint16_t)port;
}

struct client_policy save_policy(const struct conf *conf)
{
    struct client_policy p = {.public_only = true,
                              .allow_http = true, /* only to addresses that a rule names */
                              .ports = {HTTPS_PORT},
                              .n_ports = 1,
                              .max_transfers = TRANSFERS,
                              .redirects = REDIRECTS};

    if (conf == NULL)
        return p;
    p.ca_file = conf->fetch.ca_file;
    for (size_t i = 0; i < conf->fetch.ports.n; i++)
        add_port(&p, conf->fetch.ports.v[i]);
    for (size_t i = 0; i < conf->fetch.allow.n && p.n_rules < ARRAY_LEN(p.rules); i++)
        if (address_rule_parse(conf->fetch.allow.v[i], &p.rules[p.n_rules], NULL) == 0)
            p.n_rules++;
    return p;
}

static mode_t mode_of_new_files(void)
{
    mode_t mask = umask(0);

    (void)umask(mask);
    return 0666 & ~mask;
}

/* What is no video keeps the name that the user has given, whatever it is. */
static enum fetch_kind kind_of(const char *endpoint, const char *url)
{
    return result_kind(endpoint, url) == RESULT_VIDEO ? FETCH_VIDEO : FETCH_ANY;
}

static int run_job(struct job *job, const struct conf *conf, const char *endpoint, const char *url,
                   struct err *err)
{
    struct client_policy policy = save_policy(conf);
    struct client *client = client_new(job->base, &policy, err);
    struct fetch_request request = {
        .url = url,
        .dir_fd = job->save->dir_fd,
        .name = job->save->name,
        .kind = kind_of(endpoint, url),
        .max_size = SAVE_MAX,
        .keep_free = conf != NULL ? conf->fetch.keep_free : SAVE_KEEP_FREE,
        .mode = mode_of_new_files(),
        .timeout_ms = SAVE_TIMEOUT_MS,
    };
    int rc = -EINVAL;

    if (client != NULL && fetch_start(client, &request, &save_ops, job, err) != NULL) {
        (void)event_base_dispatch(job->base);
        rc = 0;
    }
    client_free(client);
    return rc;
}

/* The name was taken, so the bytes came to lie beside it; with force they take its place. */
static int settle_name(const struct save *s, struct fetch_outcome *out, struct err *err)
{
    if (!s->force || str_eq(out->name, s->name))
        return 0;
    if (renameat(s->dir_fd, out->name, s->dir_fd, s->name) < 0 || fsync(s->dir_fd) < 0)
        return err_sys(err, -errno, "%s: replacing it", s->path);
    snprintf(out->name, sizeof(out->name), "%s", s->name);
    return 0;
}

int save_fetch(struct save *s, const struct conf *conf, const char *endpoint, const char *url,
               struct fetch_outcome *out, struct err *err)
{
    struct job job = {.save = s, .base = event_base_new(), .live = live_new(), .out = out};
    int rc;

    *out = (struct fetch_outcome){.result = FETCH_AGAIN};
    rc = run_job(&job, conf, endpoint, url, err);
    event_base_free(job.base);
    if (rc == 0 && out->result == FETCH_OK)
        rc = settle_name(s, out, err);
    return rc;
}
