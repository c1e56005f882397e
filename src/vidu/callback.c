/* SPDX-License-Identifier: MIT */
#include "vidu/callback.h"

#include "vidu/document.h"
#include "vidu/job_tree.h"

#include <errno.h>
#include <string.h>

/* Where in an answer one looks. */
struct view {
    const json_t *root;               /* the object that speaks */
    const struct answer_names *names; /* never NULL */
    const char *wanted;               /* the id that was asked about, or NULL */
};

/* The first of these members that is a text with something in it, NULL when none is. */
static const json_t *text_member(const json_t *root, const char *const *names, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const json_t *v = json_object_get(root, names[i]);

        if (document_text(v).n != 0)
            return v;
    }
    return NULL;
}

static int read_id(const struct view *view, struct callback *cb, struct err *err)
{
    static const char *const keys[] = {"id", "task_id"};

    if (view->names->id != NULL &&
        document_id(names_find(view->root, view->names->id), cb->id, sizeof(cb->id)) < 0)
        return err_set(err, -EINVAL, "%s is not an id", view->names->id);
    for (size_t i = 0; i < ARRAY_LEN(keys) && cb->id[0] == '\0'; i++)
        if (document_id(json_object_get(view->root, keys[i]), cb->id, sizeof(cb->id)) < 0)
            return err_set(err, -EINVAL, "%s is not an id", keys[i]);
    return 0;
}

static const char *const state_keys[] = {"state", "status"};

static int read_state(const struct view *view, struct callback *cb, struct err *err)
{
    const json_t *word = view->names->state != NULL
                             ? names_find(view->root, view->names->state)
                             : text_member(view->root, state_keys, ARRAY_LEN(state_keys));

    if (document_text(word).n == 0 && view->names->state != NULL)
        return err_set(err, -EINVAL, "%s says nothing", view->names->state);
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
    static const char *const messages[] = {"err_msg", "fail_reason"};

    document_word(code, cb->err_code, sizeof(cb->err_code));
    if (str_eq(cb->err_code, "") && json_is_object(error))
        document_word(json_object_get(error, "code"), cb->err_code, sizeof(cb->err_code));
    if (str_eq(cb->err_code, "0"))
        cb->err_code[0] = '\0';
    cb->err_msg = document_copy(text_member(root, messages, ARRAY_LEN(messages)));
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

static bool add_url(struct callback *cb, const json_t *url)
{
    if (!is_web_url(document_text(url)) || cb->n_creations == CALLBACK_MAX_CREATIONS)
        return false;
    cb->creations[cb->n_creations++].url = document_copy(url);
    return true;
}

/* Gateways and job trees name their one result at the top, without an id of its own. */
static void read_single_url(const json_t *root, struct callback *cb)
{
    static const char *const keys[] = {"video_url", "signed_url", "creation_url", "result_url",
                                       "url"};

    if (!callback_has_url(cb))
        (void)add_url(cb, text_member(root, keys, ARRAY_LEN(keys)));
}

/* One text, or a list of them. */
static void read_named_result(const json_t *result, struct callback *cb)
{
    (void)add_url(cb, result);
    for (size_t i = 0; i < json_array_size(result); i++)
        (void)add_url(cb, json_array_get(result, i));
}

static void on_tree_result(const json_t *item, void *ctx)
{
    struct callback *cb = ctx;
    static const char *const keys[] = {"creation_url", "signed_url"};

    if (add_url(cb, text_member(item, keys, ARRAY_LEN(keys))))
        cb->creations[cb->n_creations - 1].id = copy_id(json_object_get(item, "id"));
}

static void read_results(const struct view *view, struct callback *cb)
{
    if (view->names->result != NULL)
        read_named_result(names_find(view->root, view->names->result), cb);
    if (callback_has_url(cb))
        return;
    read_creations(json_object_get(view->root, "creations"), cb);
    read_single_url(view->root, cb);
    if (!callback_has_url(cb) && cb->state == STATE_SUCCESS)
        job_tree_results(view->root, on_tree_result, cb);
}

/* The part of a tree that was asked about speaks for itself. */
static const json_t *find_part(const struct view *view)
{
    char id[CALLBACK_ID_SIZE];
    bool whole = view->wanted == NULL ||
                 (document_id(json_object_get(view->root, "id"), id, sizeof(id)) == 0 &&
                  str_eq(id, view->wanted));

    return whole ? NULL : job_tree_find(view->root, view->wanted);
}

static int read_all(struct view *view, struct callback *cb, struct err *err)
{
    const json_t *part = find_part(view);
    const json_t *root = part != NULL ? part : view->root;
    int rc;

    view->root = root;
    rc = read_id(view, cb, err);
    if (rc == 0)
        rc = read_state(view, cb, err);
    if (rc < 0)
        return rc;
    read_error(root, cb);
    see_cancelled(cb);
    cb->payload = document_copy(json_object_get(root, "payload"));
    cb->credits = document_count(json_object_get(root, "credits"));
    read_results(view, cb);
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

int callback_parse_answer(const char *body, size_t n, const char *id,
                          const struct answer_names *names, struct callback *out, struct err *err)
{
    static const struct answer_names usual = {NULL, NULL, NULL};
    struct slice text = skip_bom(body, n);
    struct callback cb = {.credits = -1};
    struct view view = {.names = names != NULL ? names : &usual, .wanted = id};
    autojson json_t *root = NULL;
    int rc = document_parse(text.p, text.n, &root, err);

    if (rc == 0) {
        view.root = view.names->state != NULL
                        ? root
                        : names_unwrap(root, state_keys, ARRAY_LEN(state_keys));
        rc = read_all(&view, &cb, err);
    }
    if (rc < 0)
        return rc;
    *out = cb;
    return 0;
}

int callback_parse(const char *body, size_t n, struct callback *out, struct err *err)
{
    return callback_parse_answer(body, n, NULL, NULL, out, err);
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
