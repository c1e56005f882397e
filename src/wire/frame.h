/*
 * Frames: how bytes on a channel become messages.
 *
 *   +----------------+---------+----------+----------------+-----------------+
 *   | length, 4 (LE) | type, 2 | zero, 2  | id, 8          | payload, length |
 *   +----------------+---------+----------+----------------+-----------------+
 *
 * length counts the payload only. The id is the asker's; an answer carries the id of its
 * question. Pure; the channel does the I/O.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "base/str.h"

#define FRAME_HEAD        16
#define FRAME_MAX         (48U << 20) /* between rooms */
#define FRAME_MAX_CONTROL (24U << 20) /* on the control socket: a 20 MiB body and its frame */

struct frame {
    uint16_t type;
    uint64_t id;
    struct slice payload; /* borrowed */
};

void frame_write_head(uint8_t out[FRAME_HEAD], uint16_t type, uint64_t id, uint32_t length);
/* 1 and *type, *id, *length; 0: fewer than FRAME_HEAD bytes; -EPROTO: not a head, or over max. */
MUST_CHECK int frame_read_head(const uint8_t *p, size_t n, size_t max, uint16_t *type, uint64_t *id,
                               uint32_t *length);

#endif
