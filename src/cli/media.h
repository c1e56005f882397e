/*
 * --image, --video, --audio, --subject and --frame: what stands on the disk becomes a part of the
 * request.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_MEDIA_H
#define CLI_MEDIA_H

#include "cli/options.h"
#include "vidu/provider.h"

#include <jansson.h>

/*
 * Sets the members that the endpoint (NULL: not known) has for such media. A URL goes as it is, a
 * file as a data URI. The error names the file or the option.
 */
MUST_CHECK int media_add(json_t *body, const struct options *o, const struct endpoint *e,
                         const struct provider_profile *profile, struct err *err);

#endif
