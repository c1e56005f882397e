/*
 * The providers' own paths for existing clients (design.md section 3): HTTP on loopback, where
 *
 *   http://HOST:PORT/<provider>/ent/v2/img2video   is   <the provider's base URL>/ent/v2/img2video
 *
 * A client gives the gateway's token where it would give its API key, in whatever scheme; the
 * provider gets our key. One file a step:
 *
 *   mirror.c        listens, checks the token, decides which step a request takes
 *   mirror_route.c  what a path means
 *   mirror_call.c   one request: its replies, its end
 *   mirror_create.c tasks: registered, sent once, their callbacks come to us
 *   mirror_query.c  polls: answered from the store, in the provider's shape (mirror_shape.c), with
 *                   links that are good for some time yet (mirror_fresh.c)
 *   mirror_pass.c   hands everything else on, and the answer back
 *   mirror_error.c  errors of our own, in the providers' shape
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef GATEWAY_MIRROR_H
#define GATEWAY_MIRROR_H

#include "gateway/room.h"

#define MIRROR_MAX_CLIENTS 256         /* requests at once; as many connections may be idle */
#define MIRROR_MAX_BODY    (64U << 20) /* multipart; JSON is for REQUEST_MAX_BODY */

/* With what HELLO says; NULL with err. */
struct mirror *mirror_new(struct gateway *g, struct err *err);
void mirror_free(struct mirror *m); /* after the client; NULL is fine */
/* Accepts no more; each client goes when its request is answered. NULL is fine. */
void mirror_drain(struct mirror *m);
/* Clients that wait for a change of a task; 0 for NULL. */
size_t mirror_watchers(const struct mirror *m);
/* A live event. NULL is fine. */
void mirror_tell(struct mirror *m, const struct msg_event *event);
/* Whether it is drained and nobody is left; true for NULL. */
bool mirror_is_idle(const struct mirror *m);

#endif
