/* SPDX-License-Identifier: MIT */
#include "vidu/sigv4.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define HELLO "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
#define HOST  "host:examplebucket.s3.amazonaws.com\n"
#define TIME  "20130524T000000Z"

/* The examples of the specification: an object that is read, and one that is written. */
static void signatures_are_those_of_the_specification(void **state)
{
    static const struct {
        const char *method, *path, *headers, *payload, *signature, *names;
    } rows[] = {
        {"GET", "/test.txt",
         HOST "range:bytes=0-9\nx-amz-content-sha256:" EMPTY "\nx-amz-date:" TIME "\n", EMPTY,
         "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
         "host;range;x-amz-content-sha256;x-amz-date"},
        {"PUT", "/test%24file.text",
         "date:Fri, 24 May 2013 00:00:00 GMT\n" HOST "x-amz-content-sha256:" HELLO
         "\nx-amz-date:" TIME "\nx-amz-storage-class:REDUCED_REDUNDANCY\n",
         HELLO, "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
         "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct sigv4_request r = {.access_key = "AKIAIOSFODNN7EXAMPLE",
                                  .secret_key = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                                  .region = "us-east-1",
                                  .method = rows[i].method,
                                  .path = rows[i].path,
                                  .headers = rows[i].headers,
                                  .payload = rows[i].payload,
                                  .time = TIME};
        autobuf struct buf out = BUF_INIT(4096);
        autofree char *wanted = mem_printf(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,"
            "SignedHeaders=%s,Signature=%s",
            rows[i].names, rows[i].signature);

        sigv4_authorization(&r, &out);
        assert_string_equal(buf_text(&out), wanted);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_the_specification),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
