/* SPDX-License-Identifier: MIT */
#include "vidu/percent.h"

#include <string.h>

void percent_encode(const char *p, size_t n, struct buf *out)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

    for (size_t i = 0; i < n; i++) {
        if (p[i] != '\0' && strchr(plain, p[i]) != NULL)
            buf_addc(out, p[i]);
        else
            buf_addf(out, "%%%02X", (unsigned char)p[i]);
    }
}
