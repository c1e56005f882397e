/*
 * Runs a fuzz driver over every file of its corpus, without libFuzzer: what was once found stays
 * tested in `make check`. The folder is $srcdir/tests/fuzz/corpus/NAME.
 *
 * SPDX-License-Identifier: MIT
 */
#include "base/fs.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#define INPUT_MAX (16U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *dir, const char *name)
{
    autofree char *path = fs_join(dir, name);
    autofree char *data = NULL;
    struct err err;
    size_t n;

    if (fs_read_file(path, INPUT_MAX, &data, &n, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    return LLVMFuzzerTestOneInput((const uint8_t *)data, n);
}

int main(void)
{
    const char *srcdir = getenv("srcdir");
    autofree char *dir =
        mem_printf("%s/tests/fuzz/corpus/%s", srcdir != NULL ? srcdir : ".", REPLAY_NAME);
    DIR *d = opendir(dir);
    const struct dirent *entry;
    int n = 0;
    int bad = 0;

    while (d != NULL && (entry = readdir(d)) != NULL)
        if (entry->d_name[0] != '.') {
            bad += replay(dir, entry->d_name) != 0;
            n++;
        }
    if (d != NULL)
        closedir(d);
    printf("%sok replay %s: %d inputs, %d bad\n", n > 0 && bad == 0 ? "" : "not ", REPLAY_NAME, n,
           bad);
    return n > 0 && bad == 0 ? 0 : 1;
}
