/* SPDX-License-Identifier: MIT */
#include "vidu/callback.h"

#include "vidu/document.h"

#include <errno.h>
#include <string.h>

/* The first of two members that is a text with something in it, NULL when neither is. */
static const json_t *text_member(const json_t *root, const char *first, const char *second)
{
    const json_t *v = json_object_get(root, first);

    if (document_text(v).n == 0)
        v = json_object_get(root, second);
    return document_text(v).n != 0 ? v : NULL;
}

static int read_id(const json_t *root, struct callback *cb, struct err *err)
{
    static const char *const keys[] = {"id", "task_id"};

    for (size_t i = 0; i < ARRAY_LEN(keys) && cb->id[0] == '\0'; i++)
        if (document_id(json_object_get(root, keys[i]), cb->id, sizeof(cb->id)) < 0)
            return err_set(err, -EINVAL, "%s is not an id", keys[i]);
    return 0;
}

static int read_state(const json_t *root, struct callback *cb, struct err *err)
{
    const json_t *word = text_member(root, "state", "status");

    if (word == NULL)
        return err_set(err, -EINVAL, "neither state nor status says anything");
    document_word(word, cb->state_word, sizeof(cb->state_word));
    cb->state = state_from_word(document_text(word), &cb->state_known);
    return 0;
}

/* Vidu reports a cancelled task as failed with this code (vidu-api.md section 6). */
static void see_cancelled(struct callback *cb)
{
    if (cb->state == STATE_FAILED && str_eq_nocase(cb->err_code, "UserCancelled"))
        cb->state = STATE_CANCELLED;
}

static void read_error(const json_t *root, struct callback *cb)
{
    const json_t *error = json_object_get(root, "error");
    const json_t *code = json_object_get(root, "err_code");

    document_word(code, cb->err_code, sizeof(cb->err_code));
    if (str_eq(cb->err_code, "") && json_is_object(error))
        document_word(json_object_get(error, "code"), cb->err_code, sizeof(cb->err_code));
    if (str_eq(cb->err_code, "0"))
        cb->err_code[0] = '\0';
    cb->err_msg = document_copy(json_object_get(root, "err_msg"));
    if (cb->err_msg == NULL)
        cb->err_msg =
            document_copy(json_is_object(error) ? json_object_get(error, "message") : error);
}

static bool is_web_url(struct slice s)
{
    static const struct slice schemes[] = {{"https://", 8}, {"http://", 7}};
    bool web = false;

    for (size_t i = 0; i < ARRAY_LEN(schemes) && !web; i++)
        web =
            s.n > schemes[i].n && slice_is_nocase((struct slice){s.p, schemes[i].n}, schemes[i].p);
    if (!web || s.n > CALLBACK_URL_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == 0x7f)
            return false;
    return true;
}

static char *copy_url(const json_t *v)
{
    return is_web_url(document_text(v)) ? document_copy(v) : NULL;
}

static char *copy_id(const json_t *v)
{
    char id[CALLBACK_ID_SIZE];

    return document_id(v, id, sizeof(id)) == 0 && id[0] != '\0' ? mem_strdup(id) : NULL;
}

static void read_creations(const json_t *list, struct callback *cb)
{
    size_t n = json_array_size(list);

    for (size_t i = 0; i < n && cb->n_creations < CALLBACK_MAX_CREATIONS; i++) {
        const json_t *item = json_array_get(list, i);

        if (!json_is_object(item))
            continue;
        cb->creations[cb->n_creations++] = (struct creation){
            .id = copy_id(json_object_get(item, "id")),
            .url = copy_url(json_object_get(item, "url")),
            .cover_url = copy_url(json_object_get(item, "cover_url")),
            .watermarked_url = copy_url(json_object_get(item, "watermarked_url")),
        };
    }
}

/* Gateways and job trees name their one result at the top, without an id of its own. */
static void read_single_url(const json_t *root, struct callback *cb)
{
    const json_t *v = text_member(root, "video_url", "signed_url");

    if (callback_has_url(cb) || !is_web_url(document_text(v)) ||
        cb->n_creations == CALLBACK_MAX_CREATIONS)
        return;
    cb->creations[cb->n_creations++].url = document_copy(v);
}

static int read_all(const json_t *root, struct callback *cb, struct err *err)
{
    int rc = read_id(root, cb, err);

    if (rc == 0)
        rc = read_state(root, cb, err);
    if (rc < 0)
        return rc;
    read_error(root, cb);
    see_cancelled(cb);
    cb->payload = document_copy(json_object_get(root, "payload"));
    cb->credits = document_count(json_object_get(root, "credits"));
    read_creations(json_object_get(root, "creations"), cb);
    read_single_url(root, cb);
    return 0;
}

static struct slice skip_bom(const char *p, size_t n)
{
    bool bom = n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0;

    return bom ? (struct slice){p + 3, n - 3} : (struct slice){p, n};
}

static void add_member(const char *key, const char *value, struct buf *out)
{
    const char *text = str_or(value, "");

    buf_add_json(out, key, strlen(key));
    buf_addc(out, ':');
    buf_add_json(out, text, strlen(text));
}

int callback_parse(const char *body, size_t n, struct callback *out, struct err *err)
{
    struct slice text = skip_bom(body, n);
    struct callback cb = {.credits = -1};
    autojson json_t *root = NULL;
    int rc = document_parse(text.p, text.n, &root, err);

    if (rc == 0)
        rc = read_all(root, &cb, err);
    if (rc < 0)
        return rc;
    *out = cb;
    return 0;
}

void callback_clear(struct callback *cb)
{
    if (cb == NULL)
        return;
    for (size_t i = 0; i < cb->n_creations; i++) {
        free(cb->creations[i].id);
        free(cb->creations[i].url);
        free(cb->creations[i].cover_url);
        free(cb->creations[i].watermarked_url);
    }
    free(cb->err_msg);
    free(cb->payload);
    *cb = (struct callback){.credits = -1};
}

bool callback_has_url(const struct callback *cb)
{
    for (size_t i = 0; i < cb->n_creations; i++)
        if (cb->creations[i].url != NULL)
            return true;
    return false;
}

void callback_creations_json(const struct callback *cb, struct buf *out)
{
    buf_addc(out, '[');
    for (size_t i = 0; i < cb->n_creations; i++) {
        const struct creation *c = &cb->creations[i];

        buf_adds(out, i == 0 ? "{" : ",{");
        add_member("id", c->id, out);
        buf_addc(out, ',');
        add_member("url", c->url, out);
        buf_addc(out, ',');
        add_member("cover_url", c->cover_url, out);
        buf_addc(out, ',');
        add_member("watermarked_url", c->watermarked_url, out);
        buf_addc(out, '}');
    }
    buf_addc(out, ']');
}
