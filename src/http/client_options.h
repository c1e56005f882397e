/*
 * What a request and a policy mean in options of curl. Only client.c uses it.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_CLIENT_OPTIONS_H
#define HTTP_CLIENT_OPTIONS_H

#include "http/client.h"

struct curl_slist;

/* Whether a request must not leave a second time. */
bool client_options_is_once(const struct client_request *req);
/*
 * Sets on an easy handle everything but the callbacks. -EINVAL with err: not a URL or header we
 * may use. *headers is the caller's to free, on failure too, and must outlive the transfer.
 */
MUST_CHECK int client_options_apply(void *easy, const struct client_policy *p,
                                    const struct client_request *req, struct curl_slist **headers,
                                    struct err *err);

/* Bytes that sending it takes. */
uint64_t client_file_length(const struct client_file *f);

#endif
