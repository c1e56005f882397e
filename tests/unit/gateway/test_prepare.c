/* SPDX-License-Identifier: MIT */
#include "gateway/prepare.h"

#include "vidu/key.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct hello_gateway hello = {
    .public_url = (char *)"https://hooks.example.org",
    .seal_secret = {1, 2, 3},
    .n_providers = 1,
    .providers = {{(char *)"main", (char *)"vidu", (char *)"https://api.example", (char *)"k",
                   true}},
};

static int prepare_with(const struct hello_gateway *h, const char *args, const char *body, size_t n,
                        struct prepared *p)
{
    json_t *json = json_loads(args, 0, NULL);
    struct err err = {""};
    int r = prepare(h, json, (struct slice){body, n}, p, &err);

    if (r != 0)
        assert_string_not_equal(err.text, "");
    json_decref(json);
    return r;
}

static int prepare_text(const char *body, struct prepared *p)
{
    return prepare_with(&hello, "{\"endpoint\":\"text2video\"}", body, strlen(body), p);
}

static void the_first_provider_is_the_default(void **state)
{
    struct prepared p;

    (void)state;
    assert_int_equal(prepare_text("{}", &p), 0);
    assert_string_equal(p.account->name, "main");
    assert_string_equal(p.url, "https://api.example/ent/v2/text2video");
    prepared_clear(&p);
}

static void a_form_carries_texts_and_the_bytes_of_a_file(void **state)
{
    static const char body[] = "{\"model\":\"viduq3\",\"prompt\":\"a \\\"boat\\\"\",\"seconds\":5,"
                               "\"input_reference\":\"data:image/png;base64,iVBORwA=\",\"x\":null}";
    struct prepared p;
    autofree char *want = NULL;
    const char *boundary;

    (void)state;
    assert_int_equal(prepare_with(&hello, "{\"endpoint\":\"videos\"}", body, sizeof(body) - 1, &p),
                     0);
    boundary = strstr(p.content_type, "boundary=") + strlen("boundary=");
    assert_true(
        str_starts(p.content_type, "Content-Type: multipart/form-data; boundary=viduhook-"));
    want =
        mem_printf("--%s\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nviduq3\r\n"
                   "--%s\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na \"boat\"\r\n"
                   "--%s\r\nContent-Disposition: form-data; name=\"seconds\"\r\n\r\n5\r\n"
                   "--%s\r\nContent-Disposition: form-data; name=\"input_reference\"; "
                   "filename=\"input_reference.png\"\r\nContent-Type: image/png\r\n\r\n"
                   "\x89PNG",
                   boundary, boundary, boundary, boundary);
    assert_int_equal(strncmp(buf_text(&p.body), want, strlen(want)), 0);
    assert_int_equal(p.body.len, strlen(want) + strlen("\r\n--") + 1 + strlen(boundary) + 4);
    assert_false(p.called_back);
    prepared_clear(&p);
}

static void a_url_in_a_form_is_a_text_and_bad_names_are_refused(void **state)
{
    static const char *const bad[] = {"{\"a\\\"b\":1}", "{\"a\\r\\nb\":1}",
                                      "{\"input_reference\":\"data:image/png;base64,???\"}"};
    static const char body[] = "{\"input_reference\":\"https://h/a.png\"}";
    struct prepared p;

    (void)state;
    assert_int_equal(prepare_with(&hello, "{\"endpoint\":\"videos\"}", body, sizeof(body) - 1, &p),
                     0);
    assert_non_null(
        strstr(buf_text(&p.body), "name=\"input_reference\"\r\n\r\nhttps://h/a.png\r\n"));
    prepared_clear(&p);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_true(prepare_with(&hello, "{\"endpoint\":\"videos\"}", bad[i], strlen(bad[i]), &p) <
                    0);
        prepared_clear(&p);
    }
}

static void an_id_is_wanted_in_the_place_of_its_mark(void **state)
{
    static const char name[] = "{\"endpoint\":\"one-click/mv/{id}/edit\",\"force\":true}";
    struct prepared p;

    (void)state;
    assert_int_equal(prepare_with(&hello, name, "{}", 2, &p), -EINVAL);
    prepared_clear(&p);
    assert_int_equal(prepare_with(&hello, "{\"endpoint\":\"one-click/mv/9-a/edit\"}", "{}", 2, &p),
                     0);
    assert_string_equal(p.url, "https://api.example/ent/v2/one-click/mv/9-a/edit");
    assert_string_equal(p.endpoint, "one-click/mv/9-a/edit");
    assert_true(p.called_back && !p.synchronous);
    prepared_clear(&p);
}

static void only_rows_that_say_so_get_a_callback(void **state)
{
    (void)state;
    for (size_t i = 0; i < endpoint_count(); i++) {
        const struct endpoint *e = endpoint_at(i);
        autofree char *args = mem_printf("{\"endpoint\":\"%s\"}", e->name);
        struct prepared p;

        if (strchr(e->name, '{') != NULL)
            continue;
        assert_int_equal(prepare_with(&hello, args, "{}", 2, &p), 0);
        assert_int_equal(p.called_back, e->accepts_callback);
        assert_int_equal(strstr(buf_text(&p.body), "callback_url") != NULL, e->accepts_callback);
        assert_int_equal(p.synchronous, e->query == ENDPOINT_QUERY_NONE);
        prepared_clear(&p);
    }
}

static void two_tasks_have_neither_name_nor_key_in_common(void **state)
{
    struct prepared a, b;

    (void)state;
    assert_int_equal(prepare_text("{}", &a), 0);
    assert_int_equal(prepare_text("{}", &b), 0);
    assert_string_not_equal(a.task, b.task);
    assert_string_not_equal(buf_text(&a.body), buf_text(&b.body));
    assert_memory_not_equal(a.key_hash, b.key_hash, SHA256_LEN);
    prepared_clear(&a);
    prepared_clear(&b);
}

static void without_a_public_url_there_is_no_callback(void **state)
{
    struct hello_gateway h = hello;
    struct prepared p;
    struct msg_register msg;

    (void)state;
    h.public_url = (char *)"";
    assert_int_equal(prepare_with(&h, "{\"endpoint\":\"text2video\"}", "{\"a\":1}", 7, &p), 0);
    assert_string_equal(buf_text(&p.body), "{\"a\":1}");
    prepared_register(&p, &msg);
    assert_true(!msg.expects_callback && msg.key_hash.n == 0);
    prepared_clear(&p);
}

static void the_rest_of_a_body_survives_the_exchange_of_its_callback(void **state)
{
    struct prepared p;
    const char *rest;

    (void)state;
    assert_int_equal(
        prepare_text(
            "{\"z\":912345678901234567,\"callback_url\":\"http://m/\",\"a\":[1.5,\"\\u00e9\"]}",
            &p),
        0);
    assert_string_equal(p.forward_url, "http://m/");
    assert_true(
        str_starts(buf_text(&p.body), "{\"z\":912345678901234567,\"callback_url\":\"https://"));
    rest = strstr(buf_text(&p.body), ",\"a\"");
    assert_non_null(rest);
    assert_string_equal(rest, ",\"a\":[1.5,\"\\u00e9\"]}");
    prepared_clear(&p);
}

static void a_long_prompt_is_recorded_in_part_and_sent_whole(void **state)
{
    struct prepared p;
    struct msg_register msg;
    size_t n = 200000;
    char *body = mem_calloc(n + 1, 1);

    (void)state;
    memset(body, 'x', n);
    memcpy(body, "{\"prompt\":\"", 11);
    memcpy(body + n - 2, "\"}", 2);
    assert_int_equal(prepare_text(body, &p), 0);
    prepared_register(&p, &msg);
    assert_int_equal(message_check(MSG_REGISTER, &msg), 0);
    assert_in_range(msg.prompt.n, 10000, 65536);
    assert_in_range(p.body.len, n, n + 200);
    prepared_clear(&p);
    free(body);
}

static int prepare_video(const char *endpoint, struct prepared *p)
{
    static const char body[] = "{\"prompt\":\"x\"}";
    autofree char *args = mem_printf("{\"endpoint\":\"%s\"}", endpoint);

    return prepare_with(&hello, args, body, sizeof(body) - 1, p);
}

static int file_with(const char *bytes, size_t n, off_t size)
{
    char path[] = "/tmp/vh.prepare.XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    assert_int_equal(ftruncate(fd, size), 0);
    return fd;
}

static void a_file_has_its_place_in_the_form(void **state)
{
    int fd = file_with("\x89PNG\r\n\x1a\n", 8, 5000);
    struct prepared p;
    struct err err;
    const char *boundary;
    autofree char *before = NULL;
    autofree char *after = NULL;

    (void)state;
    assert_int_equal(prepare_video("videos", &p), 0);
    boundary = strstr(p.content_type, "boundary=") + strlen("boundary=");
    assert_int_equal(prepared_add_file(&p, fd, &err), 0);
    close(fd);
    assert_int_equal(fcntl(p.file.fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    assert_int_equal(p.file.size, 5000);
    before =
        mem_printf("--%s\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nx\r\n--%s\r\n"
                   "Content-Disposition: form-data; name=\"input_reference\"; filename="
                   "\"input_reference.png\"\r\nContent-Type: image/png\r\n\r\n",
                   boundary, boundary);
    after = mem_printf("\r\n--%s--\r\n", boundary);
    assert_int_equal(p.file.head.n, strlen(before));
    assert_int_equal(p.body.len, strlen(before) + strlen(after));
    assert_memory_equal(p.body.data, before, strlen(before));
    assert_memory_equal(p.file.tail.p, after, strlen(after));
    assert_int_equal(p.file.tail.n, strlen(after));
    assert_non_null(strstr(p.summary, "\"input_reference\":\"[image/png 5000 bytes]\""));
    fd = p.file.fd;
    prepared_clear(&p);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void a_file_that_cannot_be_sent_is_refused(void **state)
{
    int png = file_with("\x89PNG\r\n\x1a\n", 8, 100);
    int folder = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int device = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    int large = file_with("\x89PNG\r\n\x1a\n", 8, (off_t)REQUEST_MAX_IMAGE + 1);
    int gif = file_with("GIF89a", 6, 100);
    int empty = file_with("", 0, 0);
    const struct {
        const char *endpoint, *text;
        int fd;
    } rows[] = {
        {"text2video", "text2video takes no file", png},
        {"videos", "no regular file", folder},
        {"videos", "no regular file", device},
        {"videos", "and an image at most", large},
        {"videos", "is no PNG, JPEG or WebP", gif},
        {"videos", "is no PNG, JPEG or WebP", empty},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct prepared p;
        struct err err = {""};

        assert_int_equal(prepare_video(rows[i].endpoint, &p), 0);
        assert_true(prepared_add_file(&p, rows[i].fd, &err) < 0);
        if (strstr(err.text, rows[i].text) == NULL)
            fail_msg("%s", err.text);
        assert_int_equal(p.file.size, 0);
        prepared_clear(&p);
        close(rows[i].fd);
    }
}

static void a_body_over_the_limit_is_refused(void **state)
{
    struct hello_gateway h = hello;
    struct prepared p;
    size_t n = REQUEST_MAX_BODY + 1;
    char *body = mem_calloc(n, 1);

    (void)state;
    memset(body, ' ', n);
    body[0] = '{';
    body[1] = '}';
    for (int callbacks = 0; callbacks < 2; callbacks++) {
        h.providers[0].callbacks = callbacks != 0;
        assert_int_equal(prepare_with(&h, "{\"endpoint\":\"text2video\"}", body, n, &p), -E2BIG);
        prepared_clear(&p);
    }
    free(body);
}

static void a_form_of_the_clients_own_goes_out_as_it_came(void **state)
{
    static const char type[] = "multipart/form-data; boundary=b";
    static const char text[] = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n"
                               "--b\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\np\r\n"
                               "--b--\r\n";
    json_t *args = json_loads("{\"endpoint\":\"img2video\"}", 0, NULL);
    json_t *wrong = json_loads("{\"endpoint\":\"nothing\"}", 0, NULL);
    struct buf form = BUF_INIT(1 << 20);
    const char *bytes;
    struct prepared p;
    struct err err;

    (void)state;
    buf_adds(&form, text);
    bytes = form.data;
    assert_int_equal(prepare_form(&hello, wrong, slice_str(type), &form, &p, &err), -EINVAL);
    prepared_clear(&p);
    assert_ptr_equal(form.data, bytes);
    assert_int_equal(prepare_form(&hello, args, slice_str(type), &form, &p, &err), 0);
    assert_null(form.data);
    assert_ptr_equal(p.body.data, bytes); /* there is no second copy */
    assert_string_equal(buf_text(&p.body), text);
    assert_string_equal(p.content_type, "Content-Type: multipart/form-data; boundary=b");
    assert_string_equal(p.model, "m");
    assert_string_equal(p.prompt, "p");
    assert_string_equal(p.summary, "{\"model\":\"m\",\"prompt\":\"p\"}");
    assert_false(p.called_back);
    prepared_clear(&p);
    json_decref(wrong);
    json_decref(args);
}

static void bad_tags_are_refused(void **state)
{
    struct prepared p;

    (void)state;
    assert_int_equal(
        prepare_with(&hello, "{\"endpoint\":\"text2video\",\"tags\":{\"a\":1}}", "{}", 2, &p),
        -EINVAL);
    prepared_clear(&p);
    assert_int_equal(
        prepare_with(&hello, "{\"endpoint\":\"text2video\",\"tags\":{\"a\":\"b\"}}", "{}", 2, &p),
        0);
    assert_string_equal(p.tags, "{\"a\":\"b\"}");
    prepared_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_provider_is_the_default),
        cmocka_unit_test(a_form_carries_texts_and_the_bytes_of_a_file),
        cmocka_unit_test(a_url_in_a_form_is_a_text_and_bad_names_are_refused),
        cmocka_unit_test(an_id_is_wanted_in_the_place_of_its_mark),
        cmocka_unit_test(only_rows_that_say_so_get_a_callback),
        cmocka_unit_test(two_tasks_have_neither_name_nor_key_in_common),
        cmocka_unit_test(without_a_public_url_there_is_no_callback),
        cmocka_unit_test(the_rest_of_a_body_survives_the_exchange_of_its_callback),
        cmocka_unit_test(a_long_prompt_is_recorded_in_part_and_sent_whole),
        cmocka_unit_test(a_file_has_its_place_in_the_form),
        cmocka_unit_test(a_file_that_cannot_be_sent_is_refused),
        cmocka_unit_test(a_body_over_the_limit_is_refused),
        cmocka_unit_test(a_form_of_the_clients_own_goes_out_as_it_came),
        cmocka_unit_test(bad_tags_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
