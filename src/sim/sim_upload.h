/*
 * Uploaded images (vidu-api.md 8.5): an address to put one at, the bytes, and the name that
 * requests then use. Of the bytes only their number and digest are kept.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef SIM_SIM_UPLOAD_H
#define SIM_SIM_UPLOAD_H

#include "sim/sim_ledger.h"
#include "sim/sim_request.h"

struct server_request;
struct sim_uploads;

/* address is what stands in the URLs; the ledger must outlive it. */
struct sim_uploads *sim_uploads_new(const char *address, struct sim_ledger *ledger);
void sim_uploads_free(struct sim_uploads *all);

/* {"id", "put_url", "expires_at"}; NULL with why: there are too many. */
char *sim_upload_begin(struct sim_uploads *all, const char *key, const json_t *body,
                       struct sim_refusal *why);
/* Answers a request for /uploads/..., whose rest is name. */
void sim_upload_put(struct sim_uploads *all, struct server_request *req, struct slice name);
/* {"uri"}; NULL with why. key: of the client. */
char *sim_upload_finish(struct sim_uploads *all, const char *key, struct slice id,
                        const json_t *body, struct sim_refusal *why);
/* Whether every ssupload: URI in a request names an upload that this key has finished. */
bool sim_uploads_know(const struct sim_uploads *all, const char *key, const json_t *body);

#endif
