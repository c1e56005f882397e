/* SPDX-License-Identifier: MIT */
#include "sim/sim_ledger.h"

#include "base/clock.h"
#include "base/fs.h"
#include "sim/sim_json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

/* A payload has at most 2^20 characters, each of at most six bytes when escaped. */
#define MAX_LINE ((size_t)16 << 20)

struct sim_ledger {
    int fd; /* -1: no file */
    bool verbose;
};

int sim_ledger_new(const char *path, bool verbose, struct sim_ledger **out, struct err *err)
{
    struct sim_ledger *l;
    int fd = -1;

    if (path != NULL) {
        fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (fd < 0)
            return err_sys(err, -errno, "open %s", path);
    }
    l = mem_calloc(1, sizeof(*l));
    l->fd = fd;
    l->verbose = verbose;
    *out = l;
    return 0;
}

void sim_ledger_free(struct sim_ledger *l)
{
    if (l == NULL)
        return;
    fs_close_slot(&l->fd);
    free(l);
}

static void add_field(struct buf *line, const struct log_field *f)
{
    switch (f->kind) {
    case LOG_KIND_INT:
        sim_json_int(line, f->key, f->number);
        return;
    case LOG_KIND_BYTES:
        sim_json_text(line, f->key, f->text, f->len);
        return;
    default:
        sim_json_str(line, f->key, str_or(f->text, ""));
        return;
    }
}

void sim_ledger_add(struct sim_ledger *l, const char *event, const struct log_field *fields)
{
    autobuf struct buf line = BUF_INIT(MAX_LINE);
    char at[25];

    if (l->fd < 0 && !l->verbose)
        return;
    clock_format_rfc3339(clock_wall_ms(), at);
    sim_json_open(&line, NULL, '{');
    sim_json_str(&line, "at", at);
    sim_json_str(&line, "event", event);
    for (; fields->kind != LOG_KIND_END; fields++)
        add_field(&line, fields);
    sim_json_close(&line, '}');
    buf_addc(&line, '\n');
    if (l->verbose)
        fwrite(line.data, 1, line.len, stderr);
    if (l->fd >= 0 && fs_write_all(l->fd, line.data, line.len) != 0)
        log_error("sim.ledger_failed");
}
