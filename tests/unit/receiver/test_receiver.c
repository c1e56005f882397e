/* SPDX-License-Identifier: MIT */
#include "room_fixture.h"

static void it_accepts_only_after_it_has_said_ready(void **state)
{
    int pair[2];
    struct room *room = room_prepare(pair);
    struct client *c = client_open(&room->f);

    (void)state;
    room->receiver = receiver_new(room->f.base, pair[1]);
    say_callback(room, c, "{}");
    for (int i = 0; i < 20; i++)
        turn(&room->f);
    assert_int_equal(room->callbacks, 0);
    room_hello(room);
    assert_string_equal(room->ready_error, "");
    until(&room->f, client_has(c, "200 OK"));
    client_free(c);
    room_free(room);
}

static void with_tls(struct hello_receiver *h)
{
    struct err err;

    assert_int_equal(tls_self_signed("localhost", 1, &h->certificate_pem, &h->key_pem, &err), 0);
    h->listen[0].tls = true;
}

static void it_speaks_tls_with_what_it_was_given(void **state)
{
    struct room *room = room_new(with_tls);
    struct client *c = client_open(&room->f);

    (void)state;
    client_start_tls(c);
    until(&room->f, client_handshake_step(c));
    say_callback(room, c, "{}");
    until(&room->f, client_has(c, "200 OK"));
    client_free(c);
    room_free(room);
}

static void bad_certificate(struct hello_receiver *h)
{
    h->certificate_pem = mem_strdup("nonsense");
    h->key_pem = mem_strdup("nonsense");
    h->listen[0].tls = true;
}

static void no_certificate(struct hello_receiver *h)
{
    h->listen[0].tls = true;
    snprintf(h->listen[0].text, sizeof(h->listen[0].text), "https://h");
}

static void no_socket(struct hello_receiver *h)
{
    h->listen[0].fd = 1000;
}

static void what_it_cannot_start_with_it_says(void **state)
{
    static const struct {
        void (*change)(struct hello_receiver *h);
        const char *error;
    } cases[] = {
        {bad_certificate, "TLS: certificate is not PEM"},
        {no_certificate, "no certificate for https://h"},
        {no_socket, "no listening sockets were handed over"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct room *room = room_new(cases[i].change);

        assert_true(str_starts(room->ready_error, cases[i].error));
        assert_int_equal(receiver_exit_status(room->receiver), 1);
        room_free(room);
    }
}

static void it_tells_its_counters(void **state)
{
    struct room *room = room_new(NULL);
    struct client *c = client_open(&room->f);
    struct msg_ping ping = {.stamp = 7};

    (void)state;
    say_callback(room, c, "{}");
    until(&room->f, client_has(c, "200 OK"));
    assert_int_equal(channel_send(room->keeper, MSG_PING, 5, &ping), 0);
    until(&room->f, room->pong[0] != '\0');
    assert_int_equal(room->pong[0], '{');
    assert_int_equal(room->pong[strlen(room->pong) - 1], '}');
    assert_non_null(strstr(room->pong, "\"verdict_accepted\":1,"));
    assert_non_null(strstr(room->pong, "\"requests\":1,"));
    assert_non_null(strstr(room->pong, "\"in_flight\":0,"));
    client_free(c);
    room_free(room);
}

static void a_drain_ends_it_after_the_last_answer(void **state)
{
    struct room *room = room_new(NULL);
    struct client *c = client_open(&room->f);
    struct msg_drain drain = {0};

    (void)state;
    room->verdict = -1;
    say_callback(room, c, "{}");
    until(&room->f, room->callbacks == 1);
    assert_int_equal(channel_send(room->keeper, MSG_DRAIN, 0, &drain), 0);
    for (int i = 0; i < 20; i++) {
        turn(&room->f);
        assert_false(event_base_got_break(room->f.base));
    }
    room_verdict(room, room->id, VERDICT_ACCEPTED);
    until(&room->f, event_base_got_break(room->f.base));
    assert_int_equal(receiver_exit_status(room->receiver), 0);
    until(&room->f, client_has(c, "200 OK"));
    client_free(c);
    room_free(room);
}

static void without_a_keeper_it_ends(void **state)
{
    struct room *room = room_new(NULL);

    (void)state;
    channel_free(room->keeper);
    room->keeper = NULL;
    until(&room->f, event_base_got_break(room->f.base));
    assert_int_equal(receiver_exit_status(room->receiver), 1);
    room_free(room);
}

/* The room as the keeper starts it: a process of its own, in its sandbox. */
static pid_t start_process(struct room *room, int fd)
{
    pid_t pid = fork();

    if (pid == 0) {
        close(channel_fd(room->keeper)); /* or it would be its own keeper */
        if (dup2(fd, ROOM_CHANNEL_FD) < 0)
            _exit(99);
        _exit(receiver_main());
    }
    close(fd);
    return pid;
}

static struct room *room_in_a_process(pid_t *pid, void (*change)(struct hello_receiver *h))
{
    int pair[2];
    struct room *room = room_prepare(pair);

    change(&room->hello);
    room->hello.sandbox = true;
    *pid = start_process(room, pair[1]);
    assert_true(*pid > 0);
    room_hello(room);
    assert_string_equal(room->ready_error, "");
    return room;
}

static bool has_ended(pid_t pid, int *status)
{
    return waitpid(pid, status, WNOHANG) == pid;
}

static void in_its_sandbox_it_does_its_whole_work(void **state)
{
    pid_t pid;
    struct room *room = room_in_a_process(&pid, with_tls);
    struct msg_drain drain = {0};
    struct msg_ping ping = {0};
    char *large = mem_calloc(1, 600000);
    int status = 0;

    (void)state;
    memset(large, ' ', 599999);
    large[0] = '{';
    large[599998] = '}';
    for (int i = 0; i < 30; i++) {
        struct client *c = client_open(&room->f);

        client_start_tls(c);
        until(&room->f, client_handshake_step(c));
        say_callback(room, c, i % 3 == 0 ? large : "{\"id\":\"1\",\"state\":\"success\"}");
        until(&room->f, client_has(c, "200 OK"));
        assert_int_equal(room->last.report.understood, i % 3 != 0);
        client_say(c, "nonsense\r\n\r\n");
        until(&room->f, client_has(c, "400 Bad Request"));
        client_free(c);
    }
    assert_int_equal(room->callbacks, 30);
    assert_int_equal(channel_send(room->keeper, MSG_PING, 5, &ping), 0);
    until(&room->f, room->pong[0] != '\0');
    assert_int_equal(channel_send(room->keeper, MSG_DRAIN, 0, &drain), 0);
    until(&room->f, has_ended(pid, &status));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    free(large);
    room_free(room);
}

static void in_its_sandbox_it_ends_without_a_keeper(void **state)
{
    pid_t pid;
    struct room *room = room_in_a_process(&pid, with_tls);
    int status = 0;

    (void)state;
    channel_free(room->keeper);
    room->keeper = NULL;
    until(&room->f, has_ended(pid, &status));
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    room_free(room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_accepts_only_after_it_has_said_ready),
        cmocka_unit_test(it_speaks_tls_with_what_it_was_given),
        cmocka_unit_test(what_it_cannot_start_with_it_says),
        cmocka_unit_test(it_tells_its_counters),
        cmocka_unit_test(a_drain_ends_it_after_the_last_answer),
        cmocka_unit_test(without_a_keeper_it_ends),
        cmocka_unit_test(in_its_sandbox_it_does_its_whole_work),
        cmocka_unit_test(in_its_sandbox_it_ends_without_a_keeper),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
