/* SPDX-License-Identifier: MIT */
#include "conf/conf_listen.h"

#include "conf/conf_type.h"
#include "conf/conf_url.h"

#include <errno.h>
#include <string.h>

static int parse_socket(const char *text, struct conf_listen *out, struct err *err)
{
    struct conf_url url;
    int rc = conf_url_parse_listen(text, &url, err);

    if (rc < 0)
        return rc;
    if (!conf_host_is_numeric(url.host))
        return err_set(err, -EINVAL,
                       "the address must be numeric, such as 127.0.0.1, 0.0.0.0 or [::]");
    if (url.port < 0)
        return err_set(err, -EINVAL, "the port is missing, such as :8443");
    if (url.path[0] != '\0')
        return err_set(err, -EINVAL, "nothing may follow the port; paths belong into public_url");
    out->kind = url.https ? LISTEN_HTTPS : LISTEN_HTTP;
    out->host = mem_strdup(url.host);
    out->port = url.port;
    return 0;
}

static int parse_listen(const char *text, struct conf_listen *out, struct err *err)
{
    int rc = 0;

    *out = (struct conf_listen){.kind = LISTEN_SYSTEMD};
    if (str_starts(text, "unix:"))
        return err_set(err, -EINVAL,
                       "the HTTP server cannot tell clients of a unix socket apart, so the limits "
                       "per source would not hold; use http://127.0.0.1:PORT behind a proxy");
    if (!str_eq(text, "systemd"))
        rc = parse_socket(text, out, err);
    if (rc == 0)
        out->text = mem_strdup(text);
    return rc;
}

bool conf_listen_is_same(const struct conf_listen *a, const struct conf_listen *b)
{
    if (a->kind == LISTEN_SYSTEMD || b->kind == LISTEN_SYSTEMD)
        return a->kind == b->kind;
    return a->port == b->port && a->port != 0 && conf_host_is_same(a->host, b->host);
}

static void add_listen(const struct conf_fill *fill, const struct conf_row *row,
                       const struct conf_node *item, void *object)
{
    struct conf *c = object;
    struct conf_listen *fresh = &c->listen[c->n_listen];
    struct err err;

    (void)row;
    if (parse_listen(item->text, fresh, &err) < 0) {
        conf_found_at(fill->found, item, "listen: %s: %s", item->text, err.text);
        return;
    }
    for (size_t i = 0; i < c->n_listen; i++)
        if (conf_listen_is_same(&c->listen[i], fresh))
            conf_found_at(fill->found, item, "listen: %s is the address of %s, which stands above",
                          fresh->text, c->listen[i].text);
    c->n_listen++;
}

static void release_listen(const struct conf_row *row, void *object)
{
    struct conf *c = object;

    (void)row;
    for (size_t i = 0; i < c->n_listen; i++) {
        free(c->listen[i].text);
        free(c->listen[i].host);
    }
    c->n_listen = 0;
}

static void set_listen(const struct conf_fill *fill, const struct conf_row *row,
                       const struct conf_node *node, void *object)
{
    struct conf *c = object;
    int before = fill->found->errors;

    release_listen(row, object);
    conf_each(fill, row, node, CONF_MAX_LISTEN, add_listen, object);
    if (c->n_listen == 0 && fill->found->errors == before)
        conf_found_at(fill->found, node, "listen: at least one address is needed");
}

static bool show_listen(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf *c = object;

    (void)row;
    if (c->n_listen == 0)
        return false;
    for (size_t i = 0; i < c->n_listen; i++) {
        buf_adds(out, i == 0 ? "[" : ", ");
        conf_show_text(c->listen[i].text, out);
    }
    buf_addc(out, ']');
    return true;
}

const struct conf_type conf_type_listen = {set_listen, show_listen, release_listen};

/* -- a single one -- */

static void release_address(const struct conf_row *row, void *object)
{
    struct conf_listen *l = conf_slot(row, object);

    free(l->text);
    free(l->host);
    *l = (struct conf_listen){0};
}

static void set_address(const struct conf_fill *fill, const struct conf_row *row,
                        const struct conf_node *node, void *object)
{
    struct conf_listen *l = conf_slot(row, object);
    const char *text = conf_want_text(fill, row->doc.name, node);
    struct err err;

    release_address(row, object);
    if (text == NULL)
        return;
    if (parse_socket(text, l, &err) < 0)
        conf_found_at(fill->found, node, "'%s': %s: %s", row->doc.name, text, err.text);
    else
        l->text = mem_strdup(text);
}

static bool show_address(const struct conf_row *row, const void *object, struct buf *out)
{
    const struct conf_listen *l = conf_slot_const(row, object);

    if (l->text != NULL)
        conf_show_text(l->text, out);
    return l->text != NULL;
}

const struct conf_type conf_type_address = {set_address, show_address, release_address};
