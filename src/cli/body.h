/*
 * The body of a create request, put together from the options of `viduhook submit`.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_BODY_H
#define CLI_BODY_H

#include "cli/media_file.h"
#include "cli/options.h"
#include "vidu/provider.h"

#include <jansson.h>

/*
 * In two steps. body_begin reads the JSON body, if one is given (--body, or the word `-` after the
 * endpoint), sets everything that is no file, and lists the files and which of them have to be
 * uploaded; -EFBIG with the numbers when it cannot fit. body_finish reads those that stand in the
 * request. Nothing is sent. The error names the file or option. *out is an object owned by the
 * caller, files too.
 */
MUST_CHECK int body_begin(const struct options *o, const struct provider_profile *profile,
                          struct media_files *files, json_t **out, struct err *err);
MUST_CHECK int body_finish(const struct options *o, const struct provider_profile *profile,
                           struct media_files *files, json_t *body, struct err *err);

/* The bytes that are sent, owned by the caller; -EFBIG with the numbers when they are too many. */
MUST_CHECK int body_text(const json_t *body, char **out, size_t *len, struct err *err);

/* {"k": "v"} from every --tag. */
MUST_CHECK int body_tags(const struct options *o, json_t **out, struct err *err);

/* A copy for people: data URIs are cut short. */
json_t *body_shortened(const json_t *value);

#endif
