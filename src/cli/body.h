/*
 * The body of a create request, put together from the options of `viduhook submit`.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_BODY_H
#define CLI_BODY_H

#include "cli/options.h"
#include "vidu/provider.h"

#include <jansson.h>

/*
 * Reads the JSON body, if one is given (--body, or the word `-` after the endpoint), then every
 * image. Nothing is sent. The error names the file or option. *out is an object owned by the
 * caller.
 */
MUST_CHECK int body_build(const struct options *o, const struct provider_profile *profile,
                          json_t **out, struct err *err);

/* The bytes that are sent, owned by the caller; -EFBIG with the numbers when they are too many. */
MUST_CHECK int body_text(const json_t *body, char **out, size_t *len, struct err *err);

/* {"k": "v"} from every --tag. */
MUST_CHECK int body_tags(const struct options *o, json_t **out, struct err *err);

/* A copy for people: data URIs are cut short. */
json_t *body_shortened(const json_t *value);

#endif
