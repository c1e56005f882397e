/* SPDX-License-Identifier: MIT */
#include "vidu/result_kind.h"

#include "base/mem.h"
#include "base/str.h"

#include <string.h>

static const struct ending {
    const char *text;
    enum result_kind kind;
} endings[] = {
    {".mp4", RESULT_VIDEO},  {".mp3", RESULT_AUDIO},  {".wav", RESULT_AUDIO},
    {".m4a", RESULT_AUDIO},  {".png", RESULT_IMAGE},  {".jpg", RESULT_IMAGE},
    {".jpeg", RESULT_IMAGE}, {".webp", RESULT_IMAGE}, {".gif", RESULT_IMAGE},
    {".flac", RESULT_AUDIO}, {".ogg", RESULT_AUDIO},
};

enum result_kind result_kind(const char *endpoint, const char *url)
{
    autofree char *path = mem_strndup(url, strcspn(url, "?#"));

    for (char *p = path; *p != '\0'; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
    if (str_ends(endpoint, "2image"))
        return RESULT_IMAGE;
    if (str_ends(endpoint, "2audio") || str_starts(endpoint, "audio-"))
        return RESULT_AUDIO;
    for (size_t i = 0; i < ARRAY_LEN(endings); i++)
        if (str_ends(path, endings[i].text))
            return endings[i].kind;
    return RESULT_VIDEO;
}
