/* SPDX-License-Identifier: MIT */
#include "runner/deliver_form.h"

#include "runner/deliver_upload.h"
#include "vidu/document.h"
#include "vidu/form.h"

#include <errno.h>
#include <string.h>

#define URL_MAX   8192
#define HEAD_MAX  (1U << 20)
#define TAIL_MAX  256
#define VALUE_MAX (256U << 10)

/* The index of the result behind so many others; the number of files when there is none. */
static size_t result_at(const json_t *files, size_t number)
{
    size_t i;

    for (i = 0; i < json_array_size(files); i++)
        if (deliver_is_result(json_array_get(files, i)) && number-- == 0)
            break;
    return i;
}

/* The context as if this were the only file; to be released. */
static json_t *context_of(const struct deliver_exchange *x, size_t i)
{
    json_t *one = json_copy((json_t *)x->context);
    json_t *file = json_array_get(json_object_get(x->context, "files"), i);

    json_object_set_new(one, "files", json_pack("[O]", file));
    return one;
}

static void add_fields(const json_t *fields, const json_t *context, const char *boundary,
                       struct buf *out)
{
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *pair = json_array_get(fields, i);
        autobuf struct buf value = BUF_INIT(VALUE_MAX);

        deliver_fill(str_or(json_string_value(json_array_get(pair, 1)), ""), TEMPLATE_PLAIN,
                     context, &value);
        if (!buf_ok(&value))
            out->overflow = true;
        buf_addf(out, "--%s\r\nContent-Disposition: form-data; name=\"%s\"\r\n\r\n", boundary,
                 str_or(json_string_value(json_array_get(pair, 0)), ""));
        buf_add(out, buf_text(&value), value.len);
        buf_adds(out, "\r\n");
    }
}

/* As browsers do (HTML, "escaping in multipart form data"). */
static void add_file_name(const char *name, struct buf *out)
{
    for (; *name != '\0'; name++) {
        if ((unsigned char)*name < 0x20 || *name == '"')
            buf_addf(out, "%%%02X", (unsigned)(unsigned char)*name);
        else
            buf_addc(out, *name);
    }
}

static void wrap_in_form(const struct deliver_exchange *x, const json_t *context, const char *name,
                         struct deliver_request *r)
{
    char boundary[FORM_BOUNDARY_SIZE];

    form_boundary(boundary);
    add_fields(json_object_get(x->action, "form"), context, boundary, &r->head);
    buf_addf(&r->head, "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"", boundary,
             document_member(x->action, "file_field"));
    add_file_name(name, &r->head);
    buf_addf(&r->head, "\"\r\nContent-Type: %s\r\n\r\n", deliver_type_of(name));
    buf_addf(&r->tail, "\r\n--%s--\r\n", boundary);
    deliver_add_line(r, "Content-Type: multipart/form-data; boundary=%s", boundary);
}

int deliver_form_prepare(const struct deliver_exchange *x, struct deliver_request *r,
                         struct err *err)
{
    const json_t *files = json_object_get(x->local, "files");
    size_t i = result_at(files, x->file);
    const char *path = document_member(json_array_get(files, i), "path");
    const char *slash = strrchr(path, '/');
    json_t *context;

    if (i == json_array_size(files))
        return err_set(err, -ENOENT, "the task has no downloaded result that could be sent");
    context = context_of(x, i);
    r->method = document_member(x->action, "method");
    r->url = BUF_INIT(URL_MAX);
    r->head = BUF_INIT(HEAD_MAX);
    r->tail = BUF_INIT(TAIL_MAX);
    r->upload = path;
    deliver_url(x->action, context, &r->url);
    deliver_headers(x->action, context, r);
    deliver_identify(context, x->file, x->now_s, r);
    if (json_object_get(x->action, "file_field") != NULL)
        wrap_in_form(x, context, slash != NULL ? slash + 1 : path, r);
    else
        deliver_add_type(r, deliver_type_of(path));
    json_decref(context);
    return buf_ok(&r->url) && buf_ok(&r->head)
               ? 0
               : err_set(err, -EINVAL, "the %s too long",
                         buf_ok(&r->url) ? "fields of the form are" : "URL is");
}

int deliver_form_accept(struct deliver_exchange *x, const struct deliver_answer *a, struct err *err)
{
    const json_t *files = json_object_get(x->local, "files");

    (void)a;
    (void)err;
    x->file++;
    return result_at(files, x->file) < json_array_size(files);
}
