/* SPDX-License-Identifier: MIT */
#include "wire/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Any message fits; the slices of a struct lie where the test says. */
union any {
    struct msg_callback callback;
    struct msg_register registered;
    struct msg_polled polled;
    struct msg_done done;
    char bytes[1024];
};

/* An independent list of what each struct holds, in order. */
struct layout {
    enum message_type type;
    const char *fields; /* u: 32 bits, q: 64 bits, s: slice */
};

#define REPORT "ususssqus"

static const struct layout layouts[] = {
    {MSG_HELLO, "us"},
    {MSG_READY, "s"},
    {MSG_DRAIN, "q"},
    {MSG_PING, "q"},
    {MSG_PONG, "qs"},
    {MSG_CALLBACK, "ussssss" REPORT "s"},
    {MSG_VERDICT, "u"},
    {MSG_REGISTER, "sssssssssssssuu"},
    {MSG_SUBMITTED, "suussqsss"},
    {MSG_RECORDED, "sss"},
    {MSG_POLL, "ssss"},
    {MSG_POLLED, "suqs" REPORT "s"},
    {MSG_COMMAND, "uss"},
    {MSG_RESULT, "uus"},
    {MSG_SUBSCRIBE, "u"},
    {MSG_EVENT, "ss"},
    {MSG_RUN, "qus"},
    {MSG_DONE, "quuqqqssss"},
    {MSG_PROGRESS, "qqqs"},
    {MSG_REFRESH, "qs"},
    {MSG_FRESH, "qss"},
    {MSG_CANCEL, "q"},
    {MSG_FOLLOW, "qu"},
    {MSG_OUTPUT, "quqs"},
};

static uint64_t seed = 1;

static uint64_t next_random(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static const char *random_bytes(size_t n)
{
    static char pool[4096];
    size_t i;

    for (i = 0; i < sizeof(pool); i++)
        pool[i] = (char)next_random();
    assert_true(n <= sizeof(pool));
    return pool;
}

/* Visits the members by the rules of the platform's struct layout. */
static size_t align(size_t at, size_t to)
{
    return (at + to - 1) / to * to;
}

static size_t place(char field, size_t *at)
{
    size_t size = field == 'u' ? 4 : field == 'q' ? 8 : sizeof(struct slice);
    size_t here = align(*at, field == 'u' ? 4 : 8);

    *at = here + size;
    return here;
}

/* msg_report inside a message starts and ends at 8 bytes. */
static const char *report_of(const char *fields)
{
    return strstr(fields, REPORT);
}

static size_t step(const char *fields, const char *c, size_t *at)
{
    const char *report = report_of(fields);

    if (report != NULL && c == report)
        *at = align(*at, 8);
    return place(*c, at);
}

static void fill_random(const struct layout *l, union any *m, char *keep, size_t max)
{
    size_t used = 0;
    size_t at = 0;
    const char *c;

    memset(m, 0, sizeof(*m));
    for (c = l->fields; *c != '\0'; c++) {
        size_t here = step(l->fields, c, &at);
        uint64_t number = next_random();
        struct slice s = {keep + used, (size_t)(number % max)};

        if (l->type == MSG_REGISTER && c - l->fields == 6)
            s.n %= 33;
        memcpy(keep + used, random_bytes(s.n), s.n);
        memcpy(m->bytes + here, *c == 's' ? (void *)&s : (void *)&number,
               *c == 's'   ? sizeof(s)
               : *c == 'u' ? 4
                           : 8);
        used += *c == 's' ? s.n : 0;
    }
}

static void assert_same(const struct layout *l, const union any *a, const union any *b)
{
    size_t at = 0;
    const char *c;

    for (c = l->fields; *c != '\0'; c++) {
        size_t here = step(l->fields, c, &at);
        struct slice s, t;

        if (*c != 's') {
            assert_memory_equal(a->bytes + here, b->bytes + here, *c == 'u' ? 4 : 8);
            continue;
        }
        memcpy(&s, a->bytes + here, sizeof(s));
        memcpy(&t, b->bytes + here, sizeof(t));
        assert_int_equal(s.n, t.n);
        assert_memory_equal(s.p, t.p, s.n);
        assert_int_equal(t.p[t.n], '\0');
    }
}

static struct frame encode(enum message_type type, const void *msg)
{
    size_t n = message_size(type, msg);
    uint8_t *p = malloc(n);

    assert_non_null(p);
    assert_int_equal(message_check(type, msg), 0);
    message_write(type, msg, p);
    return (struct frame){(uint16_t)type, 0, {(const char *)p, n}};
}

static void release(struct frame *f)
{
    free((void *)f->payload.p);
}

static void every_message_comes_back_as_it_was_sent(void **state)
{
    static char keep[32 * 2048];
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(layouts) * 200; i++) {
        const struct layout *l = &layouts[i % ARRAY_LEN(layouts)];
        union any in, out;
        struct frame f;

        fill_random(l, &in, keep, 2048);
        memset(&out, 0, sizeof(out));
        f = encode(l->type, &in);
        assert_int_equal(message_read(&f, &out), 0);
        assert_same(l, &in, &out);
        release(&f);
    }
}

static void there_is_a_layout_for_every_type(void **state)
{
    (void)state;
    assert_int_equal(ARRAY_LEN(layouts), MSG_TYPE_COUNT - 1);
}

static void a_message_cut_or_lengthened_anywhere_is_refused(void **state)
{
    static char keep[32 * 64];
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(layouts); i++) {
        union any in, out;
        struct frame f;
        size_t n;

        fill_random(&layouts[i], &in, keep, 64);
        f = encode(layouts[i].type, &in);
        for (n = 0; n < f.payload.n; n++) {
            char *exact = malloc(n + 1); /* so that ASan sees a read behind it */
            struct frame cut = f;

            assert_non_null(exact);
            exact = realloc(exact, n != 0 ? n : 1);
            memcpy(exact, f.payload.p, n);
            cut.payload = (struct slice){exact, n};
            assert_int_equal(message_read(&cut, &out), -EPROTO);
            free(exact);
        }
        release(&f);
    }
}

static void bytes_behind_the_last_field_are_refused(void **state)
{
    struct msg_ping ping = {7}, out;
    uint8_t bytes[9] = {0};
    struct frame f = {MSG_PING, 0, {(const char *)bytes, 9}};

    (void)state;
    message_write(MSG_PING, &ping, bytes);
    assert_int_equal(message_read(&f, &out), -EPROTO);
    f.payload.n = 8;
    assert_int_equal(message_read(&f, &out), 0);
}

static void a_slice_without_its_nul_is_refused(void **state)
{
    struct msg_ready ready = {SLICE_LIT("disk full")}, out;
    struct frame f = encode(MSG_READY, &ready);

    (void)state;
    assert_int_equal(message_read(&f, &out), 0);
    ((char *)(uintptr_t)f.payload.p)[f.payload.n - 1] = 'x';
    assert_int_equal(message_read(&f, &out), -EPROTO);
    release(&f);
}

static void a_field_over_its_limit_is_neither_sent_nor_read(void **state)
{
    size_t n = (64U << 10) + 1;
    char *text = calloc(1, n);
    struct msg_ready ready = {{text, n}}, out;
    uint8_t *p = malloc(message_size(MSG_READY, &ready));
    struct frame f = {MSG_READY, 0, {(const char *)p, message_size(MSG_READY, &ready)}};

    (void)state;
    assert_int_equal(message_check(MSG_READY, &ready), -EMSGSIZE);
    message_write(MSG_READY, &ready, p);
    assert_int_equal(message_read(&f, &out), -EPROTO);
    ready.error.n--;
    assert_int_equal(message_check(MSG_READY, &ready), 0);
    message_write(MSG_READY, &ready, p);
    f.payload.n--;
    assert_int_equal(message_read(&f, &out), 0);
    free(text);
    free(p);
}

static void a_key_hash_is_at_most_32_bytes(void **state)
{
    struct msg_register r = {.key_hash = SLICE_LIT("0123456789abcdef0123456789abcdef0")};

    (void)state;
    assert_int_equal(message_check(MSG_REGISTER, &r), -EMSGSIZE);
    r.key_hash.n = 32;
    assert_int_equal(message_check(MSG_REGISTER, &r), 0);
}

static void large_fields_together_may_not_pass_the_frame(void **state)
{
    static const char nothing[1];
    struct msg_command c = {0, {nothing, FRAME_MAX / 2}, {nothing, FRAME_MAX / 2}};

    (void)state;
    assert_int_equal(message_check(MSG_COMMAND, &c), -EMSGSIZE);
    c.blob.n -= 64;
    assert_int_equal(message_check(MSG_COMMAND, &c), 0);
}

static void unknown_types_are_refused(void **state)
{
    static const uint16_t types[] = {0, MSG_TYPE_COUNT, 999, 65535};
    union any out;
    size_t i;

    (void)state;
    for (i = 0; i < ARRAY_LEN(types); i++) {
        struct frame f = {types[i], 0, {"", 0}};

        assert_int_equal(message_read(&f, &out), -EPROTO);
        assert_string_equal(message_name(types[i]), "unknown");
    }
}

static void every_type_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int a = 1; a < MSG_TYPE_COUNT; a++)
        for (int b = a + 1; b < MSG_TYPE_COUNT; b++)
            assert_string_not_equal(message_name((enum message_type)a),
                                    message_name((enum message_type)b));
    assert_string_equal(message_name(MSG_SUBMITTED), "submitted");
}

static void verdicts_have_the_status_of_the_design(void **state)
{
    (void)state;
    assert_int_equal(verdict_http_status(VERDICT_ACCEPTED), 200);
    assert_int_equal(verdict_http_status(VERDICT_DUPLICATE), 200);
    assert_int_equal(verdict_http_status(VERDICT_QUARANTINED), 200);
    assert_int_equal(verdict_http_status(VERDICT_UNAUTHORISED), 401);
    assert_int_equal(verdict_http_status(VERDICT_UNKNOWN), 404);
    assert_int_equal(verdict_http_status(VERDICT_BUSY), 503);
    assert_int_equal(verdict_http_status(VERDICT_COUNT), 503);
    assert_string_equal(verdict_name(VERDICT_QUARANTINED), "quarantined");
    assert_string_equal(verdict_name((enum verdict)99), "unknown");
}

static void header_lines_are_read_one_by_one(void **state)
{
    struct slice rest = SLICE_LIT("Date:today\nX-Empty:\nX-Colon:a:b\n");
    struct slice name, value;

    (void)state;
    assert_true(message_header_next(&rest, &name, &value));
    assert_true(slice_is(name, "Date") && slice_is(value, "today"));
    assert_true(message_header_next(&rest, &name, &value));
    assert_true(slice_is(name, "X-Empty") && slice_is(value, ""));
    assert_true(message_header_next(&rest, &name, &value));
    assert_true(slice_is(name, "X-Colon") && slice_is(value, "a:b"));
    assert_false(message_header_next(&rest, &name, &value));
}

static void a_header_line_without_colon_or_end_ends_the_list(void **state)
{
    struct slice no_colon = SLICE_LIT("Date\nX:1\n");
    struct slice no_end = SLICE_LIT("Date:today");
    struct slice name, value;

    (void)state;
    assert_false(message_header_next(&no_colon, &name, &value));
    assert_false(message_header_next(&no_end, &name, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_message_comes_back_as_it_was_sent),
        cmocka_unit_test(there_is_a_layout_for_every_type),
        cmocka_unit_test(a_message_cut_or_lengthened_anywhere_is_refused),
        cmocka_unit_test(bytes_behind_the_last_field_are_refused),
        cmocka_unit_test(a_slice_without_its_nul_is_refused),
        cmocka_unit_test(a_field_over_its_limit_is_neither_sent_nor_read),
        cmocka_unit_test(a_key_hash_is_at_most_32_bytes),
        cmocka_unit_test(large_fields_together_may_not_pass_the_frame),
        cmocka_unit_test(unknown_types_are_refused),
        cmocka_unit_test(every_type_has_a_name_of_its_own),
        cmocka_unit_test(verdicts_have_the_status_of_the_design),
        cmocka_unit_test(header_lines_are_read_one_by_one),
        cmocka_unit_test(a_header_line_without_colon_or_end_ends_the_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
