/* SPDX-License-Identifier: MIT */
#include "http/source.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#define WAYS         4
#define SETS         (SOURCE_SLOTS / WAYS)
#define BURST_FACTOR 4
/* Tokens are counted in thousandths, so that a rate per second is a rate per millisecond. */
#define TOKEN 1000

struct source {
    struct source_key key;
    uint32_t serial; /* 0: never used; told to tickets, so that stale ones are known */
    int32_t open;
    int64_t tokens; /* below zero: debt */
    int64_t at_ms;  /* when tokens were counted */
    int64_t vouched_until_ms;
};

struct source_table {
    int per_source;
    int rate;
    uint64_t seed;
    uint32_t serial;
    struct source slots[SOURCE_SLOTS];
};

struct source_table *source_table_new(int per_source, int rate)
{
    struct source_table *t = mem_calloc(1, sizeof(*t));

    t->per_source = per_source;
    t->rate = rate;
    if (getrandom(&t->seed, sizeof(t->seed), 0) != (ssize_t)sizeof(t->seed))
        abort();
    t->seed |= 1;
    return t;
}

void source_table_free(struct source_table *t)
{
    free(t);
}

bool source_key(const struct sockaddr *sa, struct source_key *out)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

    *out = (struct source_key){0};
    if (sa->sa_family == AF_INET) {
        memcpy(out->bytes, mapped, 12);
        memcpy(out->bytes + 12, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, 4);
        return true;
    }
    if (sa->sa_family == AF_INET6) {
        const uint8_t *a = ((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr.s6_addr;

        memcpy(out->bytes, a, memcmp(a, mapped, 12) == 0 ? 16 : 8);
        return true;
    }
    return false;
}

/* The seed keeps strangers from choosing addresses that meet in one set. */
static uint64_t mix(const struct source_table *t, uint64_t x)
{
    x = (x ^ t->seed) * 0x9e3779b97f4a7c15U;
    x ^= x >> 32;
    x = (x ^ (t->seed >> 7)) * 0xd6e8feb86659fd93U;
    return x ^ x >> 29;
}

static struct source *set_of(struct source_table *t, const struct source_key *key)
{
    uint64_t half[2];

    memcpy(half, key->bytes, sizeof(half));
    return &t->slots[mix(t, half[0] + mix(t, half[1])) % SETS * WAYS];
}

/* An unused slot, else a forgettable one, else any. */
static struct source *choose(struct source_table *t, struct source *set)
{
    uint64_t start = mix(t, t->serial);

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].serial == 0)
            return &set[i];
    for (size_t i = 0; i < WAYS; i++) {
        struct source *s = &set[(start + i) % WAYS];

        if (s->open == 0)
            return s;
    }
    return &set[start % WAYS];
}

static struct source *find(struct source_table *t, const struct source_key *key, int64_t now_ms)
{
    struct source *set = set_of(t, key);
    struct source *s;

    for (size_t i = 0; i < WAYS; i++)
        if (set[i].serial != 0 && memcmp(&set[i].key, key, sizeof(*key)) == 0)
            return &set[i];
    s = choose(t, set);
    *s = (struct source){.key = *key,
                         .serial = ++t->serial != 0 ? t->serial : ++t->serial,
                         .tokens = (int64_t)t->rate * BURST_FACTOR * TOKEN,
                         .at_ms = now_ms,
                         .vouched_until_ms = INT64_MIN};
    return s;
}

static void refill(const struct source_table *t, struct source *s, int64_t now_ms)
{
    int64_t most = (int64_t)t->rate * BURST_FACTOR * TOKEN;
    int64_t passed_ms = now_ms - s->at_ms;

    if (passed_ms > 2 * BURST_FACTOR * TOKEN)
        passed_ms = 2 * BURST_FACTOR * TOKEN; /* fills the deepest debt */
    s->at_ms = now_ms;
    s->tokens += passed_ms * t->rate;
    if (s->tokens > most)
        s->tokens = most;
}

static enum source_verdict take_token(const struct source_table *t, struct source *s,
                                      int64_t now_ms)
{
    int64_t most_debt = (int64_t)t->rate * BURST_FACTOR * TOKEN;

    refill(t, s, now_ms);
    if (s->tokens - TOKEN < -most_debt)
        return SOURCE_FLOODING;
    s->tokens -= TOKEN;
    return s->tokens >= 0 ? SOURCE_OK : SOURCE_FAST;
}

enum source_verdict source_enter(struct source_table *t, const struct source_key *key,
                                 int64_t now_ms, struct source_ticket *ticket)
{
    struct source *s = find(t, key, now_ms);

    *ticket = (struct source_ticket){.slot = (uint32_t)(s - t->slots), .serial = s->serial};
    s->open++;
    if (now_ms < s->vouched_until_ms)
        return SOURCE_OK;
    if (t->per_source != 0 && s->open > t->per_source)
        return SOURCE_CROWD;
    return t->rate != 0 ? take_token(t, s, now_ms) : SOURCE_OK;
}

static struct source *holder(struct source_table *t, const struct source_ticket *ticket)
{
    struct source *s = &t->slots[ticket->slot];

    return ticket->serial != 0 && s->serial == ticket->serial ? s : NULL;
}

void source_leave(struct source_table *t, struct source_ticket *ticket)
{
    struct source *s = holder(t, ticket);

    if (s != NULL)
        s->open--;
    *ticket = (struct source_ticket){0};
}

void source_vouch(struct source_table *t, const struct source_ticket *ticket, int64_t now_ms)
{
    struct source *s = holder(t, ticket);

    if (s != NULL)
        s->vouched_until_ms = now_ms + SOURCE_VOUCH_MS;
}
