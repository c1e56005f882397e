/* SPDX-License-Identifier: MIT */
#include "wire/report.h"

#include <string.h>

/* A message for people; a provider that writes more is cut, so that the frame stays legal. */
#define REPORT_MAX_MESSAGE 4096

void report_fill(const struct callback *cb, struct buf *result, struct msg_report *out)
{
    *out = (struct msg_report){.credits = -1};
    buf_reset(result);
    if (cb == NULL)
        return;
    out->understood = 1;
    out->id = slice_str(cb->id);
    out->state = (uint32_t)cb->state;
    out->state_known = cb->state_known;
    out->state_word = slice_str(cb->state_word);
    out->err_code = slice_str(cb->err_code);
    out->err_msg = slice_str(cb->err_msg);
    out->err_msg.n = str_utf8_cut(out->err_msg.p, out->err_msg.n, REPORT_MAX_MESSAGE);
    out->credits = cb->credits;
    callback_creations_json(cb, result);
    if (!buf_ok(result))
        return;
    out->has_url = callback_has_url(cb);
    out->result = (struct slice){buf_text(result), result->len};
}
