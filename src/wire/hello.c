/*
 * One table a struct; the same three walks write, read and clear them all.
 *
 * Secrets travel in base64, which also lets them hold any byte.
 *
 * SPDX-License-Identifier: MIT
 */
#include "wire/hello.h"

#include "base/encode.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>

enum kind {
    KIND_END,
    KIND_BOOL,
    KIND_INT,
    KIND_I64,
    KIND_U64,
    KIND_CHARS,  /* char[size] */
    KIND_STRING, /* char *, may be NULL */
    KIND_SECRET, /* the same, secret */
    KIND_BYTES,  /* uint8_t[size], secret */
    KIND_OBJECT, /* struct of its own */
};

struct field {
    const char *name;
    enum kind kind;
    size_t offset, size; /* size of one element */
    const struct field *sub;
    size_t count, max; /* offset of the number of elements and how many fit; max 0: no array */
};

#define SIZE(s, m) sizeof(((struct s *)0)->m)
#define ONE(kind, s, m)                                                                            \
    {                                                                                              \
#m, kind, offsetof(struct s, m), SIZE(s, m), NULL, 0, 0                                    \
    }
#define SUB(s, m, sub)                                                                             \
    {                                                                                              \
#m, KIND_OBJECT, offsetof(struct s, m), SIZE(s, m), sub, 0, 0                              \
    }
#define MANY(kind, s, m, sub, n, max)                                                              \
    {                                                                                              \
#m, kind, offsetof(struct s, m), SIZE(s, m[0]), sub, offsetof(struct s, n), max            \
    }
#define IN_LISTEN(kind, m)                                                                         \
    {                                                                                              \
#m, kind,                                                                                  \
            offsetof(struct hello_receiver, listen[0].m) -                                         \
                offsetof(struct hello_receiver, listen),                                           \
            SIZE(hello_receiver, listen[0].m), NULL, 0, 0                                          \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL, KIND_END, 0, 0, NULL, 0, 0                                                           \
    }

static const struct field log_fields[] = {
    ONE(KIND_BOOL, hello_log, json),
    ONE(KIND_INT, hello_log, level),
    END,
};

static const struct field listen_fields[] = {
    IN_LISTEN(KIND_INT, fd),
    IN_LISTEN(KIND_BOOL, tls),
    IN_LISTEN(KIND_CHARS, text),
    END,
};

static const struct field receiver_fields[] = {
    SUB(hello_receiver, log, log_fields),
    ONE(KIND_INT, hello_receiver, number),
    MANY(KIND_OBJECT, hello_receiver, listen, listen_fields, n_listen, HELLO_MAX_LISTEN),
    ONE(KIND_STRING, hello_receiver, certificate_pem),
    ONE(KIND_SECRET, hello_receiver, key_pem),
    ONE(KIND_BOOL, hello_receiver, tls_min_13),
    ONE(KIND_BYTES, hello_receiver, seal_secret),
    ONE(KIND_STRING, hello_receiver, path_prefix),
    MANY(KIND_STRING, hello_receiver, providers, NULL, n_providers, HELLO_MAX_PROVIDERS),
    ONE(KIND_U64, hello_receiver, max_body),
    ONE(KIND_U64, hello_receiver, body_budget),
    ONE(KIND_INT, hello_receiver, connections),
    ONE(KIND_INT, hello_receiver, handshakes),
    ONE(KIND_INT, hello_receiver, per_source),
    ONE(KIND_INT, hello_receiver, source_rate),
    ONE(KIND_INT, hello_receiver, max_in_flight),
    ONE(KIND_INT, hello_receiver, keepalive_requests),
    ONE(KIND_I64, hello_receiver, handshake_ms),
    ONE(KIND_I64, hello_receiver, header_ms),
    ONE(KIND_I64, hello_receiver, body_ms),
    ONE(KIND_I64, hello_receiver, reply_ms),
    ONE(KIND_BOOL, hello_receiver, sandbox),
    END,
};

static const struct field provider_fields[] = {
    ONE(KIND_STRING, hello_provider, name),        ONE(KIND_STRING, hello_provider, profile),
    ONE(KIND_STRING, hello_provider, base_url),    ONE(KIND_SECRET, hello_provider, key),
    ONE(KIND_BOOL, hello_provider, callbacks),     ONE(KIND_STRING, hello_provider, auth),
    ONE(KIND_STRING, hello_provider, prefix),      ONE(KIND_STRING, hello_provider, query),
    ONE(KIND_STRING, hello_provider, id_name),     ONE(KIND_STRING, hello_provider, state_name),
    ONE(KIND_STRING, hello_provider, result_name), END,
};

static const struct field gateway_fields[] = {
    SUB(hello_gateway, log, log_fields),
    ONE(KIND_INT, hello_gateway, control_fd),
    ONE(KIND_STRING, hello_gateway, public_url),
    ONE(KIND_BYTES, hello_gateway, seal_secret),
    MANY(KIND_OBJECT, hello_gateway, providers, provider_fields, n_providers, HELLO_MAX_PROVIDERS),
    ONE(KIND_STRING, hello_gateway, ca_file),
    ONE(KIND_SECRET, hello_gateway, token),
    ONE(KIND_INT, hello_gateway, http_fd),
    ONE(KIND_BOOL, hello_gateway, http_tls),
    ONE(KIND_U64, hello_gateway, http_budget),
    ONE(KIND_STRING, hello_gateway, certificate_pem),
    ONE(KIND_SECRET, hello_gateway, key_pem),
    ONE(KIND_BOOL, hello_gateway, tls_min_13),
    END,
};

static const struct field runner_fields[] = {
    SUB(hello_runner, log, log_fields),
    MANY(KIND_STRING, hello_runner, allow, NULL, n_allow, HELLO_MAX_ALLOW),
    MANY(KIND_INT, hello_runner, ports, NULL, n_ports, HELLO_MAX_ALLOW),
    ONE(KIND_STRING, hello_runner, ca_file),
    ONE(KIND_U64, hello_runner, keep_free),
    ONE(KIND_I64, hello_runner, output),
    ONE(KIND_INT, hello_runner, runs),
    END,
};

/* -- writing -- */

static void write_fields(const struct field *fields, const void *from, struct buf *out);

static void write_secret(const char *p, size_t n, struct buf *out)
{
    buf_addc(out, '"');
    encode_base64_buf((const uint8_t *)p, n, out);
    buf_addc(out, '"');
}

static void write_value(const struct field *f, const char *at, struct buf *out)
{
    const char *text = f->kind == KIND_STRING || f->kind == KIND_SECRET ? *(char *const *)at : at;

    switch (f->kind) {
    case KIND_BOOL:
        buf_adds(out, *(const bool *)at ? "true" : "false");
        break;
    case KIND_INT:
        buf_addf(out, "%d", *(const int *)at);
        break;
    case KIND_I64:
        buf_addf(out, "%lld", (long long)*(const int64_t *)at);
        break;
    case KIND_U64:
        buf_addf(out, "%llu", (unsigned long long)*(const uint64_t *)at);
        break;
    case KIND_BYTES:
        write_secret(at, f->size, out);
        break;
    case KIND_OBJECT:
        write_fields(f->sub, at, out);
        break;
    default:
        if (text == NULL)
            buf_adds(out, "null");
        else if (f->kind == KIND_SECRET)
            write_secret(text, strlen(text), out);
        else
            buf_add_json(out, text, strlen(text));
    }
}

static void write_array(const struct field *f, const char *from, struct buf *out)
{
    size_t n = *(const size_t *)(from + f->count);
    size_t i;

    buf_addc(out, '[');
    for (i = 0; i < n; i++) {
        if (i != 0)
            buf_addc(out, ',');
        write_value(f, from + f->offset + i * f->size, out);
    }
    buf_addc(out, ']');
}

static void write_fields(const struct field *fields, const void *from, struct buf *out)
{
    const struct field *f;

    for (f = fields; f->name != NULL; f++) {
        buf_addf(out, "%s\"%s\":", f == fields ? "{" : ",", f->name);
        if (f->max != 0)
            write_array(f, from, out);
        else
            write_value(f, (const char *)from + f->offset, out);
    }
    buf_addc(out, '}');
}

static char *write_hello(const struct field *fields, const void *from)
{
    struct buf out = BUF_INIT(FRAME_MAX);

    write_fields(fields, from, &out);
    return buf_take(&out);
}

/* -- clearing -- */

static void clear_fields(const struct field *fields, void *at);

static void clear_value(const struct field *f, char *at)
{
    char **text = (char **)at;

    if (f->kind == KIND_STRING || f->kind == KIND_SECRET)
        mem_wipe_free(*text, *text != NULL ? strlen(*text) : 0);
    else if (f->kind == KIND_OBJECT)
        clear_fields(f->sub, at);
}

static void clear_fields(const struct field *fields, void *at)
{
    const struct field *f;

    for (f = fields; f->name != NULL; f++) {
        size_t n = f->max != 0 ? *(size_t *)((char *)at + f->count) : 1;
        size_t i;

        for (i = 0; i < n; i++)
            clear_value(f, (char *)at + f->offset + i * f->size);
    }
}

static void clear_hello(const struct field *fields, void *at, size_t size)
{
    clear_fields(fields, at);
    explicit_bzero(at, size);
}

/* -- reading -- */

static int read_fields(const struct field *fields, json_t *from, void *to, struct err *err);

static int bad(const struct field *f, struct err *err)
{
    return err_set(err, -EPROTO, "hello: %s is missing or not what it should be", f->name);
}

static int read_integer(const struct field *f, const json_t *v, char *to, struct err *err)
{
    json_int_t n = json_integer_value(v);

    if (!json_is_integer(v) || (f->kind == KIND_U64 && n < 0) ||
        (f->kind == KIND_INT && (n < INT_MIN || n > INT_MAX)))
        return bad(f, err);
    if (f->kind == KIND_INT)
        *(int *)to = (int)n;
    else
        *(int64_t *)to = n; /* or its unsigned twin */
    return 0;
}

static int read_chars(const struct field *f, const json_t *v, char *to, struct err *err)
{
    size_t n = json_string_length(v);

    if (!json_is_string(v) || n >= f->size)
        return bad(f, err);
    memcpy(to, json_string_value(v), n);
    to[n] = '\0';
    return 0;
}

/* Decodes, and wipes the encoded form. */
static int read_secret(const struct field *f, json_t *v, uint8_t *to, size_t max, size_t *n,
                       struct err *err)
{
    int r;

    if (!json_is_string(v))
        return bad(f, err);
    r = decode_base64(json_string_value(v), json_string_length(v), to, max, n);
    explicit_bzero((char *)json_string_value(v), json_string_length(v));
    return r != 0 ? bad(f, err) : 0;
}

static int read_text(const struct field *f, json_t *v, char **to, struct err *err)
{
    size_t max = json_string_length(v);
    size_t n = 0;

    if (json_is_null(v))
        return 0;
    if (!json_is_string(v))
        return bad(f, err);
    if (f->kind == KIND_STRING) {
        *to = mem_strndup(json_string_value(v), max);
        return 0;
    }
    *to = mem_calloc(max + 1, 1);
    return read_secret(f, v, (uint8_t *)*to, max, &n, err);
}

static int read_value(const struct field *f, json_t *v, char *to, struct err *err)
{
    size_t n = 0;

    switch (f->kind) {
    case KIND_BOOL:
        if (!json_is_boolean(v))
            return bad(f, err);
        *(bool *)to = json_is_true(v);
        return 0;
    case KIND_CHARS:
        return read_chars(f, v, to, err);
    case KIND_STRING:
    case KIND_SECRET:
        return read_text(f, v, (char **)to, err);
    case KIND_BYTES:
        if (read_secret(f, v, (uint8_t *)to, f->size, &n, err) != 0 || n != f->size)
            return bad(f, err);
        return 0;
    case KIND_OBJECT:
        return read_fields(f->sub, v, to, err);
    default:
        return read_integer(f, v, to, err);
    }
}

static int read_array(const struct field *f, json_t *v, char *to, struct err *err)
{
    size_t *count = (size_t *)(to + f->count);
    size_t i;

    if (!json_is_array(v) || json_array_size(v) > f->max)
        return bad(f, err);
    for (i = 0; i < json_array_size(v); i++) {
        *count = i + 1;
        if (read_value(f, json_array_get(v, i), to + f->offset + i * f->size, err) != 0)
            return -EPROTO;
    }
    return 0;
}

static int read_fields(const struct field *fields, json_t *from, void *to, struct err *err)
{
    const struct field *f;

    for (f = fields; f->name != NULL; f++) {
        json_t *v = json_object_get(from, f->name);
        int r;

        if (v == NULL)
            return bad(f, err);
        if (f->max != 0)
            r = read_array(f, v, to, err);
        else
            r = read_value(f, v, (char *)to + f->offset, err);
        if (r != 0)
            return r;
    }
    return 0;
}

/* *to is zeroes on failure. */
static int read_hello(const struct field *fields, struct slice json, void *to, size_t size,
                      struct err *err)
{
    json_t *root = json_loadb(json.p, json.n, JSON_REJECT_DUPLICATES, NULL);
    int r;

    memset(to, 0, size);
    if (root == NULL)
        return err_set(err, -EPROTO, "hello: not JSON");
    r = read_fields(fields, root, to, err);
    json_decref(root);
    if (r != 0)
        clear_hello(fields, to, size);
    return r;
}

char *hello_receiver_write(const struct hello_receiver *h)
{
    return write_hello(receiver_fields, h);
}

int hello_receiver_read(struct slice json, struct hello_receiver *h, struct err *err)
{
    return read_hello(receiver_fields, json, h, sizeof(*h), err);
}

void hello_receiver_clear(struct hello_receiver *h)
{
    clear_hello(receiver_fields, h, sizeof(*h));
}

char *hello_gateway_write(const struct hello_gateway *h)
{
    return write_hello(gateway_fields, h);
}

/* The profile with the provider's own words in its place; an unknown one stays empty. */
static void complete(struct hello_provider *p)
{
    const struct provider_profile *profile = provider_profile_find(p->profile);

    if (profile == NULL)
        return;
    p->speech = *profile;
    p->speech.auth = str_or(p->auth, profile->auth);
    p->speech.prefix = str_or(p->prefix, profile->prefix);
    p->speech.query = str_or(p->query, profile->query);
    p->speech.names = (struct answer_names){p->id_name, p->state_name, p->result_name};
}

int hello_gateway_read(struct slice json, struct hello_gateway *h, struct err *err)
{
    int r = read_hello(gateway_fields, json, h, sizeof(*h), err);

    for (size_t i = 0; r == 0 && i < h->n_providers; i++)
        complete(&h->providers[i]);
    return r;
}

void hello_gateway_clear(struct hello_gateway *h)
{
    clear_hello(gateway_fields, h, sizeof(*h));
}

char *hello_runner_write(const struct hello_runner *h)
{
    return write_hello(runner_fields, h);
}

int hello_runner_read(struct slice json, struct hello_runner *h, struct err *err)
{
    return read_hello(runner_fields, json, h, sizeof(*h), err);
}

void hello_runner_clear(struct hello_runner *h)
{
    clear_hello(runner_fields, h, sizeof(*h));
}
