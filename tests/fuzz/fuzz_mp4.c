/* SPDX-License-Identifier: MIT */
#include "http/mp4.h"

#include "base/fs.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A box that is cut has a name of letters, and is the same however often it is looked for. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int fd = memfd_create("mp4", MFD_CLOEXEC);
    char type[5] = "";
    char again[5] = "";
    bool cut;

    if (fd < 0 || fs_write_all(fd, (const char *)data, size) < 0)
        abort();
    cut = mp4_is_cut(fd, size, type);
    if (strlen(type) != (cut ? 4 : 0) || strspn(type, "abcdefghijklmnopqrstuvwxyz") != strlen(type))
        abort();
    if (mp4_is_cut(fd, size, again) != cut || strcmp(type, again) != 0)
        abort();
    close(fd);
    return 0;
}
