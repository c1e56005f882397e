/*
 * Whatever the texts hold, the description is UTF-8 without control characters, has as many
 * brackets as without them, and no ampersand that begins no entity.
 *
 * SPDX-License-Identifier: MIT
 */
#include "vidu/nfo.h"

#include "base/mem.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const char *s, char c)
{
    size_t n = 0;

    for (; *s != '\0'; s++)
        n += *s == c;
    return n;
}

static void check_entities(const char *s)
{
    static const char *const known[] = {"&amp;", "&lt;", "&gt;"};
    bool found = true;

    for (; found && (s = strchr(s, '&')) != NULL; s++) {
        found = false;
        for (size_t i = 0; i < ARRAY_LEN(known); i++)
            found = found || str_starts(s, known[i]);
    }
    if (!found)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    autofree char *text = mem_strndup((const char *)data, size);
    autobuf struct buf out = BUF_INIT(NFO_MAX);
    const char *tags[] = {text};
    struct nfo nfo = {text, text, text, text, text, tags, 1, 2};
    const char *s;

    nfo_write(&nfo, &out);
    s = buf_text(&out);
    if (!buf_ok(&out) || !str_is_utf8(s, out.len) || strlen(s) != out.len)
        abort();
    if (count(s, '<') != count(s, '>') || count(s, '<') > 22)
        abort();
    for (size_t i = 0; i < out.len; i++)
        if ((s[i] >= 0 && s[i] < ' ' && s[i] != '\n') || s[i] == 0x7f)
            abort();
    check_entities(s);
    return 0;
}
