/*
 * The table of messages. A field is a little-endian number, or a length of 4 bytes, as many bytes
 * and a NUL, so that decoded text can be read in place as a C string.
 *
 * SPDX-License-Identifier: MIT
 */
#include "wire/message.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

enum field_kind { FIELD_END, FIELD_U32, FIELD_U64, FIELD_I64, FIELD_SLICE };

struct field {
    enum field_kind kind;
    size_t offset; /* in the message's struct */
    size_t limit;  /* of a slice */
};

struct message {
    const char *name;
    const struct field *fields;
};

#define LIMIT_TEXT (64U << 10)
#define LIMIT_BLOB FRAME_MAX

#define U32(s, m)                                                                                  \
    {                                                                                              \
        FIELD_U32, offsetof(struct s, m), 0                                                        \
    }
#define U64(s, m)                                                                                  \
    {                                                                                              \
        FIELD_U64, offsetof(struct s, m), 0                                                        \
    }
#define I64(s, m)                                                                                  \
    {                                                                                              \
        FIELD_I64, offsetof(struct s, m), 0                                                        \
    }
#define TEXT(s, m)                                                                                 \
    {                                                                                              \
        FIELD_SLICE, offsetof(struct s, m), LIMIT_TEXT                                             \
    }
#define BLOB(s, m)                                                                                 \
    {                                                                                              \
        FIELD_SLICE, offsetof(struct s, m), LIMIT_BLOB                                             \
    }
#define END                                                                                        \
    {                                                                                              \
        FIELD_END, 0, 0                                                                            \
    }

#define REPORT(s)                                                                                  \
    U32(s, report.understood), TEXT(s, report.id), U32(s, report.state),                           \
        U32(s, report.state_known), TEXT(s, report.state_word), TEXT(s, report.err_code),          \
        TEXT(s, report.err_msg), I64(s, report.credits), U32(s, report.has_url),                   \
        BLOB(s, report.result)

static const struct field hello[] = {U32(msg_hello, version), BLOB(msg_hello, json), END};
static const struct field ready[] = {TEXT(msg_ready, error), END};
static const struct field drain[] = {I64(msg_drain, grace_ms), END};
static const struct field ping[] = {I64(msg_ping, stamp), END};
static const struct field pong[] = {I64(msg_pong, stamp), BLOB(msg_pong, json), END};
static const struct field callback[] = {
    U32(msg_callback, route),    TEXT(msg_callback, key),
    TEXT(msg_callback, method),  TEXT(msg_callback, path),
    TEXT(msg_callback, query),   TEXT(msg_callback, peer),
    TEXT(msg_callback, headers), REPORT(msg_callback),
    BLOB(msg_callback, body),    END,
};
static const struct field verdict[] = {U32(msg_verdict, verdict), END};
static const struct field registered[] = {
    TEXT(msg_register, task),
    TEXT(msg_register, provider),
    TEXT(msg_register, endpoint),
    TEXT(msg_register, model),
    TEXT(msg_register, prompt),
    BLOB(msg_register, payload),
    {FIELD_SLICE, offsetof(struct msg_register, key_hash), 32},
    TEXT(msg_register, callback_path),
    TEXT(msg_register, callback_query),
    BLOB(msg_register, request),
    TEXT(msg_register, tags),
    TEXT(msg_register, forward_url),
    TEXT(msg_register, remote_id),
    U32(msg_register, off_peak),
    U32(msg_register, expects_callback),
    END,
};
static const struct field submitted[] = {
    TEXT(msg_submitted, task),       U32(msg_submitted, outcome),
    U32(msg_submitted, http_status), TEXT(msg_submitted, remote_id),
    TEXT(msg_submitted, state_word), I64(msg_submitted, credits),
    TEXT(msg_submitted, reason),     TEXT(msg_submitted, message),
    TEXT(msg_submitted, trace_id),   END,
};
static const struct field recorded[] = {TEXT(msg_recorded, task), TEXT(msg_recorded, error),
                                        TEXT(msg_recorded, code), END};
static const struct field poll[] = {
    TEXT(msg_poll, task),
    TEXT(msg_poll, provider),
    TEXT(msg_poll, endpoint),
    TEXT(msg_poll, remote_id),
    END,
};
static const struct field polled[] = {
    TEXT(msg_polled, task),
    U32(msg_polled, http_status),
    I64(msg_polled, retry_after_ms),
    TEXT(msg_polled, error),
    REPORT(msg_polled),
    BLOB(msg_polled, body),
    END,
};
static const struct field command[] = {
    U32(msg_command, uid),
    BLOB(msg_command, json),
    BLOB(msg_command, blob),
    END,
};
static const struct field result[] = {
    U32(msg_result, more),
    U32(msg_result, exit),
    BLOB(msg_result, json),
    END,
};
static const struct field subscribe[] = {U32(msg_subscribe, watchers), END};
static const struct field event[] = {TEXT(msg_event, task), BLOB(msg_event, json), END};
static const struct field run[] = {
    U64(msg_run, run),
    U32(msg_run, attempt),
    BLOB(msg_run, text),
    END,
};
static const struct field done[] = {
    U64(msg_done, run),
    U32(msg_done, attempt),
    U32(msg_done, outcome),
    I64(msg_done, exit_code),
    I64(msg_done, duration_ms),
    I64(msg_done, retry_after_ms),
    TEXT(msg_done, detail),
    BLOB(msg_done, output),
    BLOB(msg_done, files),
    BLOB(msg_done, command),
    END,
};
static const struct field progress[] = {
    U64(msg_progress, run),
    U64(msg_progress, done),
    U64(msg_progress, total),
    TEXT(msg_progress, name),
    END,
};
static const struct field refresh[] = {U64(msg_refresh, run), TEXT(msg_refresh, task), END};
static const struct field fresh[] = {
    U64(msg_fresh, run),
    BLOB(msg_fresh, result),
    TEXT(msg_fresh, error),
    END,
};
static const struct field cancel[] = {U64(msg_cancel, run), END};
static const struct field follow[] = {U64(msg_follow, run), U32(msg_follow, followers), END};
static const struct field output[] = {
    U64(msg_output, run),
    U32(msg_output, attempt),
    U64(msg_output, at),
    TEXT(msg_output, text),
    END,
};

static const struct message messages[MSG_TYPE_COUNT] = {
    [MSG_HELLO] = {"hello", hello},
    [MSG_READY] = {"ready", ready},
    [MSG_DRAIN] = {"drain", drain},
    [MSG_PING] = {"ping", ping},
    [MSG_PONG] = {"pong", pong},
    [MSG_CALLBACK] = {"callback", callback},
    [MSG_VERDICT] = {"verdict", verdict},
    [MSG_REGISTER] = {"register", registered},
    [MSG_SUBMITTED] = {"submitted", submitted},
    [MSG_RECORDED] = {"recorded", recorded},
    [MSG_POLL] = {"poll", poll},
    [MSG_POLLED] = {"polled", polled},
    [MSG_COMMAND] = {"command", command},
    [MSG_RESULT] = {"result", result},
    [MSG_SUBSCRIBE] = {"subscribe", subscribe},
    [MSG_EVENT] = {"event", event},
    [MSG_RUN] = {"run", run},
    [MSG_DONE] = {"done", done},
    [MSG_PROGRESS] = {"progress", progress},
    [MSG_REFRESH] = {"refresh", refresh},
    [MSG_FRESH] = {"fresh", fresh},
    [MSG_CANCEL] = {"cancel", cancel},
    [MSG_FOLLOW] = {"follow", follow},
    [MSG_OUTPUT] = {"output", output},
};

static const struct {
    const char *name;
    int status;
} verdicts[VERDICT_COUNT] = {
    [VERDICT_ACCEPTED] = {"accepted", 200},       [VERDICT_DUPLICATE] = {"duplicate", 200},
    [VERDICT_QUARANTINED] = {"quarantined", 200}, [VERDICT_UNAUTHORISED] = {"unauthorised", 401},
    [VERDICT_UNKNOWN] = {"unknown", 404},         [VERDICT_BUSY] = {"busy", 503},
};

static const struct field no_fields[] = {END};

static const struct field *fields_of(unsigned int type)
{
    if (type >= MSG_TYPE_COUNT || messages[type].fields == NULL)
        return no_fields;
    return messages[type].fields;
}

static struct slice slice_at(const struct field *f, const void *msg)
{
    struct slice s;

    memcpy(&s, (const char *)msg + f->offset, sizeof(s));
    return s;
}

static size_t field_size(const struct field *f, const void *msg)
{
    switch (f->kind) {
    case FIELD_U32:
        return sizeof(uint32_t);
    case FIELD_U64:
    case FIELD_I64:
        return sizeof(uint64_t);
    default:
        return sizeof(uint32_t) + slice_at(f, msg).n + 1;
    }
}

static uint8_t *put_u32(uint8_t *out, uint32_t v)
{
    v = htole32(v);
    memcpy(out, &v, sizeof(v));
    return out + sizeof(v);
}

static uint8_t *put_slice(uint8_t *out, struct slice s)
{
    out = put_u32(out, (uint32_t)s.n);
    if (s.n != 0)
        memcpy(out, s.p, s.n);
    out[s.n] = 0;
    return out + s.n + 1;
}

static uint8_t *field_write(const struct field *f, const void *msg, uint8_t *out)
{
    const char *from = (const char *)msg + f->offset;
    uint32_t small;
    uint64_t large;

    switch (f->kind) {
    case FIELD_U32:
        memcpy(&small, from, sizeof(small));
        return put_u32(out, small);
    case FIELD_U64:
    case FIELD_I64:
        memcpy(&large, from, sizeof(large));
        large = htole64(large);
        memcpy(out, &large, sizeof(large));
        return out + sizeof(large);
    default:
        return put_slice(out, slice_at(f, msg));
    }
}

/* The next n bytes, or NULL when there are not so many. */
static const char *take(struct slice *rest, size_t n)
{
    const char *p = rest->p;

    if (rest->n < n)
        return NULL;
    rest->p += n;
    rest->n -= n;
    return p;
}

static int read_u32(struct slice *rest, uint32_t *out)
{
    const char *p = take(rest, sizeof(*out));

    if (p == NULL)
        return -EPROTO;
    memcpy(out, p, sizeof(*out));
    *out = le32toh(*out);
    return 0;
}

static int read_u64(struct slice *rest, uint64_t *out)
{
    const char *p = take(rest, sizeof(*out));

    if (p == NULL)
        return -EPROTO;
    memcpy(out, p, sizeof(*out));
    *out = le64toh(*out);
    return 0;
}

static int read_slice(struct slice *rest, size_t limit, struct slice *out)
{
    uint32_t n;
    const char *p;

    if (read_u32(rest, &n) != 0 || n > limit)
        return -EPROTO;
    p = take(rest, (size_t)n + 1);
    if (p == NULL || p[n] != '\0')
        return -EPROTO;
    *out = (struct slice){p, n};
    return 0;
}

static int field_read(const struct field *f, struct slice *rest, void *msg)
{
    char *to = (char *)msg + f->offset;
    struct slice s;
    uint32_t small;
    uint64_t large;

    switch (f->kind) {
    case FIELD_U32:
        if (read_u32(rest, &small) != 0)
            return -EPROTO;
        memcpy(to, &small, sizeof(small));
        return 0;
    case FIELD_U64:
    case FIELD_I64:
        if (read_u64(rest, &large) != 0)
            return -EPROTO;
        memcpy(to, &large, sizeof(large));
        return 0;
    default:
        if (read_slice(rest, f->limit, &s) != 0)
            return -EPROTO;
        memcpy(to, &s, sizeof(s));
        return 0;
    }
}

int message_check(enum message_type type, const void *msg)
{
    const struct field *f;

    for (f = fields_of(type); f->kind != FIELD_END; f++)
        if (f->kind == FIELD_SLICE && slice_at(f, msg).n > f->limit)
            return -EMSGSIZE;
    return message_size(type, msg) > FRAME_MAX ? -EMSGSIZE : 0;
}

size_t message_size(enum message_type type, const void *msg)
{
    const struct field *f;
    size_t size = 0;

    for (f = fields_of(type); f->kind != FIELD_END; f++)
        size += field_size(f, msg);
    return size;
}

void message_write(enum message_type type, const void *msg, uint8_t *out)
{
    const struct field *f;

    for (f = fields_of(type); f->kind != FIELD_END; f++)
        out = field_write(f, msg, out);
}

int message_read(const struct frame *frame, void *msg)
{
    const struct field *fields = fields_of(frame->type);
    struct slice rest = frame->payload;
    const struct field *f;

    if (fields == no_fields)
        return -EPROTO;
    for (f = fields; f->kind != FIELD_END; f++)
        if (field_read(f, &rest, msg) != 0)
            return -EPROTO;
    return rest.n == 0 ? 0 : -EPROTO;
}

const char *message_name(enum message_type type)
{
    if ((unsigned int)type >= MSG_TYPE_COUNT || messages[type].name == NULL)
        return "unknown";
    return messages[type].name;
}

const char *verdict_name(enum verdict v)
{
    return (unsigned int)v < VERDICT_COUNT ? verdicts[v].name : "unknown";
}

int verdict_http_status(enum verdict v)
{
    return (unsigned int)v < VERDICT_COUNT ? verdicts[v].status : 503;
}

bool message_header_next(struct slice *rest, struct slice *name, struct slice *value)
{
    const char *end = rest->n != 0 ? memchr(rest->p, '\n', rest->n) : NULL;
    const char *colon = end != NULL ? memchr(rest->p, ':', (size_t)(end - rest->p)) : NULL;

    if (colon == NULL)
        return false;
    *name = (struct slice){rest->p, (size_t)(colon - rest->p)};
    *value = (struct slice){colon + 1, (size_t)(end - colon - 1)};
    rest->n -= (size_t)(end - rest->p) + 1;
    rest->p = end + 1;
    return true;
}
