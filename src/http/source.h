/*
 * Who connects how often: one IPv4 address or IPv6 /64 is one source.
 *
 * A table of fixed size, so that a flood from many addresses cannot grow it: a full set forgets
 * one of its sources at random, if possible one without open connections. Pure but for the
 * random numbers; the clock is handed in.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef HTTP_SOURCE_H
#define HTTP_SOURCE_H

#include "base/mem.h"

#include <stdbool.h>
#include <stdint.h>

#define SOURCE_SLOTS    4096
#define SOURCE_VOUCH_MS 3600000

struct sockaddr;
struct source_table;

struct source_key {
    uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d; IPv6 with the last 8 bytes zero */
};

/* One connection's place in the table; zeroed it means none. */
struct source_ticket {
    uint32_t slot;
    uint32_t serial;
};

enum source_verdict {
    SOURCE_OK,
    SOURCE_CROWD,   /* too many connections at once */
    SOURCE_FAST,    /* over its rate: may be told so */
    SOURCE_FLOODING /* so far over its rate that an answer would be wasted */
};

/* 0: no limit. */
struct source_table *source_table_new(int per_source, int rate);
void source_table_free(struct source_table *t);

/* False for other address families. */
bool source_key(const struct sockaddr *sa, struct source_key *out);
/* Counts a new connection. The ticket is given back with source_leave, whatever the verdict. */
enum source_verdict source_enter(struct source_table *t, const struct source_key *key,
                                 int64_t now_ms, struct source_ticket *ticket);
void source_leave(struct source_table *t, struct source_ticket *ticket);
/* No limits for this source during the next hour. */
void source_vouch(struct source_table *t, const struct source_ticket *ticket, int64_t now_ms);

#endif
