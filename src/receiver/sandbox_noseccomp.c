/* Without libseccomp. SPDX-License-Identifier: MIT */
#include "receiver/sandbox.h"

#include "base/log.h"

#ifndef HAVE_SECCOMP
int sandbox_seccomp(struct err *err)
{
    (void)err;
    log_warn("sandbox.no_seccomp", LOG_S("means", "built without libseccomp"));
    return 0;
}
#endif
