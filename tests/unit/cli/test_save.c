/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/save.h"
#include "fake_daemon.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const char clip[] = "\0\0\0\x18"
                           "ftypisom\0\0\0\0isomiso2the rest of a clip";

static char dir[64];
static char url[64];
static pid_t server;

/* Whatever is asked for is the clip. */
static void serve(int listener)
{
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        char request[4096];
        autofree char *head = mem_printf("HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\n"
                                         "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                                         sizeof(clip));

        if (fd < 0)
            _exit(1);
        (void)!read(fd, request, sizeof(request));
        (void)!fs_write_all(fd, head, strlen(head));
        (void)!fs_write_all(fd, clip, sizeof(clip));
        close(fd);
    }
}

static int setup(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    snprintf(dir, sizeof(dir), "/tmp/viduhook-save-XXXXXX");
    if (mkdtemp(dir) == NULL || chdir(dir) < 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 8) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) < 0)
        return -1;
    snprintf(url, sizeof(url), "http://127.0.0.1:%d/clip.mp4?sig=1", ntohs(address.sin_port));
    server = fork();
    if (server == 0)
        serve(fd);
    close(fd);
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"out.mp4", "taken.mp4"};

    (void)state;
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unlink(names[i]);
    return chdir("/") < 0 ? -1 : rmdir(dir);
}

static char *text_of(const char *name, size_t *len)
{
    char *text;

    assert_int_equal(fs_read_file(name, 1U << 20, &text, len, NULL), 0);
    return text;
}

/* The configuration allows this machine. */
static int fetch(const char *name, bool force, bool allowed, struct fetch_outcome *out)
{
    char *rules[] = {(char[]){"127.0.0.1"}};
    struct conf conf = {.fetch.allow = {rules, allowed ? 1 : 0}};
    struct save s;
    struct err err;
    int rc = save_open(&s, name, force, &err);

    if (rc == 0)
        rc = save_fetch(&s, &conf, "", url, out, &err);
    save_close(&s);
    return rc;
}

static void a_result_becomes_a_file(void **state)
{
    struct fetch_outcome out;
    autofree char *text = NULL;
    size_t len;

    (void)state;
    assert_int_equal(fetch("out.mp4", false, true, &out), 0);
    if (out.result != FETCH_OK)
        fail_msg("%s", out.detail);
    assert_string_equal(out.name, "out.mp4");
    text = text_of("out.mp4", &len);
    assert_int_equal(len, sizeof(clip));
    assert_memory_equal(text, clip, sizeof(clip));
}

static void a_taken_name_is_replaced_with_force_only(void **state)
{
    struct fetch_outcome out;
    autofree char *text = NULL;
    size_t len;

    (void)state;
    assert_int_equal(fs_create_file("taken.mp4", "mine", 4, 0600, NULL), 0);
    assert_int_equal(fetch("taken.mp4", false, true, &out), -EEXIST);
    text = text_of("taken.mp4", &len);
    assert_int_equal(len, 4);
    free(text);
    assert_int_equal(fetch("taken.mp4", true, true, &out), 0);
    assert_int_equal(out.result, FETCH_OK);
    assert_string_equal(out.name, "taken.mp4");
    text = text_of("taken.mp4", &len);
    assert_int_equal(len, sizeof(clip));
}

static void an_address_nobody_allowed_is_not_asked(void **state)
{
    struct fetch_outcome out;
    struct stat st;

    (void)state;
    assert_int_equal(fetch("never.mp4", false, false, &out), 0);
    assert_int_equal(out.result, FETCH_BAD);
    assert_true(out.detail[0] != '\0');
    assert_null(strstr(out.detail, "sig=1"));
    assert_int_equal(stat("never.mp4", &st), -1);
}

static void what_cannot_be_a_file_is_refused_early(void **state)
{
    struct save s;
    struct err err;

    (void)state;
    assert_int_equal(save_open(&s, "nowhere/x.mp4", false, &err), -ENOENT);
    assert_int_equal(save_open(&s, "dir/", false, &err), -EISDIR);
    assert_int_equal(save_open(&s, "..", true, &err), -EISDIR);
    assert_int_equal(save_open(&s, dir, true, &err), -EISDIR);
    save_close(&s);
}

/* Before the request: the task would be paid for, and its video could not be saved. */
static void a_directory_that_cannot_be_written_is_refused_early(void **state)
{
    bool root = geteuid() == 0;
    struct save s;
    struct err err;
    int rc;

    (void)state;
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(mkdir("closed", 0555), 0);
    assert_int_equal(root ? seteuid(65534) : 0, 0);
    rc = save_open(&s, "closed/x.mp4", false, &err);
    assert_int_equal(root ? seteuid(0) : 0, 0);
    assert_int_equal(rc, -EACCES);
    assert_int_equal(s.dir_fd, -1);
    assert_int_equal(rmdir("closed"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_becomes_a_file),
        cmocka_unit_test(a_taken_name_is_replaced_with_force_only),
        cmocka_unit_test(an_address_nobody_allowed_is_not_asked),
        cmocka_unit_test(what_cannot_be_a_file_is_refused_early),
        cmocka_unit_test(a_directory_that_cannot_be_written_is_refused_early),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
