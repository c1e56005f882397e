/* SPDX-License-Identifier: MIT */
#include "vidu/job_tree.h"

#include "vidu/state.h"

#define ID_SIZE 65

typedef bool visit(const json_t *object, void *ctx);

/* Every object below v, v too, outer ones first; the first that is wanted ends it. */
static const json_t *walk(const json_t *v, visit *wanted, void *ctx)
{
    json_t *tree = (json_t *)(uintptr_t)v; /* jansson's iterators want it mutable */
    const json_t *hit = NULL;

    if (json_is_array(v)) {
        for (size_t i = 0; i < json_array_size(v) && hit == NULL; i++)
            hit = walk(json_array_get(v, i), wanted, ctx);
    } else if (json_is_object(v)) {
        if (wanted(v, ctx))
            return v;
        for (void *i = json_object_iter(tree); i != NULL && hit == NULL;
             i = json_object_iter_next(tree, i))
            hit = walk(json_object_iter_value(i), wanted, ctx);
    }
    return hit;
}

static bool has_id(const json_t *object, void *ctx)
{
    char id[ID_SIZE];

    return document_id(json_object_get(object, "id"), id, sizeof(id)) == 0 && str_eq(id, ctx);
}

const json_t *job_tree_find(const json_t *root, const char *id)
{
    static const char *const members[] = {"job_records", "data_records"};
    const json_t *hit = NULL;

    for (size_t i = 0; i < ARRAY_LEN(members) && hit == NULL && !str_empty(id); i++)
        hit = walk(json_object_get(root, members[i]), has_id, (void *)(uintptr_t)id);
    return hit;
}

static bool is_success(const json_t *item)
{
    bool known;

    return state_from_word(document_text(json_object_get(item, "state")), &known) == STATE_SUCCESS;
}

static bool is_composition(const json_t *object, void *ctx)
{
    const json_t **last = ctx;

    if (slice_is(document_text(json_object_get(object, "type")), "compose") &&
        document_text(json_object_get(object, "signed_url")).n != 0 && is_success(object))
        *last = object;
    return false;
}

static bool has_completed(const json_t *object, void *ctx)
{
    (void)ctx;
    return json_object_get(object, "completed_creation_records") != NULL;
}

void job_tree_results(const json_t *root, void (*found)(const json_t *item, void *ctx), void *ctx)
{
    const json_t *records = walk(json_object_get(root, "data_records"), has_completed, NULL);
    const json_t *list = json_object_get(records, "completed_creation_records");
    const json_t *last = NULL;

    for (size_t i = 0; i < json_array_size(list); i++)
        if (is_success(json_array_get(list, i)))
            found(json_array_get(list, i), ctx);
    (void)walk(json_object_get(root, "job_records"), is_composition, (void *)&last);
    if (last != NULL)
        found(last, ctx);
}
