/*
 * What a submit will send, decided before anything is sent: provider, URL, body with our
 * callback_url in it, and what the keeper is to write down about the task.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_PREPARE_H
#define GATEWAY_PREPARE_H

#include "gateway/account.h"
#include "http/client.h"
#include "vidu/id.h"
#include "vidu/request.h"
#include "wire/message.h"

struct prepared {
    const struct hello_provider *account; /* borrowed */
    char *endpoint;
    char *url; /* of the POST */
    struct buf body;
    char *content_type;      /* the header; NULL: JSON */
    struct client_file file; /* of a form, around which body is; its fd is owned. Size 0: none */
    char task[TASK_ID_SIZE];
    bool synchronous; /* the answer is the result: no task is kept, task names nothing */
    bool called_back; /* the body has our callback_url */
    uint8_t key_hash[SHA256_LEN];
    char *callback_path; /* up to the key, which is written down nowhere */
    char *forward_url;   /* the client's own callback_url, or NULL */
    char *model, *prompt, *payload, *tags, *summary;
    bool off_peak;
};

/*
 * args: {"provider"?, "endpoint", "tags"?, "force"?, "as_is"?}; body: the client's request, a JSON
 * object. Where the endpoint takes a form one is made of it, unless as_is. The text of an error is
 * for the client. Release with prepared_clear, also after a failure.
 */
MUST_CHECK int prepare(const struct hello_gateway *h, const json_t *args, struct slice body,
                       struct prepared *out, struct err *err);
/*
 * The same of a client's own form, which goes out as it is, without a callback_url. On success the
 * bytes of *form are taken over, and it is empty.
 */
MUST_CHECK int prepare_form(const struct hello_gateway *h, const json_t *args,
                            struct slice content_type, struct buf *form, struct prepared *out,
                            struct err *err);
/*
 * The file that came with the request becomes the part of the form that its endpoint has for an
 * image; it is duplicated, and sent from the disk. -EINVAL, -EFBIG, -errno: no form, no image, too
 * large, or not readable.
 */
MUST_CHECK int prepared_add_file(struct prepared *p, int fd, struct err *err);
/* The slices point into p. */
void prepared_register(const struct prepared *p, struct msg_register *out);
void prepared_clear(struct prepared *p);

#endif
