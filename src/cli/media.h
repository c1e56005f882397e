/*
 * --image, --video, --audio, --subject and --frame: what stands on the disk becomes a part of the
 * request.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef CLI_MEDIA_H
#define CLI_MEDIA_H

#include "cli/media_file.h"
#include "cli/options.h"
#include "vidu/provider.h"

#include <jansson.h>

/*
 * Sets the members that the endpoint (NULL: not known) has for such media: a URL as it is, a file
 * as media_file_value says. The error names the file or the option.
 */
MUST_CHECK int media_add(json_t *body, const struct options *o, const struct endpoint *e,
                         const struct provider_profile *profile, struct media_files *files,
                         struct err *err);

#endif
