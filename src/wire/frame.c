/* SPDX-License-Identifier: MIT */
#include "wire/frame.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

void frame_write_head(uint8_t out[FRAME_HEAD], uint16_t type, uint64_t id, uint32_t length)
{
    uint16_t type_le = htole16(type);
    uint64_t id_le = htole64(id);
    uint32_t length_le = htole32(length);

    memset(out, 0, FRAME_HEAD);
    memcpy(out, &length_le, sizeof(length_le));
    memcpy(out + 4, &type_le, sizeof(type_le));
    memcpy(out + 8, &id_le, sizeof(id_le));
}

int frame_read_head(const uint8_t *p, size_t n, size_t max, uint16_t *type, uint64_t *id,
                    uint32_t *length)
{
    uint32_t length_le;
    uint16_t type_le;
    uint64_t id_le;

    if (n < FRAME_HEAD)
        return 0;
    memcpy(&length_le, p, sizeof(length_le));
    memcpy(&type_le, p + 4, sizeof(type_le));
    memcpy(&id_le, p + 8, sizeof(id_le));
    if (le32toh(length_le) > max || type_le == 0 || p[6] != 0 || p[7] != 0)
        return -EPROTO;
    *length = le32toh(length_le);
    *type = le16toh(type_le);
    *id = le64toh(id_le);
    return 1;
}
