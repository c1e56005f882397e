/* SPDX-License-Identifier: MIT */
#include "store/store.h"

#include <sqlite3.h>

const char *store_library_version(void)
{
    return sqlite3_libversion();
}
