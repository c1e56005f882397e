/* SPDX-License-Identifier: MIT */
#include "vidu/id.h"

#include "base/encode.h"
#include "vidu/crypto.h"

#include <string.h>

#define DIGITS "abcdefghijklmnopqrstuvwxyz234567"
#define ALNUM  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

void id_new_task(char out[TASK_ID_SIZE])
{
    uint8_t noise[8];
    char text[BASE32_LEN(sizeof(noise)) + 1];

    crypto_random(noise, sizeof(noise));
    encode_base32(noise, sizeof(noise), text);
    out[0] = 't';
    memcpy(out + 1, text, TASK_ID_LEN - 1);
    out[TASK_ID_LEN] = '\0';
}

bool id_is_task_prefix(const char *text)
{
    size_t n = strlen(text);

    return n >= 1 && n <= TASK_ID_LEN && text[0] == 't' && strspn(text + 1, DIGITS) == n - 1;
}

bool id_is_remote(const char *p, size_t n)
{
    bool some = false;

    if (n < 1 || n > 64)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\0' || strchr(ALNUM "_.:-", p[i]) == NULL)
            return false;
        some = some || strchr(ALNUM, p[i]) != NULL;
    }
    return some;
}
