/*
 * A callback as part of a message: what vidu/callback.h understood, as struct msg_report.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef WIRE_REPORT_H
#define WIRE_REPORT_H

#include "vidu/callback.h"
#include "wire/message.h"

/*
 * The slices point into cb and into result, which gets the canonical JSON of the creations; both
 * must outlive *out. cb NULL: not understood.
 */
void report_fill(const struct callback *cb, struct buf *result, struct msg_report *out);

#endif
