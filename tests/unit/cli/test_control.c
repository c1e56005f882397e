/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/control.h"
#include "cli/field.h"
#include "fake_daemon.h"

static void assert_says(const struct err *err, const char *text)
{
    if (strstr(err->text, text) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err->text, text);
}

static void an_answer_belongs_to_its_question(void **state)
{
    static const struct fake_row rows[] = {{"list", EXIT_OK, "ECHO", FAKE_STALE},
                                           {"submit", EXIT_REFUSED, "BLOB", NULL},
                                           {NULL, 0, NULL, NULL}};
    struct fake fake;
    struct control *c;
    struct control_answer answer;
    struct err err;
    json_t *args = json_pack("{s:i}", "limit", 5);

    (void)state;
    fake_start(&fake, rows);
    assert_int_equal(control_open(fake.socket, &c, &err), 0);
    assert_string_equal(field_text(control_hello(c), "version"), "9");
    assert_int_equal(control_ask(c, "list", args, SLICE_LIT(""), 5000, &answer, &err), 0);
    assert_int_equal(answer.exit, EXIT_OK);
    assert_string_equal(field_text(answer.json, "command"), "list");
    assert_int_equal(field_number(answer.json, "limit", 0), 5);
    json_decref(answer.json);
    assert_int_equal(control_ask(c, "submit", NULL, SLICE_LIT("{\"b\":1}"), 5000, &answer, &err),
                     0);
    assert_int_equal(answer.exit, EXIT_REFUSED);
    assert_int_equal(field_number(answer.json, "b", 0), 1);
    json_decref(answer.json);
    assert_null(json_object_get(args, "command"));
    json_decref(args);
    control_close(c);
    fake_stop(&fake);
}

static void events_reach_those_who_watch(void **state)
{
    static const struct fake_row rows[] = {
        {"watch", EXIT_OK, "{}", "{\"event\":\"task\",\"task\":\"tabc\"}"}, {NULL, 0, NULL, NULL}};
    struct fake fake;
    struct control *c;
    struct err err;
    json_t *event;

    (void)state;
    fake_start(&fake, rows);
    assert_int_equal(control_open(fake.socket, &c, &err), 0);
    assert_int_equal(control_watch(c, NULL, 0, &err), 0);
    assert_int_equal(control_next_event(c, 5000, &event, &err), 0);
    assert_string_equal(field_text(event, "task"), "tabc");
    json_decref(event);
    assert_int_equal(control_next_event(c, 10, &event, &err), -ETIMEDOUT);
    kill(fake.pid, SIGKILL);
    assert_int_equal(control_next_event(c, 5000, &event, &err), -EPIPE);
    control_close(c);
    fake_stop(&fake);
}

static int listen_as(struct fake *fake)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(fake->dir, sizeof(fake->dir), "/tmp/viduhook-cli-XXXXXX");
    assert_non_null(mkdtemp(fake->dir));
    snprintf(fake->socket, sizeof(fake->socket), "%s/sock", fake->dir);
    memcpy(address.sun_path, fake->socket, strlen(fake->socket));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    return fd;
}

/* The kernel still accepts for it, and it says nothing before it is gone. */
static void a_daemon_that_stops_is_told_as_one(void **state)
{
    struct fake fake = {.pid = 0};
    struct control *c = NULL;
    struct err err;
    int fd = listen_as(&fake);

    (void)state;
    fake.pid = fork();
    assert_true(fake.pid >= 0);
    if (fake.pid == 0)
        _exit(accept(fd, NULL, NULL) < 0);
    close(fd);
    assert_int_equal(control_open(fake.socket, &c, &err), -EPIPE);
    assert_says(&err, "viduhookd is stopping, or has just ended");
    fake_stop(&fake);
}

static void a_socket_that_is_not_there_is_named(void **state)
{
    struct control *c = NULL;
    struct err err;

    (void)state;
    assert_int_equal(control_open("/nonexistent/sock", &c, &err), -ENOENT);
    assert_says(&err, "/nonexistent/sock does not exist");
    assert_says(&err, "--socket");
    assert_null(c);
}

static void a_socket_nobody_listens_on_is_told_apart(void **state)
{
    struct fake fake;
    struct control *c = NULL;
    struct err err;

    (void)state;
    fake_start(&fake, NULL);
    assert_int_equal(control_open(fake.socket, &c, &err), -ECONNREFUSED);
    assert_says(&err, "connection refused");
    fake_stop(&fake);
}

/* Root may open anything, so the question is asked by somebody else. */
static int ask_as_nobody(const char *path, const char *wanted)
{
    struct control *c = NULL;
    struct err err;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) < 0)
            _exit(9);
        _exit(control_open(path, &c, &err) == -EACCES && strstr(err.text, wanted) != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WEXITSTATUS(status);
}

static void a_closed_door_names_the_group(void **state)
{
    static const struct fake_row rows[] = {{NULL, 0, NULL, NULL}};
    struct fake fake;

    (void)state;
    fake_start(&fake, rows);
    assert_int_equal(chmod(fake.dir, 0755), 0);
    assert_int_equal(chmod(fake.socket, 0), 0);
    if (getuid() == 0) { /* nobody should join the group root */
        assert_int_equal(ask_as_nobody(fake.socket, "it is not for you"), 0);
        assert_int_equal(chown(fake.socket, 0, 1), 0);
    }
    assert_int_equal(ask_as_nobody(fake.socket, "usermod -aG "), 0);
    assert_int_equal(chmod(fake.dir, 0), 0);
    assert_int_equal(ask_as_nobody(fake.socket, "may not look into its directory"), 0);
    assert_int_equal(chmod(fake.dir, 0755), 0);
    fake_stop(&fake);
}

static void a_path_too_long_for_a_socket_is_refused(void **state)
{
    struct control *c = NULL;
    struct err err;
    char path[200];

    (void)state;
    memset(path, 'x', sizeof(path));
    path[108] = '\0';
    assert_int_equal(control_open(path, &c, &err), -ENAMETOOLONG);
    path[107] = '\0';
    assert_int_equal(control_open(path, &c, &err), -ENOENT);
}

/* One frame to whoever connects first, then the end. */
static void serve_once(int fd, uint16_t type, const void *msg)
{
    int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

    (void)!channel_write_blocking(client, (enum message_type)type, 0, msg);
    close(client);
    _exit(0);
}

static int open_against(uint16_t type, const void *msg, struct err *err)
{
    struct fake fake;
    struct control *c = NULL;
    int fd = listen_as(&fake);
    int rc;

    fake.pid = fork();
    if (fake.pid == 0)
        serve_once(fd, type, msg);
    rc = control_open(fake.socket, &c, err);
    assert_null(c);
    close(fd);
    fake_stop(&fake);
    return rc;
}

static void another_version_and_strangers_are_refused(void **state)
{
    struct msg_hello newer = {.version = WIRE_VERSION + 1, .json = SLICE_LIT("{}")};
    struct msg_hello garbled = {.version = WIRE_VERSION, .json = SLICE_LIT("{")};
    struct msg_ping ping = {.stamp = 1};
    struct err err;

    (void)state;
    assert_int_equal(open_against(MSG_HELLO, &newer, &err), -EPROTO);
    assert_says(&err, "version 2");
    assert_int_equal(open_against(MSG_HELLO, &garbled, &err), -EPROTO);
    assert_int_equal(open_against(MSG_PING, &ping, &err), -EPROTO);
    assert_says(&err, "not viduhookd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_belongs_to_its_question),
        cmocka_unit_test(events_reach_those_who_watch),
        cmocka_unit_test(a_daemon_that_stops_is_told_as_one),
        cmocka_unit_test(a_socket_that_is_not_there_is_named),
        cmocka_unit_test(a_socket_nobody_listens_on_is_told_apart),
        cmocka_unit_test(a_closed_door_names_the_group),
        cmocka_unit_test(a_path_too_long_for_a_socket_is_refused),
        cmocka_unit_test(another_version_and_strangers_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
