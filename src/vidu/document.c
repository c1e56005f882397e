/* SPDX-License-Identifier: MIT */
#include "vidu/document.h"

#include "vidu/id.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * What the parser would make of it: three bytes of text become 230 of memory. Brackets and commas
 * outside strings are counted; text that is not JSON may count wrongly and is refused later.
 */
static int check_shape(const char *p, size_t n, struct err *err)
{
    size_t depth = 0;
    size_t values = 1;
    bool in_string = false;

    for (size_t i = 0; i < n && depth <= DOCUMENT_MAX_DEPTH && values <= DOCUMENT_MAX_VALUES; i++) {
        bool opens = p[i] == '{' || p[i] == '[';

        if (in_string) {
            if (p[i] == '\\')
                i++;
            else if (p[i] == '"')
                in_string = false;
        } else if (p[i] == '"') {
            in_string = true;
        } else if (opens || p[i] == ',') {
            values++;
            depth += opens;
        } else if ((p[i] == '}' || p[i] == ']') && depth > 0) {
            depth--;
        }
    }
    if (depth > DOCUMENT_MAX_DEPTH)
        return err_set(err, -E2BIG, "nested deeper than %d", DOCUMENT_MAX_DEPTH);
    if (values > DOCUMENT_MAX_VALUES)
        return err_set(err, -E2BIG, "more than %d values", DOCUMENT_MAX_VALUES);
    return 0;
}

int document_parse(const char *text, size_t n, json_t **out, struct err *err)
{
    json_error_t why;
    json_t *root;
    int rc = check_shape(text, n, err);

    if (rc < 0)
        return rc;
    root = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
    if (root == NULL)
        return err_set(err, -EINVAL, "not usable JSON: line %d column %d: %s", why.line, why.column,
                       why.text);
    if (!json_is_object(root)) {
        json_decref(root);
        return err_set(err, -EINVAL, "not a JSON object");
    }
    *out = root;
    return 0;
}

struct slice document_text(const json_t *v)
{
    if (!json_is_string(v))
        return SLICE_LIT("");
    return (struct slice){json_string_value(v), json_string_length(v)};
}

const char *document_member(const json_t *object, const char *name)
{
    return str_or(json_string_value(json_object_get(object, name)), "");
}

json_t *document_string(const char *s)
{
    json_t *value = json_string(str_or(s, ""));

    return value != NULL ? value : json_string("");
}

/* Copies up to each NUL, so that the usual text without one is one memcpy. */
char *document_copy(const json_t *v)
{
    struct slice s = document_text(v);
    struct buf out = BUF_INIT(3 * s.n);
    const char *nul;

    if (!json_is_string(v))
        return NULL;
    while ((nul = memchr(s.p, '\0', s.n)) != NULL) {
        size_t head = (size_t)(nul - s.p);

        buf_add(&out, s.p, head);
        buf_adds(&out, "\xef\xbf\xbd");
        s = (struct slice){nul + 1, s.n - head - 1};
    }
    buf_add(&out, s.p, s.n);
    return buf_take(&out);
}

void document_word(const json_t *v, char *out, size_t size)
{
    struct slice s = document_text(v);
    size_t n = str_utf8_cut(s.p, s.n, size - 1);

    if (json_is_integer(v)) {
        snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        return;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = s.p[i] != '\0' ? s.p[i] : '?';
    out[n] = '\0';
}

int64_t document_count(const json_t *v)
{
    struct slice s = document_text(v);
    int64_t n = json_is_integer(v) ? (int64_t)json_integer_value(v) : -1;
    uint64_t value;

    if (json_is_integer(v))
        return n >= 0 && n <= DOCUMENT_MAX_COUNT ? n : -1;
    return str_to_u64(s.p, s.n, DOCUMENT_MAX_COUNT, &value) == 0 ? (int64_t)value : -1;
}

int document_id(const json_t *v, char *out, size_t size)
{
    struct slice s = document_text(v);

    if (json_is_integer(v) && json_integer_value(v) >= 0) {
        document_word(v, out, size);
        return 0;
    }
    if (v != NULL && !json_is_null(v) && !json_is_string(v))
        return -EINVAL;
    if (s.n != 0 && (s.n >= size || !id_is_remote(s.p, s.n)))
        return -EINVAL;
    memcpy(out, s.p, s.n);
    out[s.n] = '\0';
    return 0;
}

void document_free(json_t **v)
{
    json_decref(*v);
}
