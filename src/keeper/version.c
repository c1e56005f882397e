/* SPDX-License-Identifier: MIT */
#include "keeper/keeper.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdio.h>

void keeper_print_version(void)
{
    printf("viduhookd %s\nlibevent %s, jansson %s\n", PACKAGE_VERSION, event_get_version(),
           jansson_version_str());
}
