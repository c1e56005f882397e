/* SPDX-License-Identifier: MIT */
#include "vidu/answer.h"

#include "vidu/outline.h"

#include <string.h>

#define KEEP 4096 /* providers echo the request; of its pictures nothing is wanted */

/* Work may have begun although the client was told nothing useful. */
static bool is_unsure_status(int status)
{
    return status < 400 || status >= 500 || status == 408 || status == 499;
}

static bool is_success_status(int status)
{
    return status >= 200 && status < 300;
}

/* The first candidate that is a text or a number; absent members are NULL. */
static void read_text(const struct outline *o, json_t *const *candidates, size_t n, char *out,
                      size_t size)
{
    for (size_t i = 0; i < n && out[0] == '\0'; i++) {
        autojson json_t *value = outline_value(o, candidates[i]);

        document_word(value, out, size);
    }
}

static bool read_id(const json_t *id, struct answer *out)
{
    return document_id(id, out->remote_id, sizeof(out->remote_id)) == 0;
}

static void read_identity(const struct outline *o, const struct answer_names *names,
                          struct answer *out)
{
    static const char *const ids[] = {"compose_sub_task_id", "sub_task_id", "task_id", "id"};
    const json_t *top = outline_root(o);
    const json_t *root = names_unwrap(top, ids, ARRAY_LEN(ids));
    json_t *words[] = {names->state != NULL ? names_find(top, names->state) : NULL,
                       json_object_get(root, "state"), json_object_get(root, "status")};

    if (names->id != NULL)
        read_id(names_find(top, names->id), out);
    for (size_t i = 0; i < ARRAY_LEN(ids) && out->remote_id[0] == '\0'; i++)
        if (!read_id(json_object_get(root, ids[i]), out))
            break;
    read_text(o, words, ARRAY_LEN(words), out->state_word, sizeof(out->state_word));
    out->credits = document_count(json_object_get(root, "credits"));
}

/* {"code","reason","message","metadata"} of Vidu, {"error":{"message","code"}} of gateways. */
static void read_refusal(const struct outline *o, struct answer *out)
{
    const json_t *root = outline_root(o);
    json_t *error = json_object_get(root, "error");
    json_t *reasons[] = {json_object_get(root, "reason"), json_object_get(error, "code"),
                         json_object_get(error, "type"), json_object_get(root, "code")};
    json_t *messages[] = {json_object_get(root, "message"), json_object_get(error, "message"),
                          error};

    read_text(o, reasons, ARRAY_LEN(reasons), out->reason, sizeof(out->reason));
    read_text(o, messages, ARRAY_LEN(messages), out->message, sizeof(out->message));
    document_word(json_object_get(json_object_get(root, "metadata"), "trace_id"), out->trace_id,
                  sizeof(out->trace_id));
}

static void read_body(const char *body, size_t n, const struct answer_names *names,
                      struct answer *out)
{
    autooutline struct outline *o = NULL;

    if (outline_parse(body, n, KEEP, &o, NULL) < 0)
        return;
    if (is_success_status(out->http_status))
        read_identity(o, names, out);
    if (out->remote_id[0] == '\0')
        read_refusal(o, out);
}

static enum answer_outcome outcome_of(const struct answer *a)
{
    if (is_success_status(a->http_status) && a->remote_id[0] != '\0')
        return ANSWER_ACCEPTED;
    return is_unsure_status(a->http_status) ? ANSWER_AMBIGUOUS : ANSWER_REJECTED;
}

void answer_parse_named(int http_status, const char *body, size_t n, const char *trace_header,
                        const struct answer_names *names, struct answer *out)
{
    *out = (struct answer){.http_status = http_status, .credits = -1};
    if (http_status != 0)
        read_body(body, n, names, out);
    if (out->trace_id[0] == '\0' && trace_header != NULL) {
        size_t len = str_utf8_cut(trace_header, strlen(trace_header), sizeof(out->trace_id) - 1);

        memcpy(out->trace_id, trace_header, len);
    }
    out->outcome = outcome_of(out);
}

void answer_parse(int http_status, const char *body, size_t n, const char *trace_header,
                  struct answer *out)
{
    static const struct answer_names usual = {NULL, NULL, NULL};

    answer_parse_named(http_status, body, n, trace_header, &usual, out);
}

const char *answer_outcome_name(enum answer_outcome o)
{
    static const char *const names[] = {
        [ANSWER_ACCEPTED] = "accepted",
        [ANSWER_REJECTED] = "rejected",
        [ANSWER_AMBIGUOUS] = "ambiguous",
    };

    return (size_t)o < ARRAY_LEN(names) ? names[o] : "unknown";
}
