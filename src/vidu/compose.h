/*
 * Letters and the marks behind them as one character, the way other programs spell file names
 * (Unicode Normalization Form C), so that the same title is the same name wherever it came from.
 *
 * Kept small: the basic plane only, and a mark joins the character right before it, so marks are
 * expected in the order that every decomposed text has them. CJK passes through unchanged.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_COMPOSE_H
#define VIDU_COMPOSE_H

#include "base/buf.h"

/* Appends text composed; never longer than the text. Bytes that are no UTF-8 are copied. */
void compose_add(const char *text, struct buf *out);

#endif
