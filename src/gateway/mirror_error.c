/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_error.h"

#include <string.h>

static const struct {
    int status;
    const char *reason, *message;
} refusals[] = {
    {400, "ViduhookBadRequest", "the request is not acceptable HTTP"},
    {401, "ViduhookUnauthorized",
     "the API key must be the token that gateway.token of viduhook.yaml names, as \"Token ...\" or "
     "\"Bearer ...\""},
    {404, "ViduhookUnknownProvider",
     "the path must begin with the name of a provider that viduhook.yaml configures, such as "
     "/vidu/ent/v2/img2video, and that of a POST has no escape, no empty segment and none that "
     "begins with a dot"},
    {405, "ViduhookMethodNotAllowed", "this method is not handed on"},
    {413, "ViduhookBodyTooLarge", "JSON may have 20 MiB, everything else 64 MiB"},
    {431, "ViduhookHeadTooLarge", "the head of the request may have 8 KiB"},
    {503, "ViduhookBusy",
     "256 requests are in flight, or their bodies fill gateway.body_budget; nothing was sent, try "
     "again"},
};

void mirror_error_text(int status, const char *reason, const char *message, struct buf *out)
{
    buf_addf(out, "{\"code\":%d,\"reason\":", status);
    buf_add_json(out, reason, strlen(reason));
    buf_adds(out, ",\"message\":");
    buf_add_json(out, message, strlen(message));
    buf_adds(out, ",\"metadata\":{}}");
}

void mirror_error_refusal(int status, struct buf *out)
{
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++)
        if (refusals[i].status == status) {
            mirror_error_text(status, refusals[i].reason, refusals[i].message, out);
            return;
        }
    mirror_error_text(status, "ViduhookRefused", "the request is refused", out);
}
