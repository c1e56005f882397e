/* SPDX-License-Identifier: MIT */
#include "http/client.h"

#include <curl/curl.h>

const char *client_library_version(void)
{
    return curl_version();
}
