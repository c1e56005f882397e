/* SPDX-License-Identifier: MIT */
#include "http/mp4.h"

#include "base/buf.h"
#include "base/fs.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#define FTYP                                                                                       \
    "\0\0\0\x10"                                                                                   \
    "ftypisom"                                                                                     \
    "\0\0\2\0"
#define MDAT                                                                                       \
    "\0\0\0\x0c"                                                                                   \
    "mdat"                                                                                         \
    "1234"
#define SMALL                                                                                      \
    "\0\0\0\x08"                                                                                   \
    "free"
#define CUT                                                                                        \
    "\0\0\0\x0d"                                                                                   \
    "mdat"
#define BYTES(s) s, sizeof(s) - 1

/* The name of the box that is cut, "" for none. */
static const struct file {
    const char *bytes;
    size_t n;
    const char *cut;
} files[] = {
    {BYTES(""), ""},
    {BYTES(FTYP), ""},
    {BYTES(FTYP MDAT), ""},
    {BYTES(FTYP MDAT FTYP), ""},
    {BYTES(FTYP "\0\0\0\x0d"
                "mdat"
                "1234"),
     "mdat"},
    {BYTES("\0\0\0\x11"
           "ftypisom"
           "\0\0\2\0"),
     "ftyp"},
    {BYTES(FTYP "\0\0\0\x0a"
                "moov"
                "1"),
     "moov"},
    {BYTES(FTYP "\xff\xff\xff\xff"
                "mdat"),
     "mdat"},
    {BYTES(FTYP "\0\0\0\0"
                "mdat"
                "to the end"),
     ""},
    {BYTES(FTYP "\0\0\0\x01"
                "mdat"
                "\0\0\0\0\0\0\0\x12"
                "12"),
     ""},
    {BYTES(FTYP "\0\0\0\x01"
                "mdat"
                "\0\0\0\0\0\0\0\x13"
                "12"),
     "mdat"},
    {BYTES(FTYP "\0\0\0\x01"
                "mdat"
                "\xff\xff\xff\xff\xff\xff\xff\xff"
                "12"),
     "mdat"},
    {BYTES(FTYP "\0\0\0\x01"
                "mdat"
                "\0\0\0\0\1"),
     "mdat"}, /* within its own head, and it had more than that to come */
    /* No boxes: not judged. */
    {BYTES(FTYP "\0\0\0\x04"
                "mdatmoov"),
     ""},
    {BYTES(FTYP "\0\0\0\x01"
                "mdat"
                "\0\0\0\0\0\0\0\x0f"
                "abcmoov"),
     ""},
    {BYTES(FTYP "\0\0\0\x01"
                "mdat"
                "\0\0\0\0\0\0\0\x0f"
                "12"),
     ""}, /* within its own head */
    {BYTES(FTYP "\0\0\0\x01"
                "mdat"
                "\0\0"),
     ""},
    {BYTES(FTYP "\0\0\0\x07"
                "mdat"),
     ""},
    {BYTES(FTYP "\0\0\xff\0"
                "what"
                "1234"),
     ""},
    {BYTES(FTYP MDAT "\0\0\0"), ""},
    {BYTES(FTYP MDAT "trailing rubbish of some program"), ""},
};

static void a_box_that_goes_on_behind_the_end_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        autoclose int fd = memfd_create("mp4", MFD_CLOEXEC);
        char type[5] = "";

        assert_int_equal(fs_write_all(fd, files[i].bytes, files[i].n), 0);
        if (mp4_is_cut(fd, files[i].n, type) != (files[i].cut[0] != '\0') ||
            !str_eq(type, files[i].cut))
            fail_msg("file %zu: cut in \"%s\", not \"%s\"", i, type, files[i].cut);
    }
}

static void of_endless_boxes_only_the_first_are_looked_at(void **state)
{
    autobuf struct buf file = BUF_INIT(1U << 20);
    autoclose int fd = memfd_create("mp4", MFD_CLOEXEC);
    char type[5] = "";

    (void)state;
    for (int i = 0; i < 99999; i++)
        buf_add(&file, SMALL, 8);
    buf_add(&file, CUT, 8);
    assert_int_equal(fs_write_all(fd, buf_text(&file), file.len), 0);
    assert_true(mp4_is_cut(fd, file.len, type));
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(fs_write_all(fd, SMALL, 8), 0);
    assert_int_equal(fs_write_all(fd, buf_text(&file), file.len), 0);
    assert_false(mp4_is_cut(fd, file.len + 8, type));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_box_that_goes_on_behind_the_end_is_cut),
        cmocka_unit_test(of_endless_boxes_only_the_first_are_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
