/* SPDX-License-Identifier: MIT */
#include "cli/control.h"

#include "base/clock.h"
#include "base/fs.h"
#include "cli/field.h"
#include "wire/channel.h"
#include "wire/command.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define HELLO_MS 10000 /* for the greeting */
#define FRAME_MS 30000 /* for the rest of a frame that has begun */

struct control {
    int fd;
    uint64_t last_id;
    int passed; /* with the next question; -1: nothing */
    json_t *hello;
};

static int say_denied(const char *path, struct err *err)
{
    struct stat st;
    bool seen = stat(path, &st) == 0;
    const struct group *group = seen && st.st_gid != 0 ? getgrgid(st.st_gid) : NULL;

    if (group == NULL)
        return err_set(err, -EACCES,
                       "%s: permission denied: %s; run this as the user viduhookd "
                       "runs as%s",
                       path, seen ? "it is not for you" : "you may not look into its directory",
                       seen ? "" : ", or join its group");
    return err_set(err, -EACCES,
                   "%s: permission denied: only its owner and the group %s may use it; become a "
                   "member (`usermod -aG %s USER`, then log in again)",
                   path, group->gr_name, group->gr_name);
}

/* Turns the errno of connect into what is wrong and what helps. */
static int say_unreachable(int code, const char *path, struct err *err)
{
    switch (code) {
    case -ENOENT:
    case -ENOTDIR:
        return err_set(err, code,
                       "%s does not exist: viduhookd is not running, or listens elsewhere; start "
                       "it, or name its socket with --socket or its configuration with -c",
                       path);
    case -ECONNREFUSED:
        return err_set(err, code,
                       "%s: connection refused: viduhookd is not running any more; start it", path);
    case -EACCES:
    case -EPERM:
        return say_denied(path, err);
    default:
        return err_sys(err, code, "%s", path);
    }
}

static int connect_unix(const char *path, int *out, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    autoclose int fd = -1;

    if (strlen(path) >= sizeof(address.sun_path))
        return err_set(err, -ENAMETOOLONG, "%s: a socket's path has at most %zu bytes", path,
                       sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_sys(err, -errno, "socket");
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return say_unreachable(-errno, path, err);
    *out = fd;
    fd = -1;
    return 0;
}

/*
 * Waits for the first byte of a frame before reading it, so that a deadline never cuts a frame
 * in two.
 */
static int read_frame(struct control *c, int64_t timeout_ms, struct frame *f, char **memory)
{
    struct pollfd ready = {.fd = c->fd, .events = POLLIN};
    int wait_ms = timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms;
    int n;

    do {
        n = poll(&ready, 1, wait_ms);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    return n == 0 ? -ETIMEDOUT
                  : channel_read_blocking(c->fd, FRAME_MAX_CONTROL, FRAME_MS, f, memory);
}

static int parse_object(struct slice text, json_t **out)
{
    json_t *json = json_loadb(text.n != 0 ? text.p : "{}", text.n != 0 ? text.n : 2,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

    if (!json_is_object(json)) {
        json_decref(json);
        return -EPROTO;
    }
    *out = json;
    return 0;
}

static int read_hello(struct control *c, const char *path, struct err *err)
{
    autofree char *memory = NULL;
    struct frame f;
    struct msg_hello hello;
    int rc = read_frame(c, HELLO_MS, &f, &memory);

    if (rc == -ETIMEDOUT)
        return err_set(err, rc, "%s: viduhookd accepts connections but does not answer", path);
    if (rc == -EPIPE)
        return err_set(err, rc,
                       "%s: viduhookd is stopping, or has just ended: it greets nobody any more; "
                       "wait for its end and start it again",
                       path);
    if (rc < 0)
        return err_sys(err, rc, "%s: no greeting from viduhookd", path);
    if (f.type != MSG_HELLO || message_read(&f, &hello) < 0)
        return err_set(err, -EPROTO, "%s: this is not viduhookd", path);
    if (hello.version != WIRE_VERSION)
        return err_set(err, -EPROTO,
                       "%s: viduhookd speaks version %u of the control protocol and this viduhook "
                       "version %d; use the one that was installed with it",
                       path, hello.version, WIRE_VERSION);
    if (parse_object(hello.json, &c->hello) < 0)
        return err_set(err, -EPROTO, "%s: the greeting cannot be read", path);
    return 0;
}

int control_open(const char *path, struct control **out, struct err *err)
{
    struct control *c = mem_calloc(1, sizeof(*c));
    int rc;

    c->fd = -1;
    c->passed = -1;
    rc = connect_unix(path, &c->fd, err);
    if (rc == 0)
        rc = read_hello(c, path, err);
    if (rc < 0) {
        control_close(c);
        return rc;
    }
    *out = c;
    return 0;
}

void control_close(struct control *c)
{
    if (c == NULL)
        return;
    fs_close_slot(&c->fd);
    json_decref(c->hello);
    free(c);
}

const json_t *control_hello(const struct control *c)
{
    return c->hello;
}

static int send_question(struct control *c, const char *command, const json_t *args,
                         struct slice blob, struct err *err)
{
    json_t *question = json_object();
    autofree char *text = NULL;
    struct msg_command msg = {.blob = blob};
    int rc;

    if (args != NULL)
        (void)json_object_update(question, (json_t *)(uintptr_t)args); /* only reads it */
    (void)json_object_set_new(question, "command", json_string(command));
    text = json_dumps(question, JSON_COMPACT);
    json_decref(question);
    msg.json = slice_str(text);
    rc = channel_pass_blocking(c->fd, MSG_COMMAND, ++c->last_id, &msg, c->passed);
    c->passed = -1;
    return rc < 0 ? err_sys(err, rc, "viduhookd did not take the command") : 0;
}

void control_pass(struct control *c, int fd)
{
    c->passed = fd;
}

static int say_lost(int rc, struct err *err)
{
    if (rc == -ETIMEDOUT)
        return err_set(err, rc, "no answer from viduhookd in time");
    if (rc == -EPIPE)
        return err_set(err, rc, "viduhookd closed the connection");
    return err_sys(err, rc, "reading from viduhookd");
}

static int read_result(const struct frame *f, struct control_answer *out, struct err *err)
{
    struct msg_result msg;
    json_t *json;

    if (message_read(f, &msg) < 0 || parse_object(msg.json, &json) < 0)
        return err_set(err, -EPROTO, "the answer of viduhookd cannot be read");
    *out = (struct control_answer){.exit = (int)msg.exit, .json = json};
    return 0;
}

static int64_t time_left(int64_t deadline_ms)
{
    int64_t now = clock_mono_ms();

    return now < deadline_ms ? deadline_ms - now : 0;
}

int control_ask(struct control *c, const char *command, const json_t *args, struct slice blob,
                int64_t timeout_ms, struct control_answer *out, struct err *err)
{
    int64_t deadline = clock_mono_ms() + timeout_ms;
    int rc = send_question(c, command, args, blob, err);

    if (rc < 0)
        return rc;
    for (;;) {
        autofree char *memory = NULL;
        struct frame f;

        rc = read_frame(c, time_left(deadline), &f, &memory);
        if (rc < 0)
            return say_lost(rc, err);
        if (f.type == MSG_RESULT && f.id == c->last_id)
            return read_result(&f, out, err);
    }
}

int control_watch(struct control *c, const char *task, int64_t run, struct err *err)
{
    json_t *args = json_object();
    struct control_answer answer;
    int rc;

    if (task != NULL)
        (void)json_object_set_new(args, "task", json_string(task));
    if (run != 0)
        (void)json_object_set_new(args, "run", json_integer(run));
    rc = control_ask(c, "watch", args, SLICE_LIT(""), CONTROL_ANSWER_MS, &answer, err);
    json_decref(args);
    if (rc < 0)
        return rc;
    if (answer.exit != EXIT_OK)
        rc = err_set(err, -EPROTO, "viduhookd refused to be watched: %s",
                     field_text(answer.json, "error"));
    json_decref(answer.json);
    return rc;
}

int control_next_event(struct control *c, int64_t timeout_ms, json_t **event, struct err *err)
{
    for (;;) {
        autofree char *memory = NULL;
        struct frame f;
        struct msg_event msg;
        int rc = read_frame(c, timeout_ms, &f, &memory);

        if (rc == -ETIMEDOUT)
            return rc;
        if (rc < 0)
            return say_lost(rc, err);
        if (f.type != MSG_EVENT)
            continue;
        if (message_read(&f, &msg) < 0 || parse_object(msg.json, event) < 0)
            return err_set(err, -EPROTO, "an event of viduhookd cannot be read");
        return 0;
    }
}
