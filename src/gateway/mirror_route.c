/* SPDX-License-Identifier: MIT */
#include "gateway/mirror_route.h"

#include "gateway/mirror_shape.h"
#include "vidu/id.h"

#include <string.h>

#define ID_MARK "{id}"

static struct slice behind(struct slice s, size_t n)
{
    return (struct slice){s.p + n, s.n - n};
}

static bool begins(struct slice s, const char *text, size_t n)
{
    return s.n >= n && memcmp(s.p, text, n) == 0;
}

/* -- creates -- */

static bool is_create(struct mirror_route *r)
{
    const char *prefix = account_profile(r->account)->prefix;
    size_t n = strlen(prefix);
    struct slice name;

    if (r->path.n <= n + 1 || !begins(r->path, prefix, n) || r->path.p[n] != '/')
        return false;
    name = behind(r->path, n + 1);
    if (name.n >= sizeof(r->endpoint) || memchr(name.p, '{', name.n) != NULL)
        return false;
    memcpy(r->endpoint, name.p, name.n);
    r->endpoint[name.n] = '\0';
    return endpoint_find(r->endpoint) != NULL;
}

/* -- queries -- */

static void add_id(struct mirror_route *r, struct slice id)
{
    if (r->ids == NULL)
        r->ids = json_array();
    json_array_append_new(r->ids, json_stringn(id.p, id.n));
}

/* What stands where the provider's query path, or target, has its {id}. */
static bool is_query(struct mirror_route *r)
{
    const char *query = account_profile(r->account)->query;
    const char *mark = strstr(query, ID_MARK);
    size_t before = mark != NULL ? (size_t)(mark - query) : 0;
    const char *end = mark != NULL ? mark + sizeof(ID_MARK) - 1 : "";
    struct slice asked = strchr(query, '?') != NULL ? r->target : r->path;
    struct slice id;

    if (mark == NULL || asked.n <= before + strlen(end) || !begins(asked, query, before))
        return false;
    id = behind(asked, before);
    id.n -= strlen(end);
    if (!id_is_remote(id.p, id.n) || memcmp(id.p + id.n, end, strlen(end)) != 0)
        return false;
    add_id(r, id);
    return true;
}

static bool is_tree_of(struct mirror_route *r, const struct endpoint *e)
{
    const char *prefix = account_profile(r->account)->prefix;
    size_t n = strlen(prefix);
    struct slice id;

    if (e->jobs == NULL || !begins(r->path, prefix, n) ||
        !begins(behind(r->path, n), e->jobs, strlen(e->jobs)))
        return false;
    id = behind(r->path, n + strlen(e->jobs));
    if (!id_is_remote(id.p, id.n))
        return false;
    add_id(r, id);
    r->tree = e;
    return true;
}

static bool is_tree(struct mirror_route *r)
{
    for (size_t i = 0; i < endpoint_count(); i++)
        if (is_tree_of(r, endpoint_at(i)))
            return true;
    return false;
}

/* -- the list call -- */

/* The comma of a list, plain or as %2C. */
static size_t comma(struct slice s)
{
    if (begins(s, ",", 1))
        return 1;
    return begins(s, "%2C", 3) || begins(s, "%2c", 3) ? 3 : 0;
}

static bool add_ids(struct mirror_route *r, struct slice list)
{
    while (list.n != 0) {
        size_t n = 0;

        while (n < list.n && comma(behind(list, n)) == 0)
            n++;
        if (!id_is_remote(list.p, n) || json_array_size(r->ids) == MIRROR_MAX_IDS)
            return false;
        add_id(r, (struct slice){list.p, n});
        list = behind(list, n);
        list = behind(list, comma(list));
    }
    return true;
}

/* Other filters are for the provider, which knows more tasks than we do. */
static bool is_list(struct mirror_route *r, struct slice query)
{
    static const char name[] = "task_ids=";
    const char *prefix = account_profile(r->account)->prefix;
    size_t n = strlen(prefix);

    if (!mirror_shape_is_official(account_profile(r->account)) || !begins(r->path, prefix, n) ||
        !slice_is(behind(r->path, n), "/tasks"))
        return false;
    while (query.n != 0) {
        const char *end = memchr(query.p, '&', query.n);
        size_t length = end != NULL ? (size_t)(end - query.p) : query.n;
        struct slice one = {query.p, length};

        if (!begins(one, name, sizeof(name) - 1) || !add_ids(r, behind(one, sizeof(name) - 1)))
            return false;
        query = behind(query, length + (end != NULL));
    }
    return r->ids != NULL;
}

/* -- all together -- */

/*
 * No path to which things are posted needs an escape, an empty segment or one of dots. A server
 * may read what has them as another path, and a create must not go by unseen.
 */
static bool is_plain(struct slice path)
{
    for (size_t i = 0; i < path.n; i++)
        if (path.p[i] == '%' ||
            (path.p[i] == '/' && (i + 1 == path.n || path.p[i + 1] == '/' || path.p[i + 1] == '.')))
            return false;
    return true;
}

const struct hello_provider *mirror_route_account(const struct hello_gateway *h,
                                                  const struct head *head, struct slice *rest)
{
    bool creates = slice_is(head->method, "POST");

    for (size_t i = 0; i < h->n_providers; i++) {
        const char *name = h->providers[i].name;
        size_t n = strlen(name) + 1;

        if (head->path.n < n || head->path.p[0] != '/' ||
            memcmp(head->path.p + 1, name, n - 1) != 0)
            continue;
        *rest = behind(head->path, n);
        if (rest->n == 0 || rest->p[0] == '/')
            return creates && !is_plain(*rest) ? NULL : &h->providers[i];
    }
    return NULL;
}

static enum mirror_step step_of(struct mirror_route *r, const struct head *head)
{
    if (slice_is(head->method, "POST"))
        return is_create(r) ? MIRROR_CREATE : MIRROR_PASS;
    if (!slice_is(head->method, "GET"))
        return MIRROR_PASS;
    if (is_query(r))
        return MIRROR_QUERY;
    if (is_tree(r))
        return MIRROR_TREE;
    return is_list(r, head->query) ? MIRROR_LIST : MIRROR_PASS;
}

bool mirror_route(const struct hello_gateway *h, const struct head *head, struct mirror_route *out)
{
    struct slice path;
    const struct hello_provider *account = mirror_route_account(h, head, &path);

    if (account == NULL)
        return false;
    *out = (struct mirror_route){
        .account = account, .path = path, .target = behind(head->target, head->path.n - path.n)};
    out->step = step_of(out, head);
    return true;
}

void mirror_route_clear(struct mirror_route *r)
{
    json_decref(r->ids);
    r->ids = NULL;
}
