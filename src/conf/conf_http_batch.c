/*
 * How many runs of an http hook may go into one request, and how long the first waits for them.
 *
 * SPDX-License-Identifier: MIT
 */
#include "conf/conf_http.h"
#include "conf/conf_preset.h"

#include <string.h>

#define MAX_RUNS 500
#define MAX_WAIT 30000

static void set_max(const struct conf_fill *fill, const struct conf_node *node,
                    struct conf_hook *hook)
{
    uint64_t value = 0;

    if (node->kind != NODE_TEXT ||
        str_to_u64(node->text, strlen(node->text), MAX_RUNS, &value) < 0 || value == 0)
        conf_found_at(fill->found, node, "'hooks[].http.batch': max must be a number, 1-%d",
                      MAX_RUNS);
    else
        hook->http.batch.max = (int)value;
}

static void set_wait(const struct conf_fill *fill, const struct conf_node *node,
                     struct conf_hook *hook)
{
    int64_t value = 0;

    if (node->kind != NODE_TEXT || str_to_ms(node->text, &value) < 0 || value > MAX_WAIT)
        conf_found_at(fill->found, node,
                      "'hooks[].http.batch': wait must be a duration such as 2s, 0-%ds",
                      MAX_WAIT / 1000);
    else
        hook->http.batch.wait_ms = value;
}

static void set_batch(const struct conf_fill *fill, const struct conf_row *row,
                      const struct conf_node *node, void *object)
{
    if (!conf_http_want_map(fill, row, node, 8))
        return;
    for (size_t i = 0; i < node->n; i++) {
        const struct conf_node *item = node->items[i];

        if (str_eq(item->key, "max"))
            set_max(fill, item, object);
        else if (str_eq(item->key, "wait"))
            set_wait(fill, item, object);
        else
            conf_found_key(fill->found, item, "'%s' has max and wait, not '%s'", row->doc.name,
                           item->key);
    }
}

static bool show_batch(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_hook *hook = object;
    long long ms = hook->http.batch.wait_ms;
    bool whole = ms % 1000 == 0;

    (void)row;
    buf_addf(out, "{ max: %d, wait: %lld%s }", hook->http.batch.max, whole ? ms / 1000 : ms,
             whole ? "s" : "ms");
    return true;
}

const struct conf_type conf_type_http_batch = {set_batch, show_batch, NULL};

void conf_http_begin(const struct conf_node *node, struct conf_hook *hook)
{
    const struct conf_node *preset = conf_node_get(node, "preset");

    hook->http.batch.max = 1;
    for (size_t i = 0; preset != NULL && i < conf_n_presets; i++)
        if (conf_presets[i].batch_max != 0 && conf_node_get(node, "body") == NULL &&
            str_eq_nocase(conf_presets[i].name, preset->text)) {
            hook->http.batch.max = conf_presets[i].batch_max;
            hook->http.batch.wait_ms = conf_presets[i].batch_wait_ms;
        }
}
