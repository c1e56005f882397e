/*
 * Words to the service manager (sd_notify(3)): a datagram to $NOTIFY_SOCKET, nothing when it is
 * not set.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef KEEPER_NOTIFY_H
#define KEEPER_NOTIFY_H

#include <stdint.h>

/* "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...", several on lines of their own. */
void notify_send(const char *text);
/* How often the watchdog wants to hear from us, half of $WATCHDOG_USEC; 0: it is off. */
int64_t notify_watchdog_ms(void);

#endif
