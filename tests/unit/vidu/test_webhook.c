/* SPDX-License-Identifier: MIT */
#include "vidu/webhook.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The first two are published with implementations of the specification. */
static void signatures_are_those_of_the_specification(void **state)
{
    static const struct {
        const char *secret, *id;
        int64_t time_s;
        const char *body, *signature;
    } rows[] = {
        {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
         "{\"test\": 2432232314}", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
         "{\"test\": 2432232314}", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
        {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "a", 1, "",
         "v1,ECTJx8x4DJFLHqPTe4R+gFPQ+IPCuMAYrZz7SuFJIr4="},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        autobuf struct buf out = BUF_INIT(1024);

        assert_int_equal(webhook_sign(rows[i].secret, rows[i].id, rows[i].time_s,
                                      slice_str(rows[i].body), &out, NULL),
                         0);
        assert_string_equal(buf_text(&out), rows[i].signature);
    }
}

static void every_secret_adds_its_signature(void **state)
{
    autobuf struct buf out = BUF_INIT(1024);
    autobuf struct buf old = BUF_INIT(1024);

    (void)state;
    assert_int_equal(
        webhook_sign("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "m", 7, SLICE_LIT("{}"), &out, NULL), 0);
    assert_int_equal(webhook_sign("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "m", 7,
                                  SLICE_LIT("{}"), &out, NULL),
                     0);
    assert_int_equal(webhook_sign("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "m", 7,
                                  SLICE_LIT("{}"), &old, NULL),
                     0);
    assert_int_equal(out.len, 2 * old.len + 1);
    assert_int_equal(buf_text(&out)[old.len], ' ');
    assert_string_equal(buf_text(&out) + old.len + 1, buf_text(&old));
}

static void a_bad_secret_is_refused_without_being_repeated(void **state)
{
    static const char *const bad[] = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", /* no base64 */
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa==",
        "c2hvcnQ=",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "not base64 at all!",
    };
    autobuf struct buf out = BUF_INIT(1024);
    struct err err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(webhook_secret_check(bad[i], &err), -EINVAL);
        assert_null(strstr(err.text, "MfKQ"));
        assert_int_equal(webhook_sign(bad[i], "m", 7, SLICE_LIT("{}"), &out, &err), -EINVAL);
    }
    assert_int_equal(out.len, 0);
    assert_int_equal(webhook_secret_check("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_the_specification),
        cmocka_unit_test(every_secret_adds_its_signature),
        cmocka_unit_test(a_bad_secret_is_refused_without_being_repeated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
