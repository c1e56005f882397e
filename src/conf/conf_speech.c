/* SPDX-License-Identifier: MIT */
#include "conf/conf_speech.h"

#include "conf/conf_type.h"
#include "vidu/names.h"

#include <string.h>

#define LETTERS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define ID_MARK    "{id}"
#define WORD_MAX   32
#define SPEECH_MAX 256

static bool is_word(const char *s)
{
    size_t n = strspn(s, LETTERS "-_");

    return n >= 1 && n <= WORD_MAX && s[n] == '\0';
}

static bool is_path(const char *s, size_t n)
{
    return n != 0 && n <= SPEECH_MAX && s[0] == '/' && strspn(s, LETTERS "-_.~/") >= n &&
           strstr(s, "//") == NULL;
}

static bool is_prefix(const char *s)
{
    size_t n = strlen(s);

    return str_eq(s, "/") || (is_path(s, n) && s[n - 1] != '/');
}

/* The id is one segment of the path, or one value of a query. */
static bool is_query(const char *s)
{
    const char *mark = strstr(s, ID_MARK);
    const char *rest = mark != NULL ? mark + sizeof(ID_MARK) - 1 : "";
    size_t path = strcspn(s, "?{");

    return mark != NULL && is_path(s, path) && strlen(s) <= SPEECH_MAX &&
           strspn(s + path, LETTERS "-_.~?=&") >= (size_t)(mark - s) - path &&
           strspn(rest, LETTERS "-_.~/?=&") == strlen(rest);
}

static void set_checked(const struct conf_fill *fill, const struct conf_row *row,
                        const struct conf_node *node, void *object, bool (*good)(const char *s),
                        const char *form)
{
    const char *text = conf_want_text(fill, row->doc.name, node);

    if (text != NULL && !good(text))
        conf_found_at(fill->found, node, "'%s' must be %s", row->doc.name, form);
    else if (text != NULL)
        conf_type_text.set(fill, row, node, object);
}

static void set_auth(const struct conf_fill *fill, const struct conf_row *row,
                     const struct conf_node *node, void *object)
{
    set_checked(fill, row, node, object, is_word, "one word, such as Bearer or Token");
}

static void set_prefix(const struct conf_fill *fill, const struct conf_row *row,
                       const struct conf_node *node, void *object)
{
    set_checked(fill, row, node, object, is_prefix, "a path such as /v1, or / for none");
}

static void set_query(const struct conf_fill *fill, const struct conf_row *row,
                      const struct conf_node *node, void *object)
{
    set_checked(fill, row, node, object, is_query,
                "a path with {id} in it, such as /v1/video/generations/{id}");
}

static void set_answer(const struct conf_fill *fill, const struct conf_row *row,
                       const struct conf_node *node, void *object)
{
    set_checked(fill, row, node, object, names_path_is_good,
                "names with dots between, such as data.task_id");
}

const struct conf_type conf_type_auth = {set_auth, conf_text_show, conf_text_release};
const struct conf_type conf_type_prefix = {set_prefix, conf_text_show, conf_text_release};
const struct conf_type conf_type_query = {set_query, conf_text_show, conf_text_release};
const struct conf_type conf_type_answer = {set_answer, conf_text_show, conf_text_release};
