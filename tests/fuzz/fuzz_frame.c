/*
 * The bytes of a client on the control socket: frames, and what is in them. What is read must
 * write itself back unchanged.
 *
 * SPDX-License-Identifier: MIT
 */
#include "wire/message.h"

#include <stdlib.h>
#include <string.h>

static void read_payload(const struct frame *f)
{
    union {
        struct msg_callback callback;
        struct msg_register registered;
        struct msg_polled polled;
        char room[1024];
    } msg;
    uint8_t *again;

    if (message_read(f, &msg) != 0)
        return;
    if (message_size(f->type, &msg) != f->payload.n)
        abort();
    again = malloc(f->payload.n);
    message_write(f->type, &msg, again);
    if (memcmp(again, f->payload.p, f->payload.n) != 0)
        abort();
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = {(const char *)data, size};
    struct slice name, value;
    struct frame f;
    uint32_t length;

    while (message_header_next(&rest, &name, &value))
        ;
    while (frame_read_head(data, size, FRAME_MAX_CONTROL, &f.type, &f.id, &length) == 1 &&
           size - FRAME_HEAD >= length) {
        f.payload = (struct slice){(const char *)data + FRAME_HEAD, length};
        read_payload(&f);
        data += FRAME_HEAD + length;
        size -= FRAME_HEAD + length;
    }
    return 0;
}
