/* Whatever a provider sends: SPDX-License-Identifier: MIT */
#include "vidu/answer.h"
#include "vidu/callback.h"

#include <jansson.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a hook will be told must be clean, and must survive its way through the store. */
static void check(const struct callback *cb)
{
    struct buf text = BUF_INIT(64U << 20);
    json_t *list;

    callback_creations_json(cb, &text);
    list = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (list == NULL || json_array_size(list) != cb->n_creations)
        abort();
    for (size_t i = 0; i < cb->n_creations; i++) {
        const char *url = json_string_value(json_object_get(json_array_get(list, i), "url"));

        if (!str_eq(url, str_or(cb->creations[i].url, "")))
            abort();
    }
    if (cb->state_word[0] == '\0' || cb->state >= STATE_COUNT || cb->credits < -1)
        abort();
    if (cb->payload != NULL && !str_is_utf8(cb->payload, strlen(cb->payload)))
        abort();
    json_decref(list);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct callback cb;
    static const struct answer_names names = {"data.task_id", "data.status", "data.0.url"};
    struct answer answer;

    if (callback_parse((const char *)data, size, &cb, NULL) == 0) {
        check(&cb);
        callback_clear(&cb);
    }
    if (callback_parse_answer((const char *)data, size, "9", NULL, &cb, NULL) == 0) {
        check(&cb);
        callback_clear(&cb);
    }
    if (callback_parse_answer((const char *)data, size, "9", &names, &cb, NULL) == 0) {
        check(&cb);
        callback_clear(&cb);
    }
    answer_parse_named(200, (const char *)data, size, NULL, &names, &answer);
    answer_parse(200, (const char *)data, size, NULL, &answer);
    if ((answer.outcome == ANSWER_ACCEPTED) != (answer.remote_id[0] != '\0'))
        abort();
    answer_parse(400, (const char *)data, size, "trace", &answer);
    return 0;
}
