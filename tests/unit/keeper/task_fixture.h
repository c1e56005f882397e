/* SPDX-License-Identifier: MIT */
/* A task that has succeeded, for the tests of what is made of one. */
#ifndef VIDUHOOK_TESTS_TASK_FIXTURE_H
#define VIDUHOOK_TESTS_TASK_FIXTURE_H

#include "store/store.h"

static inline struct store_task sample(void)
{
    return (struct store_task){
        .row = 1,
        .id = "tabc",
        .provider = "vidu",
        .endpoint = "img2video",
        .model = "viduq3-turbo",
        .prompt = "a \"boat\"",
        .payload = "order-42",
        .request = "{\"duration\":5}",
        .remote_id = "912345678901234567",
        .tags = "{\"album\":\"summer\",\"n\":\"1\"}",
        .result = "[{\"id\":\"1\",\"url\":\"https://m.example/a.mp4\",\"cover_url\":\"\","
                  "\"watermarked_url\":\"\"}]",
        .err_code = "CreationPolicyViolation",
        .err_msg = "",
        .state = STATE_SUCCESS,
        .credits = 40,
        .created_ms = 1746533382123,
    };
}

#endif
