/*
 * What the receiver gives up before it reads the first byte from a stranger: new privileges,
 * being traced or dumped, files (Landlock), processes and new sockets (system call filter), and
 * more descriptors than it needs. What was open before stays usable.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef RECEIVER_SANDBOX_H
#define RECEIVER_SANDBOX_H

#include "base/err.h"

/*
 * files: the most descriptors it will ever have open. There is no way back. What the kernel does
 * not offer is logged and left out; what it offers and refuses is an error.
 */
MUST_CHECK int sandbox_enter(int files, struct err *err);
/* The part with libseccomp; one of two files, chosen when building. */
MUST_CHECK int sandbox_seccomp(struct err *err);

#endif
