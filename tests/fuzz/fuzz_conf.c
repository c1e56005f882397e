/*
 * A configuration from hostile bytes: whatever is accepted must be shown in a form that is
 * accepted again and shown the same way.
 *
 * SPDX-License-Identifier: MIT
 */
#include "conf/conf_load.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    autobuf struct buf first = BUF_INIT(16U << 20);
    autobuf struct buf again = BUF_INIT(16U << 20);
    struct conf *c = NULL;

    if (conf_load_text("/nowhere/a.yaml", (const char *)data, size, NULL, NULL, &c) < 0)
        return 0;
    conf_show(c, &first);
    conf_free(c);
    if (first.len > 1U << 20)
        return 0;
    if (conf_load_text("/nowhere/b.yaml", first.data, first.len, NULL, NULL, &c) < 0)
        abort();
    conf_show(c, &again);
    conf_free(c);
    if (strcmp(first.data, again.data) != 0)
        abort();
    return 0;
}
