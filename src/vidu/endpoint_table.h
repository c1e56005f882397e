/*
 * The rows behind endpoint.h; only endpoint.c reads them.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef VIDU_ENDPOINT_TABLE_H
#define VIDU_ENDPOINT_TABLE_H

#include "vidu/endpoint.h"

extern const struct endpoint endpoint_table[];
extern const size_t endpoint_table_len;

#endif
