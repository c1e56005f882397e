/* SPDX-License-Identifier: MIT */
#include "vidu/result_kind.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void the_endpoint_tells_and_then_the_link(void **state)
{
    static const struct {
        const char *endpoint, *url;
        enum result_kind kind;
    } rows[] = {
        {"reference2image", "https://m.example/r/1?sig=x.mp4", RESULT_IMAGE},
        {"reference2image", "https://m.example/r/1.mp4", RESULT_IMAGE},
        {"text2audio", "https://m.example/r/1", RESULT_AUDIO},
        {"timing2audio", "https://m.example/r/1.mp4", RESULT_AUDIO},
        {"audio-tts", "https://m.example/r/1", RESULT_AUDIO},
        {"img2video", "https://m.example/r/1.mp4?sig=1", RESULT_VIDEO},
        {"img2video", "https://m.example/r/1", RESULT_VIDEO},
        {"", "https://m.example/r/1.jpeg#x", RESULT_IMAGE},
        {"", "https://m.example/r/1.png?name=a.mp4", RESULT_IMAGE},
        {"", "https://m.example/r/1.wav", RESULT_AUDIO},
        {"", "https://m.example/r/1.flac", RESULT_AUDIO},
        {"", "https://m.example/r/1.ogg", RESULT_AUDIO},
        {"", "https://m.example/r/1.gif", RESULT_IMAGE},
        {"", "https://M.example/r/1.PNG", RESULT_IMAGE},
        {"", "", RESULT_VIDEO},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(result_kind(rows[i].endpoint, rows[i].url), rows[i].kind);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_endpoint_tells_and_then_the_link),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
