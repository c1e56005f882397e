/* SPDX-License-Identifier: MIT */
#include "sim/sim_upload.h"

#include "base/encode.h"
#include "base/mem.h"
#include "http/server.h"
#include "vidu/crypto.h"

#include <string.h>

#define MAX_UPLOADS 1000
#define MAX_BYTES   ((size_t)10 << 20)
#define TOKEN_BYTES 8
#define ETAG_DIGITS 32
#define URI_HEAD    "ssupload:?id="

struct upload {
    const char *key; /* borrowed from the options */
    char id[2 * TOKEN_BYTES + 1];
    char token[2 * TOKEN_BYTES + 1]; /* in the address: who has it may put */
    char etag[ETAG_DIGITS + 1];      /* "": nothing is there yet */
    bool finished;
};

struct sim_uploads {
    char origin[112];
    struct sim_ledger *ledger;
    struct upload v[MAX_UPLOADS];
    size_t n;
};

struct sim_uploads *sim_uploads_new(const char *address, struct sim_ledger *ledger)
{
    struct sim_uploads *all = mem_calloc(1, sizeof(*all));

    all->ledger = ledger;
    snprintf(all->origin, sizeof(all->origin), "http://%s", address);
    return all;
}

void sim_uploads_free(struct sim_uploads *all)
{
    free(all);
}

static void random_text(char out[2 * TOKEN_BYTES + 1])
{
    uint8_t random[TOKEN_BYTES];

    crypto_random(random, sizeof(random));
    encode_hex(random, sizeof(random), out);
}

static struct upload *find(struct sim_uploads *all, struct slice id)
{
    for (size_t i = 0; i < all->n; i++)
        if (slice_is(id, all->v[i].id))
            return &all->v[i];
    return NULL;
}

char *sim_upload_begin(struct sim_uploads *all, const char *key, const json_t *body,
                       struct sim_refusal *why)
{
    struct upload *u;

    if (!slice_is(sim_request_text(body, "scene"), "vidu")) {
        *why = (struct sim_refusal){400, "FieldInvalid", "invalid field", "scene"};
        return NULL;
    }
    if (all->n == MAX_UPLOADS) {
        *why = (struct sim_refusal){429, "QuotaExceeded", "too many uploads", NULL};
        return NULL;
    }
    u = &all->v[all->n++];
    u->key = key;
    random_text(u->id);
    random_text(u->token);
    return mem_printf("{\"id\":\"%s\",\"put_url\":\"%s/uploads/%s?X-Amz-Expires=3600&sig=%s\","
                      "\"expires_at\":\"2100-01-01T00:00:00Z\"}",
                      u->id, all->origin, u->id, u->token);
}

/* 0, or the status of the refusal: as in object storage the address alone opens the door. */
static int check_put(const struct upload *u, const struct head *head, size_t bytes)
{
    autofree char *query = NULL;
    size_t n;

    if (u == NULL || !slice_is(head->method, "PUT"))
        return 403;
    query = mem_printf("X-Amz-Expires=3600&sig=%s", u->token);
    if (!slice_is(head->query, query))
        return 403;
    if (head_field(head, "Authorization", &n) != NULL || n != 0)
        return 400;
    return bytes > MAX_BYTES ? 413 : 0;
}

void sim_upload_put(struct sim_uploads *all, struct server_request *req, struct slice name)
{
    const struct head *head = server_request_head(req);
    struct slice bytes = server_request_body(req);
    struct upload *u = find(all, name);
    int refused = check_put(u, head, bytes.n);
    uint8_t hash[SHA256_LEN];
    char hex[SHA256_HEX_LEN + 1];
    char etag[ETAG_DIGITS + 3];
    size_t n;
    const struct head_field *type = head_field(head, "Content-Type", &n);

    crypto_sha256(bytes.p, bytes.n, hash);
    encode_hex(hash, sizeof(hash), hex);
    sim_ledger_event(
        all->ledger, "upload", LOG_S("upload", u != NULL ? u->id : ""), LOG_I("bytes", bytes.n),
        LOG_S("sha256", hex),
        LOG_B("type", type != NULL ? type->value.p : "", type != NULL ? type->value.n : 0),
        LOG_I("status", refused != 0 ? refused : 200));
    if (refused != 0) {
        server_reply(req, refused, NULL, NULL, 0);
        return;
    }
    snprintf(u->etag, sizeof(u->etag), "%.*s", ETAG_DIGITS, hex);
    snprintf(etag, sizeof(etag), "\"%s\"", u->etag);
    server_reply(req, 200, (const struct server_header[]){{"ETag", etag}, {NULL, NULL}}, NULL, 0);
}

char *sim_upload_finish(struct sim_uploads *all, const char *key, struct slice id,
                        const json_t *body, struct sim_refusal *why)
{
    struct upload *u = find(all, id);

    if (u == NULL || !str_eq(u->key, key)) {
        *why = (struct sim_refusal){404, "NotFound", "no such upload", NULL};
        return NULL;
    }
    if (u->etag[0] == '\0' || !slice_is(sim_request_text(body, "etag"), u->etag)) {
        *why = (struct sim_refusal){400, "FieldInvalid", "invalid field", "etag"};
        return NULL;
    }
    u->finished = true;
    return mem_printf("{\"uri\":\"" URI_HEAD "%s\"}", u->id);
}

static bool knows(const struct sim_uploads *all, const char *key, const char *uri)
{
    for (size_t i = 0; i < all->n; i++)
        if (str_eq(uri + strlen(URI_HEAD), all->v[i].id))
            return all->v[i].finished && str_eq(all->v[i].key, key);
    return false;
}

bool sim_uploads_know(const struct sim_uploads *all, const char *key, const json_t *v)
{
    const char *s = json_string_value(v);
    const json_t *item;
    const char *name;
    size_t i;

    if (s != NULL)
        return !str_starts(s, URI_HEAD) || knows(all, key, s);
    json_array_foreach (v, i, item)
        if (!sim_uploads_know(all, key, item))
            return false;
    json_object_foreach ((json_t *)(uintptr_t)v, name, item) /* only reads it */
        if (!sim_uploads_know(all, key, item))
            return false;
    return true;
}
