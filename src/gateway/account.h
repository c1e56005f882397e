/*
 * The providers this installation has accounts with, as HELLO names them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_ACCOUNT_H
#define GATEWAY_ACCOUNT_H

#include "vidu/provider.h"
#include "wire/hello.h"

/* The account of this name, or the first with name NULL. NULL with err: there is none. */
const struct hello_provider *account_find(const struct hello_gateway *h, const char *name,
                                          struct err *err);
/* Never NULL for an account that passed account_check. */
const struct provider_profile *account_profile(const struct hello_provider *account);
/* "Authorization: Token ..."; the caller wipes it (mem_wipe_free). */
char *account_authorization(const struct hello_provider *account);
/* Whether every account has a known profile, a base URL and a key. */
MUST_CHECK int account_check(const struct hello_gateway *h, struct err *err);

#endif
