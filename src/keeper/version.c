/* SPDX-License-Identifier: MIT */
#include "base/log.h"
#include "keeper/keeper.h"

#include <event2/event.h>
#include <jansson.h>
#include <stdio.h>

void keeper_print_version(const char *client_version)
{
    printf("viduhookd %s\nlibevent/%s jansson/%s SQLite/%s %s\n", PACKAGE_VERSION,
           event_get_version(), jansson_version_str(), store_library_version(), client_version);
}

void keeper_log_version(const char *client_version)
{
    log_info("daemon.versions", LOG_S("viduhookd", PACKAGE_VERSION),
             LOG_S("libevent", event_get_version()), LOG_S("jansson", jansson_version_str()),
             LOG_S("sqlite", store_library_version()), LOG_S("client", client_version));
}
