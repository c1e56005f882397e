/*
 * A daemon that says what a table tells it to, in a process of its own, and a way to run
 * `viduhook` against it inside the test.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef FAKE_DAEMON_H
#define FAKE_DAEMON_H

#include "base/fs.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "wire/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FAKE_CLIENTS 16
#define FAKE_STALE   "stale" /* as an event: the answer to another question comes first */
#define FAKE_DROP    "drop"  /* as an event: whoever watches is cut off */

struct fake_row {        /* tables end with a NULL command */
    const char *command; /* rows of one command are used up in order; the last one stays */
    int exit;
    const char *json;
    const char *event; /* sent to everybody who watches, after the answer; NULL: none */
};

struct fake {
    char dir[64];
    char socket[96];
    pid_t pid;
};

struct fake_state {
    const struct fake_row *rows;
    bool used[64];
    struct pollfd clients[FAKE_CLIENTS]; /* [0] listens */
    uint64_t watching[FAKE_CLIENTS];     /* id of the question; 0: does not watch */
    nfds_t n;
};

static inline const struct fake_row *fake_find(struct fake_state *s, const char *command)
{
    const struct fake_row *last = NULL;

    for (size_t i = 0; s->rows[i].command != NULL; i++) {
        if (strcmp(s->rows[i].command, command) != 0)
            continue;
        last = &s->rows[i];
        if (!s->used[i]) {
            s->used[i] = true;
            break;
        }
    }
    return last;
}

static inline void fake_broadcast(struct fake_state *s, const char *event)
{
    struct msg_event msg = {.json = slice_str(event)};

    for (nfds_t i = 1; i < s->n; i++)
        if (s->watching[i] != 0)
            (void)!channel_write_blocking(s->clients[i].fd, MSG_EVENT, s->watching[i], &msg);
}

static inline void fake_drop(struct fake_state *s, nfds_t at)
{
    close(s->clients[at].fd);
    s->n--;
    s->clients[at] = s->clients[s->n];
    s->clients[at].revents = 0; /* what is pending is found by the next poll */
    s->watching[at] = s->watching[s->n];
}

static inline void fake_drop_watchers(struct fake_state *s)
{
    for (nfds_t i = s->n; i-- > 1;)
        if (s->watching[i] != 0)
            fake_drop(s, i);
}

/* A row's json may be ECHO (what was asked) or BLOB (the body that came with it). */
static inline void fake_answer(struct fake_state *s, nfds_t at, const struct frame *f)
{
    struct msg_command msg;
    struct msg_result result = {0};
    const struct fake_row *row = NULL;
    json_t *json;

    if (message_read(f, &msg) < 0)
        _exit(3);
    json = json_loadb(msg.json.p, msg.json.n, 0, NULL);
    row = fake_find(s, json_string_value(json_object_get(json, "command")));
    if (row == NULL) {
        result.exit = EXIT_FAILED;
        result.json = SLICE_LIT("{\"error\":\"the fake has no row\"}");
    } else {
        result.exit = (uint32_t)row->exit;
        result.json = strcmp(row->json, "ECHO") == 0   ? msg.json
                      : strcmp(row->json, "BLOB") == 0 ? msg.blob
                                                       : slice_str(row->json);
    }
    if (row != NULL && strcmp(row->command, "watch") == 0) {
        s->watching[at] = f->id;
        result.more = 1;
    }
    if (row != NULL && row->event != NULL && strcmp(row->event, FAKE_STALE) == 0)
        (void)!channel_write_blocking(s->clients[at].fd, MSG_RESULT, f->id + 1,
                                      &(struct msg_result){.exit = 1, .json = SLICE_LIT("{}")});
    (void)!channel_write_blocking(s->clients[at].fd, MSG_RESULT, f->id, &result);
    if (row != NULL && row->event != NULL && strcmp(row->event, FAKE_DROP) == 0)
        fake_drop_watchers(s);
    else if (row != NULL && row->event != NULL)
        fake_broadcast(s, row->event);
    json_decref(json);
}

static inline void fake_accept(struct fake_state *s)
{
    struct msg_hello hello = {.version = WIRE_VERSION, .json = SLICE_LIT("{\"version\":\"9\"}")};
    int fd = accept4(s->clients[0].fd, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0 || s->n == FAKE_CLIENTS)
        _exit(4);
    (void)!channel_write_blocking(fd, MSG_HELLO, 0, &hello);
    s->watching[s->n] = 0;
    s->clients[s->n++] = (struct pollfd){.fd = fd, .events = POLLIN};
}

static inline void fake_serve(const struct fake_row *rows, int listener)
{
    struct fake_state s = {.rows = rows, .n = 1};

    s.clients[0] = (struct pollfd){.fd = listener, .events = POLLIN};
    while (poll(s.clients, s.n, 20000) > 0) {
        for (nfds_t i = s.n; i-- > 1;) {
            char *memory = NULL;
            struct frame f;

            if (s.clients[i].revents == 0)
                continue;
            if (channel_read_blocking(s.clients[i].fd, FRAME_MAX_CONTROL, 5000, &f, &memory) == 0)
                fake_answer(&s, i, &f);
            else
                fake_drop(&s, i);
            free(memory);
        }
        if (s.clients[0].revents != 0)
            fake_accept(&s);
    }
    _exit(0);
}

/* rows NULL: somebody has bound the socket but nobody listens. */
static inline void fake_start(struct fake *fake, const struct fake_row *rows)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(fake->dir, sizeof(fake->dir), "/tmp/viduhook-cli-XXXXXX");
    assert_non_null(mkdtemp(fake->dir));
    snprintf(fake->socket, sizeof(fake->socket), "%s/sock", fake->dir);
    memcpy(address.sun_path, fake->socket, strlen(fake->socket));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    fake->pid = 0;
    if (rows != NULL) {
        assert_int_equal(listen(fd, 16), 0);
        fake->pid = fork();
        assert_true(fake->pid >= 0);
        if (fake->pid == 0)
            fake_serve(rows, fd);
    }
    close(fd);
}

static inline void fake_stop(struct fake *fake)
{
    if (fake->pid > 0) {
        kill(fake->pid, SIGKILL);
        waitpid(fake->pid, NULL, 0);
    }
    unlink(fake->socket);
    rmdir(fake->dir);
}

/* What a command printed; the texts are owned. */
struct printed {
    int status;
    char *out, *err;
};

static inline int fake_sim(int argc, char **argv)
{
    printf("sim with %d arguments, the last is %s\n", argc, argv[argc - 1]);
    return 42;
}

static inline int capture_begin(int fd, int *saved)
{
    int file = open("/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    *saved = dup(fd);
    dup2(file, fd);
    return file;
}

static inline char *capture_end(int fd, int file, int saved)
{
    char *text = NULL;
    size_t len;

    fflush(stdout);
    fflush(stderr);
    dup2(saved, fd);
    close(saved);
    lseek(file, 0, SEEK_SET);
    assert_int_equal(fs_read_fd(file, 8U << 20, &text, &len), 0);
    close(file);
    return text;
}

/* Runs `viduhook` with these arguments; argv ends with NULL and leaves out the program's name. */
static inline struct printed viduhook(const char *const *words)
{
    char *argv[64] = {(char[]){"viduhook"}};
    int argc = 1;
    int saved_out, saved_err;
    struct printed p;
    int out, err;

    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc - 1];
    argv[argc] = NULL;
    fflush(stdout);
    out = capture_begin(STDOUT_FILENO, &saved_out);
    err = capture_begin(STDERR_FILENO, &saved_err);
    p.status = cli_main(argc, argv, fake_sim);
    p.err = capture_end(STDERR_FILENO, err, saved_err);
    p.out = capture_end(STDOUT_FILENO, out, saved_out);
    return p;
}

#define VIDUHOOK(...) viduhook((const char *const[]){__VA_ARGS__, NULL})

static inline void printed_free(struct printed *p)
{
    free(p->out);
    free(p->err);
}

#endif
